// Package collect runs collections: it starts them, reads from the institution what
// the consent covers, stores the answers sealed, converts them to products, and
// returns the products until they are erased. The state machine is in package
// collection, the consents are run by package authorize.
package collect

import (
	"cmp"
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"samla/internal/authorize"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/jobs"
	keyjournal "samla/internal/journal"
	"samla/internal/jsontext"
	"samla/internal/lru"
	"samla/internal/psu"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
	"samla/internal/watch"
)

// longestRetry is the longest wait before a collection whose handler has failed is
// handled again. Its client polls.
const longestRetry = 30 * time.Second

// Deps are the dependencies of a Service. All members without a default are required.
type Deps struct {
	Store              store.Store
	Access             store.AccessRecorder // records who gets data; nil = Store
	Vault              seal.Vault
	Consents           *authorize.Service
	Institutions       institution.Institutions
	Jobs               *jobs.Runner
	Clock              clock.Clock
	IDs                *uuid7.Generator
	Log                *slog.Logger
	ReadTime           time.Duration       // that a collection may read while the person is present; 0 = 5 min
	Memory             int                 // bytes of answers in memory of all collections together; 0 = 64 MiB
	ReadTimeUnattended time.Duration       // that any other may read; 0 = 15 min
	Lease              time.Duration       // after which an attended collection without a poll ends; 0 = collection.DefaultLease
	KeepData           time.Duration       // how long products are stored (docs/reference/api.md 5.9)
	Workers            int                 // collections read at once by this node
	Deviations         *deviation.Register // nil = one of its own
	Logins             LoginLimits
	Journal            keyjournal.Recorder // nil = none
}

// Service is safe for concurrent use.
type Service struct {
	Deps
	polls   *polls
	answers answers
	started started
	memory  *memory
	heavy   chan struct{} // slots to decode large answers and to write many products

	loginWatch    *watch.Scheduler
	watchedLogins sync.Map // collection id -> *watchedLogin, of what the scheduler watches
	knownLogins   *lru.Cache[string, *knownLogin]
	refreshes     chan struct{} // questions of polls under way
}

// New returns a service and registers its queue with the runner.
func New(d Deps) *Service {
	if d.Lease <= 0 {
		d.Lease = collection.DefaultLease
	}
	if d.Access == nil {
		d.Access = d.Store
	}
	if d.Deviations == nil {
		d.Deviations = &deviation.Register{}
	}
	d.Journal = keyjournal.Or(d.Journal)
	d.ReadTime, d.ReadTimeUnattended = cmp.Or(d.ReadTime, readTime), cmp.Or(d.ReadTimeUnattended, readTimeUnattended)
	s := &Service{Deps: d, polls: newPolls(d.Lease), answers: newAnswers(d.Clock),
		memory: newMemory(cmp.Or(d.Memory, defaultMemory)), heavy: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	s.Logins.Dialogue = d.Logins.Dialogue.WithDefaults()
	s.loginWatch, s.knownLogins, s.refreshes = s.newLoginWatch(), newKnownLogins(d.Clock), make(chan struct{}, maxRefreshes)
	d.Jobs.Register(jobs.Queue{Name: store.Dialogues, Workers: max(2, d.Workers), Handle: s.handleLogin, LastResort: s.GiveUp,
		LongestWait: longestRetry, Overdue: s.overdue})
	d.Jobs.Register(jobs.Queue{Name: store.Collections, Workers: d.Workers, Handle: s.Handle, LastResort: s.GiveUp, LongestWait: longestRetry,
		Overdue: s.overdue})
	return s
}

// Owner is the caller of a request: a client, or one user of a client.
type Owner struct {
	ClientID string
	UserID   string // empty: the client itself, which sees all of its collections
	KeyID    string // of its API key, for the audit log; empty: a session of the user
	Route    string // operation that it calls, for the audit log
}

// owns reports whether the owner may see the collection.
func (o Owner) owns(c collection.Collection) bool {
	return c.ClientID == o.ClientID && (o.UserID == "" || c.UserID == o.UserID)
}

// Request is a request for a collection. The caller has validated it against the
// rules of docs/reference/api.md 5.2 and 5.3 that need no state.
type Request struct {
	Owner
	Version     string // of the API that the request came in; empty: collection.V20260401
	Company     string
	LoginMethod string
	Filter      []string           // account ids; nil = all
	ConsentID   consent.ID         // the stored consent; empty: one-time
	PSU         psu.Context        // with an address the person is present; with ConsentID only
	WhenAllowed bool               // without the person: if the quota is used up, at the next allowed moment
	From        string             // first day to ask transactions for, YYYY-MM-DD; empty: as always. Without the person only
	OneTime     *authorize.Request // without ConsentID: the consent to create inside
	Login       *Login             // without either: the person logs in by dialogue
	// Also writes what must be committed together with the collection; nil: nothing. Its
	// errors are returned.
	Also func(store.Tx, collection.Collection) error
}

// put stores a new collection of the request, and what goes with it.
func (r Request) put(ctx context.Context, tx store.Tx, c collection.Collection) error {
	if err := tx.AddCollection(ctx, c); err != nil || r.Also == nil {
		return err
	}
	return r.Also(tx, c)
}

// Login is who logs in at an institution that has a Loginer. The company decides which
// members it needs (docs/reference/api.md 5.3). The person is present.
type Login struct {
	PersonalNumber psu.Number // 12 digits; its check digit is not validated here
	Email          string     // gets a link
	UserID         string     // of the person at the institution, such as that of MitID
	PSU            psu.Context
}

// usable validates a stored consent for a request (docs/reference/api.md 4.6, 5.3). It
// returns nil, or the fault why it cannot be used: ConsentNotFound, ConsentCompanyMismatch,
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

// Get returns a collection to its owner. Faults: CollectionNotFound.
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

// List returns collections of the owner, newest first.
func (s *Service) List(ctx context.Context, o Owner, in []collection.Status, latest bool, p store.Page) ([]collection.Summary, error) {
	return s.Store.CollectionsOf(ctx, store.CollectionFilter{ClientID: o.ClientID, UserID: o.UserID, In: in, Latest: latest}, p)
}
