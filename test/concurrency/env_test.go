package concurrency

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/accounts"
	"samla/internal/authorize"
	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/consent"
	"samla/internal/delivery"
	"samla/internal/dialogue"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	"samla/internal/psu"
	"samla/internal/seal/keyset"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/user"
	"samla/internal/users"
	"samla/internal/uuid7"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// waitFor is how long a test waits for what must happen soon.
const waitFor = time.Minute

// node is one node: its services, its job runner and, on PostgreSQL, its store.
type node struct {
	store       store.Store
	vault       *keyset.Vault
	users       *users.Service
	consents    *authorize.Service
	collections *collect.Service
}

// env is a number of nodes on one database, with one client and one bank.
type env struct {
	*testing.T
	nodes    []*node
	client   client.Client
	bank     *bank
	source   *source
	ids      *uuid7.Generator
	database string
}

// onStores runs a test with n nodes on each store.
func onStores(t *testing.T, n int, test func(e *env)) {
	onStoresWith(t, n, dialogue.Limits{}, test)
}

// onStoresWith is onStores with limits of logins.
func onStoresWith(t *testing.T, n int, limits dialogue.Limits, test func(e *env)) {
	t.Run("sqlite", func(t *testing.T) {
		s := openStore(t, sqlstore.Config{DSN: t.TempDir(), Exclusive: true})
		stores := make([]store.Store, n) // nodes in one process share the store
		for i := range stores {
			stores[i] = s
		}
		test(newEnv(t, "", stores, limits))
	})
	t.Run("postgres", func(t *testing.T) { test(onPostgres(t, n, limits)) })
}

// onPostgres returns an env with n nodes on PostgreSQL.
func onPostgres(t *testing.T, n int, limits dialogue.Limits) *env {
	t.Helper()
	database := flowtest.Postgres(t)
	stores := make([]store.Store, n)
	for i := range stores {
		stores[i] = openStore(t, sqlstore.Config{DSN: database})
	}
	return newEnv(t, database, stores, limits)
}

func openStore(t *testing.T, c sqlstore.Config) store.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newEnv(t *testing.T, database string, stores []store.Store, limits dialogue.Limits) *env {
	t.Helper()
	e := &env{T: t, bank: newBank(), source: newSource(), ids: uuid7.NewGenerator(clock.System(), nil), database: database}
	e.client = client.Client{ID: e.ids.New(), Name: "acme", CreatedAt: e.now()}
	e.write(stores[0], func(tx store.Tx) error { return tx.AddClient(t.Context(), e.client) })
	master, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stores {
		e.nodes = append(e.nodes, e.start(s, master, limits))
	}
	return e
}

// start starts the services of a node and stops them at the end of the test.
func (e *env) start(s store.Store, master *keyset.Master, limits dialogue.Limits) *node {
	e.Helper()
	log := slog.New(slog.DiscardHandler)
	vault, err := keyset.New(master, s, clock.System())
	if err != nil {
		e.Fatal(err)
	}
	institutions := institution.Set{bankID: e.bank.institution(), sourceID: e.source.institution()}
	runner := jobs.New(s, clock.System(), log)
	n := &node{store: s, vault: vault}
	n.consents = authorize.New(authorize.Deps{Store: s, Vault: vault, Institutions: institutions, Jobs: runner, Clock: clock.System(), IDs: e.ids, Log: log})
	n.collections = collect.New(collect.Deps{Store: s, Vault: vault, Consents: n.consents, Institutions: institutions, Jobs: runner,
		Clock: clock.System(), IDs: e.ids, Log: log, KeepData: time.Hour, Workers: 16,
		Logins: collect.LoginLimits{Dialogue: limits}})
	n.users = users.New(users.Deps{Store: s, Vault: vault, Flows: []users.Flow{n.consents, n.collections}, Clock: clock.System(), IDs: e.ids})
	messages, err := delivery.Queue(s, map[outbox.Kind]delivery.Handler{
		outbox.RevokeConsent: n.consents.Deliver, outbox.EraseUser: n.users.ContinueErasure, outbox.EndLogin: n.collections.DeliverEnding,
		outbox.MakeArchive:     func(context.Context, outbox.Message) error { return errors.New("no test asks for an archive") },
		outbox.ApplyCollection: accounts.New(accounts.Deps{Store: s, Vault: vault, Clock: clock.System(), IDs: e.ids, Log: log}).Apply})
	if err != nil {
		e.Fatal(err)
	}
	runner.Register(messages)
	runner.Start(e.Context())
	n.consents.Start()
	n.collections.StartLogins()
	e.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), waitFor)
		defer cancel()
		if err := errors.Join(runner.Stop(ctx), n.consents.Stop(ctx), n.collections.StopLogins(ctx)); err != nil {
			e.Error(err)
		}
	})
	return n
}

