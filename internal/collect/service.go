// Package collect owns the life of collections: it starts them, reads the bank
// within the consent, keeps what it reads sealed, turns it into products and
// hands those out until they are erased. The rules are package collection's; the
// consents it works under are package authorize's.
package collect

import (
	"context"
	"log/slog"
	"time"

	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/jsontext"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
)

// Deps is what the service works with. All members are required.
type Deps struct {
	Store        store.Store
	Vault        seal.Vault
	Consents     *authorize.Service
	Institutions institution.Set
	Pump         *jobs.Runner
	Clock        clock.Clock
	IDs          *uuid7.Generator
	Log          *slog.Logger
	KeepData     time.Duration // how long products are kept (docs/reference/api.md 5.9)
	Workers      int           // collections read at once by this node
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	polls *polls
}

// New makes the service and registers its queue with the pump.
func New(d Deps) *Service {
	s := &Service{Deps: d, polls: newPolls()}
	d.Pump.Register(jobs.Queue{Name: store.Collections, Workers: d.Workers, Handle: s.Handle, LastResort: s.GiveUp})
	return s
}

// Owner is who asks: a client, or one user of a client.
type Owner struct {
	ClientID string
	UserID   string // empty: the client itself, who sees every collection it has
}

// owns reports whether the owner may know of the collection.
func (o Owner) owns(c collection.Collection) bool {
	return c.ClientID == o.ClientID && (o.UserID == "" || c.UserID == o.UserID)
}

// Request asks for a collection. It has been checked against the rules of docs/reference/api.md
// 5.2 and 5.3 that need no state.
type Request struct {
	Owner
	Company     string
	LoginMethod string
	Filter      []string           // account ids; nil = all
	ConsentID   consent.ID         // the stored consent; empty = one-time
	PSU         psu.Context        // an address = the person is there; with ConsentID only
	OneTime     *authorize.Request // without ConsentID: the consent to be made inside
}

// usable checks a stored consent against a request (docs/reference/api.md 4.6, 5.3) and returns
// a fault when it cannot be used: ConsentNotFound, ConsentCompanyMismatch,
// ConsentExpired, ConsentRevoked, ConsentNotAuthorized.
func usable(c consent.Consent, r Request, now time.Time) *fault.Fault {
	switch {
	case c.ClientID != r.ClientID, r.UserID != "" && c.UserID != r.UserID, c.CollectionID != "":
		return fault.New(fault.ConsentNotFound)
	case c.Company != r.Company:
		return fault.New(fault.ConsentCompanyMismatch)
	case c.Status == consent.Expired, c.Status == consent.Authorized && !now.Before(c.ExpiresAt):
		return fault.Detailed(fault.ConsentExpired, "Consent expired at "+jsontext.Time(c.ExpiresAt))
	case c.Status == consent.Revoked:
		return fault.New(fault.ConsentRevoked)
	case c.Status != consent.Authorized:
		return fault.New(fault.ConsentNotAuthorized)
	}
	return nil
}

// Get reads a collection for its owner. Fault: CollectionNotFound.
func (s *Service) Get(ctx context.Context, o Owner, id string) (collection.Collection, error) {
	c, err := s.Store.Collection(ctx, id)
	if err != nil {
		return c, notFound(err)
	}
	if !o.owns(c) {
		return c, fault.New(fault.CollectionNotFound)
	}
	return c, nil
}

// List lists collections of the owner, newest first.
func (s *Service) List(ctx context.Context, o Owner, in []collection.Status, latest bool, p store.Page) ([]collection.Collection, error) {
	return s.Store.CollectionsOf(ctx, store.CollectionFilter{ClientID: o.ClientID, UserID: o.UserID, In: in, Latest: latest}, p)
}
