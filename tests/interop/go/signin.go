package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/microsoft/moc-sdk-for-go/services/admin/version"
	"github.com/microsoft/moc-sdk-for-go/services/security/authentication"
	"github.com/microsoft/moc/pkg/auth"
)

// signIn is what every client of the product does first; the library writes the access file.
func signIn(host string, login auth.LoginConfig, routine bool) func(context.Context) (seen, error) {
	return func(ctx context.Context) (seen, error) {
		client, err := authentication.NewAuthenticationClientAuthMode(host, login)
		if err != nil {
			return nil, err
		}
		written, err := client.LoginWithConfig(ctx, "", login, routine)
		if err != nil {
			return nil, err
		}
		return seen{"identity": written.IdentityName, "type": written.ClientCertificateType}, nil
	}
}

// authorize is how a client gets its credentials later: from the access file, which the library renews when it is due.
func (s *session) authorize(context.Context) (seen, error) {
	authorizer, err := auth.NewAuthorizerFromEnvironment(s.host)
	if err != nil {
		return nil, err
	}
	s.authorizer = authorizer
	return s.certificate()
}

// call is the cheapest call on the data port: it proves that the certificate in use is accepted.
func (s *session) call(ctx context.Context) (seen, error) {
	agent, moc, err := must(version.NewVersionClient(s.host, s.authorizer)).GetVersion(ctx)
	return seen{"version": agent, "mocversion": moc}, err
}

// access reads the access file: the trusted roots, the certificate and its key, each in PEM.
func (s *session) access() (roots, certificate, key []byte, err error) {
	data, err := os.ReadFile(s.accessFile)
	if err != nil {
		return nil, nil, nil, err
	}
	var file auth.WssdConfig
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, nil, nil, err
	}
	texts := [3][]byte{}
	for i, encoded := range []string{file.CloudCertificate, file.ClientCertificate, file.ClientKey} {
		if texts[i], err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return nil, nil, nil, err
		}
	}
	return texts[0], texts[1], texts[2], nil
}

// certificate tells what lies in the access file.
func (s *session) certificate() (seen, error) {
	_, text, _, err := s.access()
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the access file holds no certificate")
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	return seen{
		"serial":  fmt.Sprintf("%x", leaf.SerialNumber),
		"seconds": int64(leaf.NotAfter.Sub(leaf.NotBefore) / time.Second),
		"name":    leaf.Subject.CommonName,
	}, nil
}

func (s *session) serial() string {
	facts, err := s.certificate()
	if err != nil {
		return ""
	}
	return facts["serial"].(string)
}

func signInStory(s *session) {
	step("login", signIn(s.host, s.login, true))
	step("authorizer", s.authorize)
	step("call", s.call)
	step("login again", signIn(s.host, s.login, true))
}

// renewalStory starts with a due certificate in the access file: asked to renew, and renewed in passing.
func renewalStory(s *session) {
	step("before", func(context.Context) (seen, error) { return s.certificate() })
	step("renew", func(context.Context) (seen, error) {
		if err := auth.RenewCertificates(s.host, s.accessFile); err != nil {
			return nil, err
		}
		return s.certificate()
	})
	step("authorizer", s.authorize)
	step("call", s.call)
}

// expiryStory starts with an expired certificate: the library must say so, and a new login must heal it.
func expiryStory(s *session) {
	step("authorizer", s.authorize)
	step("call all the same", func(ctx context.Context) (seen, error) {
		roots, certificate, key, err := s.access()
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(certificate, key) // the library's own reader refuses what has expired
		if err != nil {
			return nil, err
		}
		if s.authorizer, err = auth.NewAuthorizerFromInput(pair, roots, s.host); err != nil {
			return nil, err
		}
		return s.call(ctx)
	})
	step("login", signIn(s.host, s.login, true))
	step("authorizer after login", s.authorize)
	step("call", s.call)
}

// routineStory leaves renewing to the library's own goroutine, which looks five seconds after the first login; by then
// the due certificate of the same identity lies where that login wrote its own.
func routineStory(s *session) {
	due, err := os.ReadFile(s.accessFile)
	if err != nil {
		panic(err)
	}
	step("login", signIn(s.host, s.login, true))
	step("put the due certificate back", func(context.Context) (seen, error) {
		if err := os.WriteFile(s.accessFile, due, 0o600); err != nil {
			return nil, err
		}
		return s.certificate()
	})
	before := s.serial()
	step("the goroutine renews", func(ctx context.Context) (seen, error) {
		for ctx.Err() == nil {
			if now := s.serial(); now != "" && now != before {
				return s.certificate()
			}
			time.Sleep(100 * time.Millisecond)
		}
		return nil, ctx.Err()
	})
	step("authorizer", s.authorize)
	step("call", s.call)
}
