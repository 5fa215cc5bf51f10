package authorize_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collection"
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
	// maja is one of Skatteverket's test numbers.
	maja = "198412099296"
)

var (
	morning    = flowtest.Start
	everything = consent.Scope{Balances: true, Transactions: true}
)

// scripted is an institution whose answers a test scripts, verb by verb. It records
// the requests.
type scripted struct {
	profile institution.Profile

	mu             sync.Mutex
	opened         []institution.OpenRequest
	started        []institution.AuthorizeRequest
	asked          int      // status questions
	authorizations []string // that were asked about
	read           int      // of the consent
	readWith       institution.Access
	signed         atomic.Bool
	revoked        []institution.Access
	revokedFor     []string // subjects
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

func (s *scripted) OpenConsent(ctx context.Context, r institution.OpenRequest) (institution.Opened, error) {
	if _, bounded := ctx.Deadline(); bounded && ctx.Err() != nil {
		return institution.Opened{}, &institution.Error{Kind: institution.Unreachable, Cause: ctx.Err()}
	}
	s.mu.Lock()
	s.opened = append(s.opened, r)
	s.mu.Unlock()
	return s.onOpen(r)
}

func (s *scripted) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	if _, bounded := ctx.Deadline(); bounded && ctx.Err() != nil {
		return institution.Authorization{}, &institution.Error{Kind: institution.Unreachable, Cause: ctx.Err()}
	}
	s.mu.Lock()
	s.started = append(s.started, r)
	s.mu.Unlock()
	return s.onStart(r)
}

func (s *scripted) AuthorizationStatus(_ context.Context, _ institution.Access, id, _ string, _ bool) (institution.Authorization, error) {
	s.mu.Lock()
	s.authorizations = append(s.authorizations, id)
	s.mu.Unlock()
	a, err := s.onStatus(s.count(&s.asked))
	if err == nil && a.State == institution.AuthorizationDone {
		s.signed.Store(true)
	}
	return a, err
}

func (s *scripted) Consent(_ context.Context, a institution.Access) (institution.ConsentInfo, error) {
	s.mu.Lock()
	s.readWith = a
	s.mu.Unlock()
	return s.onRead(s.count(&s.read))
}

func (s *scripted) Revoke(ctx context.Context, a institution.Access) error {
	s.mu.Lock()
	s.revoked = append(s.revoked, a)
	s.revokedFor = append(s.revokedFor, institution.SubjectOf(ctx))
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

// kind returns an error of this kind.
func kind(k institution.ErrorKind) error { return &institution.Error{Kind: k} }

// env is a service over a real store, with a scripted bank and a manual clock.
type env struct {
	*flowtest.Env
	*authorize.Service
	bank  *scripted
	seen  *seen
	scope consent.Scope // of request
}

// seen is a subscriber that records which consents ended, with the causes.
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

// newEnv returns an env on SQLite whose bank opens, authorizes, grants and revokes
// everything at the first attempt.
func newEnv(t testing.TB) *env {
	t.Helper()
	return newEnvOn(t, t.TempDir())
}

// newEnvOn returns such an env on the database of this DSN.
func newEnvOn(t testing.TB, database string) *env {
	t.Helper()
	b := &env{Env: flowtest.New(t, database), seen: &seen{ends: map[consent.ID][]consent.Cause{}}, scope: everything}
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
			if !b.bank.signed.Load() {
				return institution.ConsentInfo{State: institution.ConsentPending}, nil
			}
			return institution.ConsentInfo{State: institution.ConsentValid, Scope: &everything, ValidUntil: morning.AddDate(0, 3, 0)}, nil
		},
		onRevoke: func(int) error { return nil },
	}
	b.Service = b.service()
	return b
}

// service returns another service over the same store: another node, or this one
// after a crash.
func (b *env) service() *authorize.Service { return b.serviceWith(authorize.WatchLimits{}) }

