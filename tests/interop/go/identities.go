package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/microsoft/moc-sdk-for-go/services/security"
	"github.com/microsoft/moc-sdk-for-go/services/security/identity"
	"github.com/microsoft/moc/pkg/auth"
)

// newIdentity is an identity as an operator's tool makes one for a client of a cluster.
func newIdentity(name string) *security.Identity {
	return &security.Identity{
		Name:                 ptr(name),
		TokenExpiryInSeconds: ptr(int64(30 * 24 * 3600)),
		Location:             ptr("MocLocation"),
		Tags:                 map[string]*string{"ownedBy": ptr("caph")},
		IdentityProperties: &security.IdentityProperties{
			ClientType: auth.ControlPlane, CloudFqdn: ptr("localhost"), CloudPort: ptr(int32(55000)), CloudAuthPort: ptr(int32(65000)),
		},
	}
}

func identityFacts(id *security.Identity) seen {
	return seen{
		"name": text(id.Name), "has_id": text(id.ID) != "", "has_token": text(id.Token) != "", "version": text(id.Version),
		"days": *id.TokenExpiry, "seconds": *id.TokenExpiryInSeconds, "revoked": id.Revoked, "location": text(id.Location),
		"client_type": id.ClientType, "fqdn": text(id.CloudFqdn), "port": *id.CloudPort, "auth_port": *id.CloudAuthPort,
		"auth_type": id.AuthType, "auto_rotate": id.AutoRotate, "login_file": text(id.LoginFilePath), "owner": text(id.Tags["ownedBy"]),
	}
}

// oneIdentity turns an answer of the library into facts.
func oneIdentity(id *security.Identity, err error) (seen, error) {
	if err != nil {
		return nil, err
	}
	return identityFacts(id), nil
}

func identitiesStory(s *session) {
	step("authorizer", s.authorize)
	client := must(identity.NewIdentityClient(s.host, s.authorizer))
	var made *security.Identity
	step("create", func(ctx context.Context) (seen, error) {
		return oneIdentity(client.CreateOrUpdate(ctx, "", "caph-go", newIdentity("caph-go")))
	})
	step("get", func(ctx context.Context) (seen, error) {
		found, err := client.Get(ctx, "", "caph-go")
		if err != nil {
			return nil, err
		}
		made = &(*found)[0]
		return identityFacts(made), nil
	})
	step("list", func(ctx context.Context) (seen, error) {
		found, err := client.Get(ctx, "", "")
		if err != nil {
			return nil, err
		}
		names := []string{}
		for _, one := range *found {
			names = append(names, text(one.Name))
		}
		return seen{"names": names}, nil
	})
	step("update what was read", func(ctx context.Context) (seen, error) {
		made.Location = ptr("Elsewhere")
		return oneIdentity(client.CreateOrUpdate(ctx, "", "caph-go", made))
	})
	step("update what is stale", func(ctx context.Context) (seen, error) {
		return oneIdentity(client.CreateOrUpdate(ctx, "", "caph-go", made))
	})
	step("precheck", func(ctx context.Context) (seen, error) {
		answer, err := client.Precheck(ctx, []*security.Identity{newIdentity("another")})
		return seen{"answer": answer}, err
	})
	step("precheck of nonsense", func(ctx context.Context) (seen, error) {
		_, err := client.Precheck(ctx, []*security.Identity{newIdentity("")})
		return nil, err
	})
	step("rotate", func(ctx context.Context) (seen, error) { return oneIdentity(client.Rotate(ctx, "", "caph-go")) })
	step("revoke", func(ctx context.Context) (seen, error) { return oneIdentity(client.Revoke(ctx, "", "caph-go")) })
	step("get revoked", func(ctx context.Context) (seen, error) {
		found, err := client.Get(ctx, "", "caph-go")
		if err != nil {
			return nil, err
		}
		return identityFacts(&(*found)[0]), nil
	})
	step("delete", func(ctx context.Context) (seen, error) { return nil, client.Delete(ctx, "", "caph-go") })
	step("get what is gone", func(ctx context.Context) (seen, error) {
		_, err := client.Get(ctx, "", "caph-go")
		return nil, err
	})
	step("delete what is gone", func(ctx context.Context) (seen, error) { return nil, client.Delete(ctx, "", "caph-go") })
	step("rotate what is gone", func(ctx context.Context) (seen, error) { return oneIdentity(client.Rotate(ctx, "", "caph-go")) })
	autoRotation(client)
}

func autoRotation(client *identity.IdentityClient) {
	step("create with automatic rotation", func(ctx context.Context) (seen, error) {
		draft := newIdentity("kms-go")
		draft.AutoRotate = true
		return oneIdentity(client.CreateOrUpdate(ctx, "", "kms-go", draft))
	})
	step("delete it", func(ctx context.Context) (seen, error) { return nil, client.Delete(ctx, "", "kms-go") })
}

// loginOf is the login YAML that an operator would hand to the client of a fresh token.
func (s *session) loginOf(id *security.Identity) auth.LoginConfig {
	return auth.LoginConfig{
		Name: text(id.Name), Token: text(id.Token), Certificate: s.login.Certificate, ClientType: auth.ControlPlane,
		CloudFqdn: s.host, CloudPort: 55000, CloudAuthPort: 65000,
	}
}

// rotationStory is a CAPH process whose token is rotated while it runs: this release of the library goes on sending the
// token of the process's first login, whatever a later login brings. The administrator's certificate must be on file.
func rotationStory(s *session) {
	step("authorizer", s.authorize)
	admin := must(identity.NewIdentityClient(s.host, s.authorizer))
	var first, second auth.LoginConfig
	step("create", func(ctx context.Context) (seen, error) {
		id, err := admin.CreateOrUpdate(ctx, "", "caph-running", newIdentity("caph-running"))
		if err == nil {
			first = s.loginOf(id)
		}
		return nil, err
	})
	s.accessFile = filepath.Join(filepath.Dir(s.accessFile), "caph-running")
	if err := os.Setenv(auth.WssdConfigPath, s.accessFile); err != nil {
		panic(err)
	}
	step("login with the first token", signIn(s.host, first, true))
	step("rotate", func(ctx context.Context) (seen, error) {
		id, err := admin.Rotate(ctx, "", "caph-running")
		if err == nil {
			second = s.loginOf(id)
		}
		return nil, err
	})
	step("login again with the first token kept", signIn(s.host, second, true))
	step("login elsewhere with the second token", signIn("localhost", second, true))
	step("login after that with the first token kept", signIn(s.host, second, true))
}
