package views_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/authn"
	"samla/internal/availability"
	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/console"
	"samla/internal/console/views"
	"samla/internal/deviation"
	"samla/internal/flow"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/operator"
	"samla/internal/quota"
	"samla/internal/store"
	"samla/internal/testpg"
	"samla/internal/user"
	"samla/internal/uuid7"
	"samla/internal/webhook"
	"samla/internal/webhooks"
)

// noon is when the tests look at the console.
var noon = time.Date(2026, 11, 26, 13, 2, 11, 0, time.UTC)

// figures are given figures of institutions.
type figures map[string][]availability.Hour

func (f figures) Measured(id string) []availability.Hour { return f[id] }

// env is a console over a store, with two tenants.
type env struct {
	*testing.T
	clk      *clock.Manual
	ids      *uuid7.Generator
	db       store.Store
	hooks    *webhooks.Service
	health   *company.Health
	figures  figures
	forgiven *deviation.Register
	handler  http.Handler
	role     operator.Role
	one, two client.Client
	n        int
}

// onStores runs a test over both stores.
func onStores(t *testing.T, test func(e *env)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		flowtest.Prepare(t, dir)
		test(newEnv(t, dir))
	})
	t.Run("postgres", func(t *testing.T) { test(newEnv(t, testpg.URL(t))) })
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newEnv(t *testing.T, dsn string) *env {
	t.Helper()
	base := flowtest.New(t, dsn)
	base.Clock.Set(noon)
	e := &env{T: t, clk: base.Clock, ids: base.IDs, db: base.Store, health: &company.Health{}, figures: figures{}, forgiven: &deviation.Register{}, role: operator.Admin}
	keys := must(authn.New(t.Context(), authn.Config{Store: e.db, Vault: base.Vault, Clock: e.clk, Issuer: "samla", Audience: "samla"}))(t)
	e.hooks = webhooks.New(webhooks.Deps{Store: e.db, Vault: base.Vault, Clock: e.clk, IDs: e.ids, Random: rand.Reader, Targets: webhook.LoopbackTargets})
	e.handler = console.New(console.Deps{Log: slog.New(slog.NewTextHandler(testLog{t}, nil)), Env: "test", URL: func() string { return "http://localhost:8081" }, Hook: func(*http.Request) (operator.Operator, bool) {
		return operator.Operator{ID: "019ab0f0-0000-7000-8000-000000000001", Name: "maria.ek", Role: e.role}, e.role != ""
	}, Views: views.List(views.Deps{Store: e.db, Institutions: institutions(), Health: e.health, Uptime: e.figures, Deviations: e.forgiven, Webhooks: e.hooks, Keys: keys, Clock: e.clk, IDs: e.ids})})
	e.one, e.two = e.client("Pärmen"), e.client("Demokollen")
	return e
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Errorf("log: %s", b)
	return len(b), nil
}

func institutions() institution.Set {
	set := institution.Set{}
	for i, name := range []string{"Tallbanken", "Alvbanken", "Strandskatan Försäkring", "Demobanken", "Fyrbanken", "Lyktan Lån", "Björkbanken", "Havslinjen Fond"} {
		id := "se-" + strings.ToLower(strings.NewReplacer(" ", "-", "ö", "o", "å", "a").Replace(name))
		set[id] = institution.Institution{Company: company.Company{ID: id, DisplayName: name, PSD2: i%3 != 2, LoginMethods: []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE"}}, Family: "berlinGroup",
			Certificates: []institution.Certificate{{Use: "QWAC", Until: noon.Add(time.Duration(23+60*i) * 24 * time.Hour)}}}
	}
	return set
}

// get asks for a page and checks its status.
func (e *env) get(path string, want int) string {
	e.Helper()
	return e.do(httptest.NewRequest(http.MethodGet, "http://localhost:8081"+path, nil), want)
}

func (e *env) post(path string, form url.Values, want int) string {
	e.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost:8081"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return e.do(r, want)
}

func (e *env) do(r *http.Request, want int) string {
	e.Helper()
	w := httptest.NewRecorder()
	e.handler.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	if w.Code != want {
		e.Fatalf("%s %s: %d, not %d\n%s", r.Method, r.URL, w.Code, want, body)
	}
	return string(body)
}

func (e *env) has(page string, texts ...string) {
	e.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			e.Errorf("no %q in\n%s", text, clip(page))
		}
	}
}

func (e *env) hasNot(page string, texts ...string) {
	e.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			e.Errorf("%q in\n%s", text, clip(page))
		}
	}
}

// clip leaves what is inside of main.
func clip(page string) string {
	if i := strings.Index(page, "<main"); i >= 0 {
		page = page[i:]
	}
	return page[:min(len(page), 6000)]
}

func (e *env) write(fn func(tx store.Tx) error) {
	e.Helper()
	if err := e.db.Write(e.Context(), fn); err != nil {
		e.Fatal(err)
	}
}

func (e *env) client(name string) client.Client {
	c := client.Client{ID: e.id(noon.Add(-90 * 24 * time.Hour)), Name: name, CreatedAt: noon.Add(-90 * 24 * time.Hour)}
	e.write(func(tx store.Tx) error { return tx.AddClient(e.Context(), c) })
	return c
}

// id returns an id of a time.
func (e *env) id(at time.Time) string {
	e.n++
	hex := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", hex[:8], hex[8:], e.n)
}

