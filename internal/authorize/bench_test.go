package authorize_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/store"
)

const (
	theBank = "se-testbank"
	// maja's is one of Skatteverket's test numbers.
	maja = "198412099296"
)

var (
	morning    = flowtest.Start
	everything = consent.Scope{Balances: true, Transactions: true}
)

// scripted is a bank that does what a test says, verb by verb, and keeps what it
// was asked.
type scripted struct {
	profile institution.Profile

	mu             sync.Mutex
	opened         []institution.OpenRequest
	started        []institution.AuthorizeRequest
	asked          int      // status questions
	authorizations []string // that were asked about
	read           int      // of the consent
	revoked        []institution.Access
	onOpen         func(institution.OpenRequest) (institution.Opened, error)
	onStart        func(institution.AuthorizeRequest) (institution.Authorization, error)
	onStatus       func(n int) (institution.Authorization, error)
	onRead         func(n int) (institution.ConsentInfo, error)
	onRevoke       func(n int) error
}

func (s *scripted) institution() institution.Institution {
	return institution.Institution{Company: company.Company{ID: theBank}, Profile: s.profile,
		Opener: s, Authorizer: s, ConsentReader: s, Revoker: s}
}

func (s *scripted) OpenConsent(_ context.Context, r institution.OpenRequest) (institution.Opened, error) {
	s.mu.Lock()
	s.opened = append(s.opened, r)
	s.mu.Unlock()
	return s.onOpen(r)
}

func (s *scripted) StartAuthorization(_ context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	s.mu.Lock()
	s.started = append(s.started, r)
	s.mu.Unlock()
	return s.onStart(r)
}

func (s *scripted) AuthorizationStatus(_ context.Context, _ institution.Access, id, _ string, _ bool) (institution.Authorization, error) {
	s.mu.Lock()
	s.authorizations = append(s.authorizations, id)
	s.mu.Unlock()
	return s.onStatus(s.count(&s.asked))
}

func (s *scripted) Consent(context.Context, institution.Access) (institution.ConsentInfo, error) {
	return s.onRead(s.count(&s.read))
}

func (s *scripted) Revoke(_ context.Context, a institution.Access) error {
	s.mu.Lock()
	s.revoked = append(s.revoked, a)
	n := len(s.revoked)
	s.mu.Unlock()
	return s.onRevoke(n)
}

func (s *scripted) count(of *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	*of++
	return *of
}

// kind is a failure of an exchange.
func kind(k institution.ErrorKind) error { return &institution.Error{Kind: k} }

// bench is a service over a real store, with a scripted bank and a clock that
// stands still.
type bench struct {
	*flowtest.Env
	*authorize.Service
	bank *scripted
	seen *seen
}

// seen is a subscriber that keeps which consents ended, and why.
type seen struct {
	mu   sync.Mutex
	ends map[consent.ID][]consent.Cause
	err  error // what it returns
}

func (s *seen) ConsentEnded(_ context.Context, _ store.Tx, c consent.Consent, cause consent.Cause) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.ends[c.ID] = append(s.ends[c.ID], cause)
	}
	return s.err
}

// newBench returns a bench on SQLite whose bank opens, starts, grants and revokes
// everything at the first attempt.
func newBench(t testing.TB) *bench {
	t.Helper()
	return newBenchOn(t, t.TempDir())
}

// newBenchOn returns such a bench on the database of this DSN.
func newBenchOn(t testing.TB, database string) *bench {
	t.Helper()
	b := &bench{Env: flowtest.New(t, database), seen: &seen{ends: map[consent.ID][]consent.Cause{}}}
	b.bank = &scripted{profile: institution.Profile{ReplaySafe: true}.WithDefaults(),
		onOpen: func(institution.OpenRequest) (institution.Opened, error) {
			return institution.Opened{ConsentID: "bank-1"}, nil
		},
		onStart: func(institution.AuthorizeRequest) (institution.Authorization, error) {
			return b.pending("bankid.first"), nil
		},
		onStatus: func(int) (institution.Authorization, error) {
			return institution.Authorization{State: institution.AuthorizationDone}, nil
		},
		onRead: func(int) (institution.ConsentInfo, error) {
			return institution.ConsentInfo{State: institution.ConsentValid, Scope: everything, ValidUntil: morning.AddDate(0, 3, 0)}, nil
		},
		onRevoke: func(int) error { return nil },
	}
	b.Service = b.service()
	return b
}

