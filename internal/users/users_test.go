package users_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/idempotency"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/users"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = flowtest.Start

// hookStore is a store that calls before ahead of each transaction, with its
// number from 1, and runs the transaction unless it returns an error.
type hookStore struct {
	store.Store
	mu     sync.Mutex
	writes int
	before func(n int) error
}

func (s *hookStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	s.mu.Lock()
	s.writes++
	n, before := s.writes, s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(n); err != nil {
			return err
		}
	}
	return s.Store.Write(ctx, fn)
}

// hook sets what is called ahead of the transactions from now on.
func (s *hookStore) hook(before func(n int) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes, s.before = 0, before
}

// tokens issues the user's id as the token.
type tokens struct{ expiresAt time.Time }

func (i tokens) IssueToken(_ context.Context, _, userID string) (string, time.Time, error) {
	return "token of " + userID, i.expiresAt, nil
}

// node is the service on one node, with the flows; nodes may share a database.
type node struct {
	*users.Service
	*flowtest.Env
	store       *hookStore
	consents    *authorize.Service
	collections *collect.Service
	log         *bytes.Buffer
}

// nodes starts n nodes on one new database.
func nodes(t testing.TB, database string, n int) []*node {
	t.Helper()
	b := flowtest.New(t, database)
	all := make([]*node, n)
	for i := range all {
		all[i] = nodeOn(b.Node())
	}
	return all
}

func nodeOn(env *flowtest.Env) *node {
	n := &node{Env: env, store: &hookStore{Store: env.Store}, log: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(n.log, nil))
	runner := jobs.New(n.store, env.Clock, log)
	n.consents = authorize.New(authorize.Deps{Store: n.store, Vault: env.Vault, Institutions: institution.Set{},
		Jobs: runner, Clock: env.Clock, IDs: env.IDs, Log: log})
	n.collections = collect.New(collect.Deps{Store: n.store, Vault: env.Vault, Consents: n.consents, Institutions: institution.Set{},
		Jobs: runner, Clock: env.Clock, IDs: env.IDs, Log: log, KeepData: 24 * time.Hour, Workers: 1})
	n.Service = users.New(users.Deps{Store: n.store, Vault: env.Vault, Flows: []users.Flow{n.consents, n.collections},
		Tokens: tokens{start.Add(time.Hour)}, Clock: env.Clock, IDs: env.IDs})
	return n
}

func newNode(t testing.TB) *node {
	t.Helper()
	return nodes(t, t.TempDir(), 1)[0]
}

// onBoth runs a test on both engines: PostgreSQL has several writers at once where
// SQLite has one.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { test(t, flowtest.Postgres(t)) })
}

func (n *node) create(clientID, externalID string) user.User {
	n.Helper()
	u, err := n.Create(n.Context(), clientID, externalID, nil)
	if err != nil {
		n.Fatal(err)
	}
	return u
}

func second[T any](_ T, err error) error { return err }

