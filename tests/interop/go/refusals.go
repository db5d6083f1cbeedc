package main

import (
	"context"
	"os"
	"path/filepath"

	mocclient "github.com/microsoft/moc-sdk-for-go/pkg/client"
	"github.com/microsoft/moc-sdk-for-go/services/security/identity"
	"github.com/microsoft/moc/pkg/auth"
)

// refusalsStory is a client without rights, then without a standing. The administrator's certificate must be on file.
func refusalsStory(s *session) {
	step("authorizer", s.authorize)
	admin := must(identity.NewIdentityClient(s.host, s.authorizer))
	var login auth.LoginConfig
	step("create", func(ctx context.Context) (seen, error) {
		id, err := admin.CreateOrUpdate(ctx, "", "csi-go", newIdentity("csi-go"))
		if err == nil {
			login = s.loginOf(id)
		}
		return nil, err
	})
	step("login with nonsense for a token", signIn("localhost", auth.LoginConfig{Name: "csi-go", Token: "nonsense", Certificate: s.login.Certificate}, false))
	client := &session{host: s.host, login: login, accessFile: filepath.Join(filepath.Dir(s.accessFile), "csi-go")}
	if err := os.Setenv(auth.WssdConfigPath, client.accessFile); err != nil {
		panic(err)
	}
	step("login", signIn(s.host, login, false))
	step("authorizer of the client", client.authorize)
	mocclient.ClearConnectionCache() // the library would go on as the administrator
	plain := must(identity.NewIdentityClient(s.host, client.authorizer))
	step("call", client.call)
	step("list identities without the right", func(ctx context.Context) (seen, error) {
		_, err := plain.Get(ctx, "", "")
		return nil, err
	})
	step("create an identity without the right", func(ctx context.Context) (seen, error) {
		return oneIdentity(plain.CreateOrUpdate(ctx, "", "mine", newIdentity("mine")))
	})
	step("revoke it", func(ctx context.Context) (seen, error) { return oneIdentity(admin.Revoke(ctx, "", "csi-go")) })
	step("call after revocation", client.call)
	step("login after revocation", signIn(s.host, login, false))
}