// service makes a service of its own over the same store: another node, or the
// same one after a crash.
func (b *bench) service() *authorize.Service {
	log := slog.New(slog.DiscardHandler)
	return authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: institution.Set{theBank: b.bank.institution()},
		Pump: jobs.New(b.Store, b.Clock, log), Clock: b.Clock, IDs: b.IDs, Log: log, Subscribers: []authorize.EndSubscriber{b.seen}})
}

// deliver carries out an outbox message, once.
func (b *bench) deliver(id string) error { return b.deliverOn(b.Service, id) }

// deliverOn carries out an outbox message on another node.
func (b *bench) deliverOn(node *authorize.Service, id string) error {
	m, err := b.Store.OutboxMessage(b.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return node.Deliver(b.Context(), m)
}

// pending is an authorisation that waits for the person, with a QR text.
func (b *bench) pending(qr string) institution.Authorization {
	return institution.Authorization{ID: "auth-1", StatusLink: "status-1", State: institution.AuthorizationPending,
		Instructions: &consent.Instructions{AutoStartToken: "token", QRData: qr, RefreshedAt: b.Clock.Now(), ExpiresAt: morning.Add(3 * time.Minute)}}
}

// create asks for a consent of the user.
func (b *bench) create() consent.Consent {
	b.Helper()
	c, err := b.Create(b.Context(), b.request(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func (b *bench) request() authorize.Request {
	return authorize.Request{ClientID: b.User.ClientID, UserID: b.User.ID, Company: theBank, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		Scope: everything, PSU: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "test/1", Locale: "sv-SE"}}
}

// look takes one look at a consent, and follows its authorization for up to ten
// questions, one a second.
func (b *bench) look(id consent.ID) consent.Consent {
	b.Helper()
	b.MustRun(b.Step, string(id))
	b.asks(id, 10)
	return b.Consent(id)
}

// asks lets the scheduler of this process ask up to n questions, one a second,
// and reports whether the authorization has ended.
func (b *bench) asks(id consent.ID, n int) (done bool) {
	b.Helper()
	for range n {
		if !b.Watches(id) {
			return true
		}
		b.Clock.Advance(time.Second)
		if b.Ask(b.Context(), id).Done {
			return true
		}
	}
	return false
}

// run looks at a consent whenever it is due, until it has nothing to do at once.
func (b *bench) run(id consent.ID) consent.Consent {
	b.Helper()
	for c := b.Consent(id); ; {
		if c.WakeAt.IsZero() || c.Status == consent.Authorized {
			return c
		}
		if b.Watches(id) { // its lease is renewed meanwhile
			b.asks(id, 10)
			c = b.Consent(id)
			continue
		}
		b.Clock.Set(c.WakeAt)
		c = b.look(id)
	}
}

// secret opens what is sealed in the row.
func (b *bench) secret(c consent.Consent) consent.Secret {
	b.Helper()
	plain, err := b.Vault.Open(b.Context(), c.Subject(), secretPlace(c.ID), c.Sealed)
	if err != nil {
		b.Fatal(err)
	}
	var s consent.Secret
	if err := json.Unmarshal(plain, &s); err != nil {
		b.Fatal(err)
	}
	return s
}

// duties claims what is owed now.
func (b *bench) duties() []string {
	b.Helper()
	claimed, err := b.Store.Claim(b.Context(), store.Outbox, b.Clock.Now(), time.Hour, 10)
	if err != nil {
		b.Fatal(err)
	}
	var ids []string
	for _, j := range claimed {
		ids = append(ids, j.ID)
	}
	return ids
}

// duty reads a duty, false when it is done.
func (b *bench) duty(id string) (outbox.Message, bool) {
	b.Helper()
	d, err := b.Store.OutboxMessage(b.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.Fatal(err)
	}
	return d, err == nil
}

// ended holds a consent to a failure.
func (b *bench) ended(c consent.Consent, status consent.Status, failure consent.FailureCode) {
	b.Helper()
	if c.Status != status || c.Failure != failure {
		b.Errorf("ended as %s %s instead of %s %s", c.Status, c.Failure, status, failure)
	}
	if !c.WakeAt.IsZero() {
		b.Errorf("ended, and is looked at again at %s", c.WakeAt)
	}
}

// profile changes what the bank is like, as a changed banks file does.
func (b *bench) profile(change func(*institution.Profile)) {
	change(&b.bank.profile)
	b.Institutions[theBank] = b.bank.institution()
}