// node returns the node for the i-th caller.
func (e *env) node(i int) *node { return e.nodes[i%len(e.nodes)] }

func (e *env) now() time.Time { return clock.System().Now() }

func (e *env) write(s store.Store, fn func(store.Tx) error) {
	e.Helper()
	if err := s.Write(e.Context(), fn); err != nil {
		e.Fatal(err)
	}
}

// await waits until done returns true.
func (e *env) await(what string, done func() bool) {
	e.Helper()
	for deadline := e.now().Add(waitFor); !done(); {
		if e.now().After(deadline) {
			e.Fatalf("waited for %s in vain", what)
		}
		if err := clock.Sleep(e.Context(), clock.System(), 10*time.Millisecond); err != nil {
			e.Fatal(err)
		}
	}
}

// newUser creates a user.
func (e *env) newUser() user.User {
	e.Helper()
	u, err := e.node(0).users.Create(e.Context(), e.client.ID, "customer-"+e.ids.New(), nil)
	if err != nil {
		e.Fatal(err)
	}
	return u
}

// consentRequest asks for a consent of a user.
func (e *env) consentRequest(u user.User) authorize.Request {
	return authorize.Request{ClientID: e.client.ID, UserID: u.ID, Company: bankID, LoginMethod: "SWEDISH_MOBILE_BANKID_SAME_DEVICE",
		Scope: consent.Scope{Balances: true}, PSU: psu.Context{IPAddress: "192.0.2.7", UserAgent: "test/1", Locale: "sv-SE"}}
}

// collectionRequest asks for a collection under a consent of a user.
func (e *env) collectionRequest(u user.User, id consent.ID) collect.Request {
	return collect.Request{Owner: collect.Owner{ClientID: e.client.ID, UserID: u.ID}, Company: bankID, ConsentID: id,
		PSU: psu.Context{IPAddress: "192.0.2.7", UserAgent: "test/1"}}
}

// oneTimeRequest asks for a collection with a consent of its own.
func (e *env) oneTimeRequest(u user.User) collect.Request {
	ask := e.consentRequest(u)
	return collect.Request{Owner: collect.Owner{ClientID: e.client.ID, UserID: u.ID}, Company: bankID, OneTime: &ask}
}

// authorized creates a consent of each user and waits until all are authorized.
func (e *env) authorized(people ...user.User) []consent.Consent {
	e.Helper()
	all := make([]consent.Consent, len(people))
	for i, u := range people {
		var err error
		if all[i], err = e.node(i).consents.Create(e.Context(), e.consentRequest(u), nil); err != nil {
			e.Fatal(err)
		}
	}
	for i, c := range all {
		e.await("an authorization", func() bool {
			var err error
			if all[i], err = e.node(0).store.Consent(e.Context(), c.ID); err != nil {
				e.Fatal(err)
			}
			return !all[i].Status.Pending()
		})
		if all[i].Status != consent.Authorized {
			e.Fatal(all[i].Status)
		}
	}
	return all
}
