package main

import (
	"context"
	"encoding/base64"

	"github.com/microsoft/moc-sdk-for-go/services/admin/debug"
	"github.com/microsoft/moc-sdk-for-go/services/security"
	"github.com/microsoft/moc-sdk-for-go/services/security/certificate"
	"github.com/microsoft/moc-sdk-for-go/services/security/identity"
)

// signingStory asks for certificates by request, through both agents that give them.
func signingStory(s *session) {
	step("authorizer", s.authorize)
	identities := must(identity.NewIdentityClient(s.host, s.authorizer))
	csr := func() []*security.CertificateRequest {
		return []*security.CertificateRequest{{Name: ptr(s.login.Name)}}
	}
	var issued, key string
	step("identity certificate", func(ctx context.Context) (seen, error) {
		made, private, err := identities.CreateCertificate(ctx, "", s.login.Name, csr())
		if err != nil {
			return nil, err
		}
		issued, key = text(made[0].Cer), private
		return certificateFacts(made[0]), nil
	})
	step("identity certificate renewed", func(ctx context.Context) (seen, error) {
		wanted := csr()
		wanted[0].OldCertificate = ptr(base64.StdEncoding.EncodeToString([]byte(issued)))
		made, _, err := identities.RenewCertificate(ctx, "", s.login.Name, wanted)
		if err != nil {
			return nil, err
		}
		return certificateFacts(made[0]), nil
	})
	certificateSteps(must(certificate.NewCertificateClient(s.host, s.authorizer)), s.login.Name, issued, key)
	step("a service that is not there", func(ctx context.Context) (seen, error) {
		_, err := must(debug.NewDebugClient(s.host, s.authorizer)).Stacktrace(ctx)
		return nil, err
	})
}

func certificateSteps(client *certificate.CertificateClient, name, issued, key string) {
	one := func(made *security.Certificate, err error) (seen, error) {
		if err != nil {
			return nil, err
		}
		return certificateFacts(made), nil
	}
	step("sign", func(ctx context.Context) (seen, error) {
		made, _, err := client.Sign(ctx, "", name, &security.CertificateRequest{Name: ptr(name)})
		return one(made, err)
	})
	step("renew", func(ctx context.Context) (seen, error) {
		made, _, err := client.Renew(ctx, "", name, &security.CertificateRequest{
			Name: ptr(name), OldCertificate: ptr(base64.StdEncoding.EncodeToString([]byte(issued))),
		})
		return one(made, err)
	})
	step("sign the same key again", func(ctx context.Context) (seen, error) {
		made, _, err := client.Sign(ctx, "", name, &security.CertificateRequest{
			Name: ptr(name), PrivateKey: ptr(base64.StdEncoding.EncodeToString([]byte(key))),
		})
		return one(made, err)
	})
	step("sign a CA", func(ctx context.Context) (seen, error) {
		made, _, err := client.Sign(ctx, "", name, &security.CertificateRequest{Name: ptr(name), IsCA: ptr(true)})
		return one(made, err)
	})
	named := &security.Certificate{Name: ptr("go-named"), Type: ptr("Client")}
	step("create named certificate", func(ctx context.Context) (seen, error) { return one(client.CreateOrUpdate(ctx, "", "go-named", named)) })
	step("get named certificate", func(ctx context.Context) (seen, error) {
		found, err := client.Get(ctx, "", "go-named")
		if err != nil {
			return nil, err
		}
		return certificateFacts(&(*found)[0]), nil
	})
	step("precheck certificate", func(ctx context.Context) (seen, error) {
		answer, err := client.Precheck(ctx, []*security.Certificate{named})
		return seen{"answer": answer}, err
	})
	step("delete named certificate", func(ctx context.Context) (seen, error) { return nil, client.Delete(ctx, "", "go-named") })
	step("get named certificate that is gone", func(ctx context.Context) (seen, error) {
		_, err := client.Get(ctx, "", "go-named")
		return nil, err
	})
}

func certificateFacts(made *security.Certificate) seen {
	return seen{
		"name": text(made.Name), "type": text(made.Type), "has_version": text(made.Version) != "", "content": len(text(made.Cer)) > 0,
		"dated": *made.Attributes.Expires > *made.Attributes.NotBefore,
	}
}
