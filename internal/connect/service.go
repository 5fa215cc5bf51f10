// Package connect runs the connect page: the links that clients make, and the flows of the
// persons who open them (docs/reference/api.md 13). The states are those of package flow; what a
// person approves is done by authorize and collect, whose rules are not repeated here.
package connect

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/flow"
	"samla/internal/institution"
	"samla/internal/jsontext"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Path is the path of the connect page: + flow id. LinkPath is that of links: + secret.
const (
	Path     = "/c/"
	LinkPath = "/c/open/"
)

// Deps is what the service works with. All members but Random are required.
type Deps struct {
	Store        store.Store
	Vault        seal.Vault
	Consents     *authorize.Service
	Collections  *collect.Service
	Institutions institution.Institutions
	Health       *company.Health
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
	PublicURL    func() string // base URL of this server as browsers reach it
	Random       io.Reader     // of secrets; safe for concurrent use; nil = the machine's
}

// Service is safe for concurrent use.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service {
	if d.Random == nil {
		d.Random = rand.Reader
	}
	return &Service{d}
}

// ErrUnknown says that there is no such link or flow, or that the browser has no right to it.
var ErrUnknown = errors.New("connect: no such link or flow")

// unknown turns store.ErrNotFound into ErrUnknown.
func unknown(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrUnknown
	}
	return err
}

// secretBytes is how many random bytes a secret has.
const secretBytes = 32

// secret returns a new secret, in base64url.
func (s *Service) secret() (string, error) {
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(s.Random, raw); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// isSecret reports whether a text has the form of a secret.
func isSecret(text string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == secretBytes
}

func typedPlace(table, id string) seal.Place {
	return seal.Place{Table: table, Column: "sealed", Row: id}
}

// The tables in which what is known of a person is sealed.
const (
	linkTable = "connect_links"
	flowTable = "connect_flows"
)

func (s *Service) sealTyped(ctx context.Context, userID string, at seal.Place, t flow.Typed) ([]byte, error) {
	if t == (flow.Typed{}) {
		return nil, nil
	}
	plain, err := jsontext.Marshal(t)
	if err != nil {
		return nil, err
	}
	return s.Vault.Seal(ctx, userID, at, plain)
}

func (s *Service) openTyped(ctx context.Context, userID string, at seal.Place, sealed []byte) (t flow.Typed, err error) {
	if len(sealed) == 0 {
		return t, nil
	}
	plain, err := s.Vault.Open(ctx, userID, at, sealed)
	if err != nil {
		return t, err
	}
	if json.Unmarshal(plain, &t) != nil {
		return t, errors.New("what a person has typed does not parse") // the error quotes it
	}
	return t, nil
}

// eraseBatch is how many rows of each table one transaction deletes.
const eraseBatch = 50

// EndUser implements users.Flow: the links and flows of the user are deleted.
func (s *Service) EndUser(ctx context.Context, clientID, userID string) error {
	for {
		var n int
		err := s.Store.Write(ctx, func(tx store.Tx) (err error) {
			n, err = tx.EraseConnect(ctx, clientID, userID, eraseBatch)
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}
