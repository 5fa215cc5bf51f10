// Package oauth is the authorization server of the simulated banks: the authorization code
// flow with PKCE, bearer tokens that may be bound to a client certificate, and refresh
// tokens. A bank checks who the client is, logs the person in (package bankpage), and owns
// the paths; this package owns requests, codes and tokens.
//
// It is strict where RFC 6749 and RFC 7636 let a server choose: every failed attempt with a
// code ends the code, and a code or a refresh token that is used twice ends all tokens of
// its grant.
//
// Sources: docs/reference/families.md 2.3, 2.5; RFC 6749, 7636, 8414, 8705, 9207.
package oauth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/sandbox/calls"
	"samla/internal/sandbox/journal"
)

// Client is who makes a token request.
type Client struct {
	ID string
	// Certificate is the thumbprint of the client's certificate (Thumbprint). Tokens are
	// bound to it; empty: they are not.
	Certificate string
}

// Config configures a server.
type Config struct {
	Policy Policy
	Clock  clock.Clock
	Random io.Reader // nil: crypto/rand
	// Authenticate returns the client of a token request, whose form is parsed, or an error
	// of RFC 6749 5.2. The server compares the member client_id of the form, if there is
	// one, with the client's id.
	Authenticate func(*http.Request) (Client, *Error)
	Journal      string // file that stores the grants; empty: memory only
	Calls        *calls.Log
	Log          *slog.Logger // nil: no log
}

// Policy is what servers differ in. A server's policy can change while it runs.
type Policy struct {
	CodeLife   time.Duration // 0: one minute
	AccessLife time.Duration // 0: one hour
	NoExpiry   bool          // answers without expires_in
	NoScope    bool          // answers without scope
	Refresh    RefreshPolicy
	ChainLife  time.Duration // from the login; then no refresh works; 0: 180 days
	// Grace is how long after a rotation the refresh token before works again, as long as
	// the new one was not used. 0: not at all.
	Grace time.Duration
	// BareRefresh leaves refresh_token (unless it is a new one), expires_in and scope out
	// of the answers to refreshes.
	BareRefresh bool
	// ResponseType is the only value of response_type; empty: "code". It is compared in
	// its case.
	ResponseType string
	// Plain accepts code_challenge_method plain. NoMethod: the parameter is absent, and
	// means S256.
	Plain, NoMethod bool
	// NoPKCE accepts requests without a code_challenge; with one, the verifier is needed.
	NoPKCE bool
	// LowerBearer writes token_type in small letters.
	LowerBearer bool
	// InvalidRequest answers a wrong code or verifier with invalid_request and the members
	// of a problem document instead of invalid_grant.
	InvalidRequest bool
	// Issuer in the answers of the authorization endpoint (RFC 9207).
	Issuer bool
	// Fault is what is wrong with the token endpoint now.
	Fault Fault
	// Times is how many token requests meet the fault; 0: all, until the policy changes.
	Times int
}

// RefreshPolicy is what happens with refresh tokens.
type RefreshPolicy string

// The policies.
const (
	NoRefresh RefreshPolicy = ""
	Reusable  RefreshPolicy = "reusable" // the same refresh token until the chain ends
	Rotating  RefreshPolicy = "rotating" // a new one with each refresh; the old one is dead
)

// Fault is a failure of the token endpoint that an operator switches on.
type Fault string

// The faults.
const (
	NoFault     Fault = ""
	Unavailable Fault = "unavailable"   // 503 with an HTML page
	ServerError Fault = "server_error"  // 500 without a body
	Denies      Fault = "invalid_grant" // to everybody, although the grants are good
	Lost        Fault = "lost"          // the request is carried out and the connection closes without an answer
	Garbled     Fault = "garbled"       // 200 with a body that is cut off, after the request is carried out
)

// Server is one authorization server. It is safe for concurrent use.
type Server struct {
	config Config

	mu      sync.Mutex
	policy  Policy
	grants  map[string]*Grant
	order   []string          // ids of grants, oldest first
	byHash  map[string]string // hash of a code or token -> grant id
	journal *journal.File[Grant]
}

// New returns a server with the grants of the journal.
func New(c Config) (*Server, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: c, policy: c.Policy, grants: map[string]*Grant{}, byHash: map[string]string{}}
	if c.Journal != "" {
		var err error
		if s.journal, err = journal.Open(c.Journal, s.replay, s.entries); err != nil {
			return nil, fmt.Errorf("oauth: %w", err)
		}
	}
	return s, nil
}

// Close closes the journal. Later changes are in memory only. A second Close does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.journal
	s.journal = nil
	if err := j.Close(); err != nil {
		return fmt.Errorf("oauth: %w", err)
	}
	return nil
}

// Policy returns the current policy.
func (s *Server) Policy() Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.policy
}

// SetPolicy changes the policy. Tokens that exist keep their times.
func (s *Server) SetPolicy(p Policy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy = p
}

// takeFault returns the fault that a token request meets.
func (s *Server) takeFault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.policy.Fault
	if s.policy.Times > 0 {
		if s.policy.Times--; s.policy.Times == 0 {
			s.policy.Fault = NoFault
		}
	}
	return f
}

func (p Policy) responseType() string { return or(p.ResponseType, "code") }

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Thumbprint returns the SHA-256 thumbprint of a certificate in DER form, base64url without
// padding (RFC 8705 3.1).
func Thumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// hashOf returns what the server stores of a code or token.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// secret returns a new code or token.
func (s *Server) secret() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(s.config.Random, b[:]); err != nil {
		return "", fmt.Errorf("oauth: reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Known reports whether p is one of the policies.
func (p RefreshPolicy) Known() bool { return p == NoRefresh || p == Reusable || p == Rotating }

// Known reports whether f is one of the faults.
func (f Fault) Known() bool {
	switch f {
	case NoFault, Unavailable, ServerError, Denies, Lost, Garbled:
		return true
	}
	return false
}