func TestUsers_AreVisibleToTheirClientOnly(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	if u.ClientID != "a" || u.ExternalID != "customer-4711" || !u.CreatedAt.Equal(start) || !u.UpdatedAt.Equal(start) || u.Anonymized() {
		t.Errorf("%+v", u)
	}
	if same := n.create("b", "customer-4711"); same.ID == u.ID {
		t.Error("two clients share a user")
	}
	if got, err := n.ByID(t.Context(), "a", u.ID); err != nil || got != u {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := n.ByExternalID(t.Context(), "a", "customer-4711"); err != nil || got != u {
		t.Errorf("%+v, %v", got, err)
	}
	for name, err := range map[string]error{
		"by id":          second(n.ByID(t.Context(), "b", u.ID)),
		"by external id": second(n.ByExternalID(t.Context(), "c", "customer-4711")),
		"session":        second(n.CreateSession(t.Context(), "b", u.ID, nil)),
		"erase":          n.Erase(t.Context(), "b", u.ID),
		"not an id":      second(n.ByID(t.Context(), "a", "'; --")),
	} {
		if fault.CodeOf(err) != fault.UserNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreate_ReturnsExistingUserOfExternalID(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	_, err := n.Create(t.Context(), "a", "customer-4711", nil)
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != fault.UserExists || f.UserID != u.ID {
		t.Errorf("got %v", err)
	}
}

func TestExternalID_IsValidated(t *testing.T) {
	n := newNode(t)
	for _, c := range []struct {
		id   string
		code fault.FieldCode
	}{
		{"", fault.Required}, {strings.Repeat("å", 256), fault.TooLong}, {"a\nb", fault.Invalid}, {"\xff", fault.Invalid},
	} {
		for pointer, err := range map[string]error{
			"/externalId": second(n.Create(t.Context(), "a", c.id, nil)),
			"?externalId": second(n.ByExternalID(t.Context(), "a", c.id)),
		} {
			var f *fault.Fault
			if !errors.As(err, &f) || f.Code != fault.InvalidParameter || f.Fields[0].Pointer != pointer || f.Fields[0].Code != c.code {
				t.Errorf("%q at %s: %v", c.id, pointer, err)
			}
		}
	}
	n.create("a", strings.Repeat("å", 255))
}

func TestCreate_StoresNothingWithoutItsResponse(t *testing.T) {
	n := newNode(t)
	failed := errors.New("the answer failed")
	for want, answer := range map[error]idempotency.Answer[user.User]{
		failed:            func(context.Context, user.User) (*idempotency.Record, error) { return nil, failed },
		store.ErrConflict: func(context.Context, user.User) (*idempotency.Record, error) { return &idempotency.Record{}, nil },
	} {
		_, err := n.Create(t.Context(), "a", "customer-4711", answer)
		if !errors.Is(err, want) || fault.CodeOf(err) != fault.Internal {
			t.Errorf("got %v, want %v", err, want)
		}
		if err := second(n.ByExternalID(t.Context(), "a", "customer-4711")); fault.CodeOf(err) != fault.UserNotFound {
			t.Errorf("the user is there: %v", err)
		}
	}
}

func TestCreate_PreparesAnswerBeforeTransaction(t *testing.T) {
	n := newNode(t)
	detector := &flowtest.WriteDetector{Store: n.Store}
	n.Service.Store = detector
	r := idempotency.Record{ClientID: "a", Key: "key", StartedAt: start, ExpiresAt: start.Add(time.Hour)}
	n.Write(func(tx store.Tx) error { return second(tx.ClaimIdempotencyKey(t.Context(), r)) })
	u, err := n.Create(t.Context(), "a", "customer-4711", func(_ context.Context, u user.User) (*idempotency.Record, error) {
		if detector.InWrite() {
			t.Error("the answer is prepared inside the transaction")
		}
		r.Done, r.UserID = true, u.ID
		return &r, nil
	})
	if err != nil || r.UserID != u.ID {
		t.Errorf("answered with %q, %v", r.UserID, err)
	}
	n.Write(func(tx store.Tx) error {
		if found, err := tx.ClaimIdempotencyKey(t.Context(), r); !errors.Is(err, store.ErrExists) || !found.Done || found.UserID != u.ID {
			t.Errorf("the response is not stored: %+v, %v", found, err)
		}
		return nil
	})
}

func TestCreateSession_IssuesToken(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	s, err := n.CreateSession(t.Context(), "a", u.ID, nil)
	want := users.Session{Token: "token of " + u.ID, ExpiresAt: start.Add(time.Hour), UserID: u.ID}
	if err != nil || s != want {
		t.Errorf("%+v, %v", s, err)
	}
}

// responseAfter prepares the response to a session and then calls before, ahead of
// the transaction.
func (n *node) responseAfter(r idempotency.Record, before func()) idempotency.Answer[users.Session] {
	return func(_ context.Context, s users.Session) (*idempotency.Record, error) {
		r.Done, r.UserID = true, s.UserID
		before()
		return &r, nil
	}
}

func TestCreateSession_StoresResponse(t *testing.T) {
	n := newNode(t)
	u := n.create("a", "customer-4711")
	r := idempotency.Record{ClientID: "a", Key: "key", StartedAt: start, ExpiresAt: start.Add(time.Hour)}
	n.Write(func(tx store.Tx) error { return second(tx.ClaimIdempotencyKey(t.Context(), r)) })
	if _, err := n.CreateSession(t.Context(), "a", u.ID, n.responseAfter(r, func() {})); err != nil {
		t.Fatal(err)
	}
	n.Write(func(tx store.Tx) error {
		if found, err := tx.ClaimIdempotencyKey(t.Context(), r); !errors.Is(err, store.ErrExists) || !found.Done || found.UserID != u.ID {
			t.Errorf("the response is not stored: %+v, %v", found, err)
		}
		return nil
	})
}