func (b *env) serviceWith(limits authorize.WatchLimits) *authorize.Service {
	log := slog.New(slog.DiscardHandler)
	return authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: institution.Set{theBank: b.bank.institution()},
		Jobs: jobs.New(b.Store, b.Clock, log), Clock: b.Clock, IDs: b.IDs, Log: log, Watch: limits,
		Subscribers: []authorize.EndSubscriber{b.seen}})
}

// deliver makes one attempt to deliver an outbox message.
func (b *env) deliver(id string) error { return b.deliverOn(b.Service, id) }

// deliverOn does so on another node.
func (b *env) deliverOn(node *authorize.Service, id string) error {
	m, err := b.Store.OutboxMessage(b.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return node.Deliver(b.Context(), m)
}

// pending returns an authorization that waits for the person, with a QR text.
func (b *env) pending(qr string) institution.Authorization {
	return institution.Authorization{ID: "auth-1", StatusLink: "status-1", State: institution.AuthorizationPending,
		Instructions: &consent.Instructions{AutoStartToken: "token", QRData: qr, RefreshedAt: b.Clock.Now(), ExpiresAt: morning.Add(3 * time.Minute)}}
}

// create creates a consent of the user.
func (b *env) create() consent.Consent {
	b.Helper()
	c, err := b.Create(b.Context(), b.request(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func (b *env) request() authorize.Request {
	return authorize.Request{ClientID: b.User.ClientID, UserID: b.User.ID, Company: theBank, LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		Scope: b.scope, PSU: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "test/1", Locale: "sv-SE"}}
}

// look runs the handler once, and follows the authorization for up to ten questions,
// one a second.
func (b *env) look(id consent.ID) consent.Consent {
	b.Helper()
	b.MustRun(b.Handle, string(id))
	b.asks(id, 10)
	return b.Consent(id)
}

// asks lets the scheduler of this process ask up to n questions, one a second,
// and reports whether the authorization has ended.
func (b *env) asks(id consent.ID, n int) (done bool) {
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

// run runs the handler whenever the consent is due, until it is authorized or final.
func (b *env) run(id consent.ID) consent.Consent {
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

// secret opens the sealed secret of the row.
func (b *env) secret(c consent.Consent) consent.Secret {
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

// dueMessages claims the outbox messages that are due.
func (b *env) dueMessages() []string {
	b.Helper()
	claimed, err := b.Store.Claim(b.Context(), store.Outbox, b.Clock.Now(), time.Hour, store.ClaimLimit{Rows: 10})
	if err != nil {
		b.Fatal(err)
	}
	var ids []string
	for _, j := range claimed {
		ids = append(ids, j.ID)
	}
	return ids
}

// message reads an outbox message and reports whether it exists.
func (b *env) message(id string) (outbox.Message, bool) {
	b.Helper()
	d, err := b.Store.OutboxMessage(b.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.Fatal(err)
	}
	return d, err == nil
}

// checkEnd checks that a consent has ended in this way.
func (b *env) checkEnd(c consent.Consent, status consent.Status, failure consent.FailureCode) {
	b.Helper()
	if c.Status != status || c.Failure != failure {
		b.Errorf("ended as %s %s instead of %s %s", c.Status, c.Failure, status, failure)
	}
	if !c.WakeAt.IsZero() {
		b.Errorf("ended, and is handled again at %s", c.WakeAt)
	}
}

// profile changes the profile of the bank, as a changed banks file does.
func (b *env) profile(change func(*institution.Profile)) {
	change(&b.bank.profile)
	b.Institutions.(institution.Set)[theBank] = b.bank.institution()
}

// addCollection adds the one-time collection that c belongs to.
func (b *env) addCollection(tx store.Tx, c consent.Consent) error {
	return tx.AddCollection(b.Context(), collection.Collection{ID: c.CollectionID, ClientID: c.ClientID, UserID: c.UserID, ConsentID: c.ID,
		Company: theBank, Mode: collection.OneTime, Attended: true, Status: collection.Running, CreatedAt: morning, StatusChangedAt: morning,
		PolledAt: morning, WakeAt: morning.Add(time.Hour)})
}
