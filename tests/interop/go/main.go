// Command interop uses Microsoft's open client library against a cloud agent and prints what it saw.
//
// The library is an ordinary dependency and is used unchanged. Each story is one life of a client process, because the
// library keeps connections, the last login and the renew goroutine per process. Standard output is JSON lines, one a
// step; the verdict over them is the caller's. Nothing that is printed holds a token or a key.
//
// Usage: WSSD_CONFIG_PATH=<access file> interop <story> <host> <login YAML>
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/microsoft/moc/pkg/auth"
	"github.com/microsoft/moc/pkg/config"
	"github.com/microsoft/moc/pkg/errors"
)

const stepTimeout = 20 * time.Second

// session is what every story needs: where the agent is, who signs in, and the authorizer once there is one.
type session struct {
	host       string
	login      auth.LoginConfig
	accessFile string
	authorizer auth.Authorizer
}

// line is one step of a story as it is printed.
type line struct {
	Step  string         `json:"step"`
	OK    bool           `json:"ok"`
	Error string         `json:"error,omitempty"`
	Is    []string       `json:"is,omitempty"`
	Seen  map[string]any `json:"seen,omitempty"`
}

// seen is what a step wants its reader to know.
type seen = map[string]any

// predicates are the library's questions about an error, as its users ask them.
var predicates = []struct {
	name string
	asks func(error) bool
}{
	{"NotFound", errors.IsNotFound},
	{"AlreadyExists", errors.IsAlreadyExists},
	{"Expired", errors.IsExpired},
	{"Revoked", errors.IsRevoked},
	{"AccessDenied", errors.IsAccessDenied},
	{"OldVersion", errors.IsOldVersion},
	{"InvalidInput", errors.IsInvalidInput},
	{"InvalidToken", errors.IsInvalidToken},
	{"NotSupported", errors.IsNotSupported},
	{"InconsistentState", errors.IsInconsistentState},
	{"GRPCNotFound", errors.IsGRPCNotFound},
	{"GRPCAlreadyExist", errors.IsGRPCAlreadyExist},
	{"GRPCUnavailable", errors.IsGRPCUnavailable},
}

var stories = map[string]func(*session){
	"sign-in":    signInStory,
	"identities": identitiesStory,
	"roles":      rolesStory,
	"places":     placesStory,
	"admin":      adminStory,
	"signing":    signingStory,
	"rotation":   rotationStory,
	"refusals":   refusalsStory,
	"renewal":    renewalStory,
	"expiry":     expiryStory,
	"routine":    routineStory,
}

func main() {
	if len(os.Args) != 4 || stories[os.Args[1]] == nil || os.Getenv(auth.WssdConfigPath) == "" {
		fmt.Fprintln(os.Stderr, "usage: WSSD_CONFIG_PATH=<access file> interop <story> <host> <login YAML>")
		os.Exit(2)
	}
	s := &session{host: os.Args[2], accessFile: os.Getenv(auth.WssdConfigPath)}
	if err := config.LoadYAMLFile(os.Args[3], &s.login); err != nil {
		fmt.Fprintln(os.Stderr, "the login YAML cannot be read:", err)
		os.Exit(2)
	}
	stories[os.Args[1]](s)
}

// step runs one action under a deadline and prints how it went; a panic of the library is printed as one.
func step(name string, action func(context.Context) (seen, error)) bool {
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	facts, err := guarded(ctx, action)
	out := line{Step: name, OK: err == nil, Seen: facts}
	if err != nil {
		out.Error = err.Error()
		for _, predicate := range predicates {
			if predicate.asks(err) {
				out.Is = append(out.Is, predicate.name)
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
	return out.OK
}

func guarded(ctx context.Context, action func(context.Context) (seen, error)) (facts seen, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("PANIC in the library: %v", fault)
		}
	}()
	return action(ctx)
}

// must makes a client; a constructor of the library fails only when it cannot dial at all, and it dials lazily.
func must[T any](client T, err error) T {
	if err != nil {
		panic(err)
	}
	return client
}

func ptr[T any](value T) *T { return &value }

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