func (e *env) user(c client.Client) user.User {
	id := e.id(noon)
	u := user.User{ID: id, ClientID: c.ID, ExternalID: "secret-" + id, CreatedAt: noon, UpdatedAt: noon}
	e.write(func(tx store.Tx) error { return tx.AddUser(e.Context(), u) })
	return u
}

func (e *env) consent(u user.User, at time.Time, change func(*consent.Consent)) consent.Consent {
	c := consent.Consent{ID: consent.ID(e.id(at)), ClientID: u.ClientID, UserID: u.ID, Company: "se-demobanken", Status: consent.Authorized, Step: consent.StepKeep, Requested: consent.Scope{Balances: true},
		Granted: &consent.Scope{AccountIDs: []string{"SE4550000000058398257466"}}, CreatedAt: at, StatusChangedAt: at.Add(time.Minute), ExpiresAt: at.Add(180 * 24 * time.Hour), Sealed: []byte("sealed"), Rev: 1}
	if change != nil {
		change(&c)
	}
	e.write(func(tx store.Tx) error {
		if err := tx.AddConsent(e.Context(), c); err != nil {
			return err
		}
		if entry, ok := audit.OfConsent(e.ids, c, c.StatusChangedAt); ok {
			return tx.AddAuditEntry(e.Context(), entry)
		}
		return nil
	})
	return c
}

func (e *env) collection(u user.User, at time.Time, company string, s collection.Status) collection.Collection {
	k := collection.Collection{ID: e.id(at), ClientID: u.ClientID, UserID: u.ID, ConsentID: consent.ID(e.id(at)), Company: company, Version: "2026-04-01", Mode: collection.Stored, Attended: true,
		Filter: []string{"SE4550000000058398257466"}, Status: s, CreatedAt: at, StatusChangedAt: at.Add(30 * time.Second), Sealed: []byte("sealed"), Rev: 1}
	begun := k
	begun.Status = collection.Running
	e.write(func(tx store.Tx) error {
		if err := tx.AddCollection(e.Context(), k); err != nil {
			return err
		}
		if err := tx.AddAuditEntry(e.Context(), audit.OfCollection(e.ids, begun, at)); err != nil || !s.Terminal() {
			return err
		}
		return tx.AddAuditEntry(e.Context(), audit.OfCollection(e.ids, k, k.StatusChangedAt))
	})
	return k
}

// journey adds a link; state "" leaves it unopened.
func (e *env) journey(u user.User, at time.Time, company string, state flow.State, change func(*flow.Flow)) flow.Link {
	terms := flow.Terms{Balances: true, Transactions: true, ValidDays: 180, Purpose: "see it all", Language: "sv"}
	l := flow.Link{ID: e.id(at), ClientID: u.ClientID, UserID: u.ID, Hash: e.id(at), Terms: terms, CreatedAt: at, ExpiresAt: at.Add(15 * time.Minute), Sealed: []byte("sealed")}
	if state != "" {
		l.OpenedAt, l.FlowID = at.Add(15*time.Second), e.id(at)
	}
	e.write(func(tx store.Tx) error {
		if err := tx.AddConnectLink(e.Context(), l); err != nil || state == "" {
			return err
		}
		f := flow.Flow{ID: l.FlowID, LinkID: l.ID, ClientID: u.ClientID, UserID: u.ID, Key: "key", Terms: terms, State: state, Company: company, Method: "BANKID", CreatedAt: l.OpenedAt,
			StateAt: at.Add(2 * time.Minute), SeenAt: at.Add(2 * time.Minute), Sealed: []byte("sealed"), Rev: 1}
		if change != nil {
			change(&f)
		}
		return tx.AddConnectFlow(e.Context(), f)
	})
	return l
}

func (e *env) endpoint(c client.Client) webhook.Endpoint {
	e.Helper()
	return must(e.hooks.Create(e.Context(), c.ID, "http://127.0.0.1:9/secret-path", nil, nil))(e).Endpoint
}

func (e *env) schedule(u user.User, state quota.PlanState, reason quota.Reason) quota.Schedule {
	s := quota.Schedule{Lineage: consent.ID(e.id(noon)), ClientID: u.ClientID, UserID: u.ID, Company: "se-fyrbanken", PerDay: 4, State: state, Reason: reason, Failures: 7, DueAt: noon.Add(time.Hour), ReadAt: noon.Add(-time.Hour),
		Recent: []time.Time{noon.Add(-30 * time.Hour), noon.Add(-time.Hour)}, Rev: 1, WakeAt: noon.Add(time.Hour)}
	e.write(func(tx store.Tx) error { return tx.AddSchedule(e.Context(), s) })
	return s
}

// park parks a consent of a user.
func (e *env) park(u user.User) string {
	c := e.consent(u, noon.Add(-time.Hour), func(c *consent.Consent) { c.WakeAt = noon.Add(-time.Minute) })
	jobs := must(e.db.Claim(e.Context(), store.Consents, noon, time.Minute, store.ClaimLimit{Rows: 1}))(e)
	if err := e.db.ParkJob(e.Context(), store.Consents, jobs[0], noon, "the row cannot be read"); err != nil {
		e.Fatal(err)
	}
	return string(c.ID)
}

func (e *env) commands() (all []string) {
	for _, entry := range must(e.db.UnchainedEntries(e.Context(), 10_000))(e) {
		if entry.Kind == string(audit.OperatorCommand) {
			all = append(all, string(entry.Detail))
		}
	}
	return all
}
