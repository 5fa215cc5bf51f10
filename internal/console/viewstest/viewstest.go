// Package viewstest has a console over a store for tests: two tenants, institutions, and what
// an operator finds on a busy day.
package viewstest

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
	"samla/internal/auditing"
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

// Noon is when the tests look at the console.
var Noon = time.Date(2026, 11, 26, 13, 2, 11, 0, time.UTC)

// figures are given figures of institutions.
type figures map[string][]availability.Hour

func (f figures) Measured(id string) []availability.Hour { return f[id] }

// Env is a console over a store, with two tenants.
type Env struct {
	*testing.T
	Clock    *clock.Manual
	IDs      *uuid7.Generator
	DB       store.Store
	Hooks    *webhooks.Service
	Audit    *auditing.Service
	Health   *company.Health
	Figures  figures
	Handler  http.Handler
	Role     operator.Role
	One, Two client.Client
	// URL is the address of the console.
	URL string
	n   int
}

// OnStores runs a test over both stores.
func OnStores(t *testing.T, test func(e *Env)) {
	t.Run("sqlite", func(t *testing.T) {
		dir := t.TempDir()
		flowtest.Prepare(t, dir)
		test(New(t, dir))
	})
	t.Run("postgres", func(t *testing.T) { test(New(t, testpg.URL(t))) })
}

// Must returns a value, or fails the test for its error.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// New returns the console over the store of a DSN, with two clients.
func New(t *testing.T, dsn string) *Env {
	t.Helper()
	base := flowtest.New(t, dsn)
	base.Clock.Set(Noon)
	e := &Env{T: t, Clock: base.Clock, IDs: base.IDs, DB: base.Store, Health: &company.Health{}, Figures: figures{}, Role: operator.Admin, URL: "http://localhost:8081"}
	keys := Must(authn.New(t.Context(), authn.Config{Store: e.DB, Vault: base.Vault, Clock: e.Clock, Issuer: "samla", Audience: "samla"}))(t)
	e.Hooks = webhooks.New(webhooks.Deps{Store: e.DB, Vault: base.Vault, Clock: e.Clock, IDs: e.IDs, Random: rand.Reader, Targets: webhook.LoopbackTargets})
	e.Audit = auditing.New(auditing.Deps{Store: e.DB, Vault: base.Vault, Clock: e.Clock})
	e.Handler = console.New(console.Deps{Log: slog.New(slog.NewTextHandler(testLog{t}, nil)), Env: "test", URL: func() string { return e.URL }, Hook: func(*http.Request) (operator.Operator, bool) {
		return operator.Operator{ID: "019ab0f0-0000-7000-8000-000000000001", Name: "maria.ek", Role: e.Role}, e.Role != ""
	}, Views: views.List(views.Deps{Store: e.DB, Institutions: Institutions(), Health: e.Health, Audit: e.Audit, Uptime: e.Figures, Webhooks: e.Hooks, Keys: keys, Clock: e.Clock, IDs: e.IDs})})
	e.One, e.Two = e.client("Pärmen"), e.client("Demokollen")
	return e
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Errorf("log: %s", b)
	return len(b), nil
}

// Institutions are those of an Env.
func Institutions() institution.Set {
	set := institution.Set{}
	for i, name := range []string{"Tallbanken", "Alvbanken", "Strandskatan Försäkring", "Demobanken", "Fyrbanken", "Lyktan Lån", "Björkbanken", "Havslinjen Fond"} {
		id := "se-" + strings.ToLower(strings.NewReplacer(" ", "-", "ö", "o", "å", "a").Replace(name))
		set[id] = institution.Institution{Company: company.Company{ID: id, DisplayName: name, PSD2: i%3 != 2, LoginMethods: []string{"SWEDISH_MOBILE_BANKID_OTHER_DEVICE"}}, Family: "berlinGroup",
			Certificates: []institution.Certificate{{Use: "QWAC", Until: Noon.Add(time.Duration(23+60*i) * 24 * time.Hour)}}}
	}
	return set
}

// Get asks for a page and checks its status.
func (e *Env) Get(path string, want int) string {
	e.Helper()
	return e.Do(httptest.NewRequest(http.MethodGet, e.URL+path, nil), want)
}

// Post sends a form of the console's own pages and checks the status.
func (e *Env) Post(path string, form url.Values, want int) string {
	e.Helper()
	r := httptest.NewRequest(http.MethodPost, e.URL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return e.Do(r, want)
}

// Do sends a request and checks the status.
func (e *Env) Do(r *http.Request, want int) string {
	e.Helper()
	w := httptest.NewRecorder()
	e.Handler.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	if w.Code != want {
		e.Fatalf("%s %s: %d, not %d\n%s", r.Method, r.URL, w.Code, want, body)
	}
	return string(body)
}

// Has fails for each text that a page does not have.
func (e *Env) Has(page string, texts ...string) {
	e.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			e.Errorf("no %q in\n%s", text, clip(page))
		}
	}
}

// HasNot fails for each text that a page has.
func (e *Env) HasNot(page string, texts ...string) {
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

func (e *Env) Write(fn func(tx store.Tx) error) {
	e.Helper()
	if err := e.DB.Write(e.Context(), fn); err != nil {
		e.Fatal(err)
	}
}

func (e *Env) client(name string) client.Client {
	c := client.Client{ID: e.ID(Noon.Add(-90 * 24 * time.Hour)), Name: name, CreatedAt: Noon.Add(-90 * 24 * time.Hour)}
	e.Write(func(tx store.Tx) error { return tx.AddClient(e.Context(), c) })
	return c
}

// ID returns an id of a time.
func (e *Env) ID(at time.Time) string {
	e.n++
	hex := fmt.Sprintf("%012x", at.UnixMilli())
	return fmt.Sprintf("%s-%s-7000-8000-%012x", hex[:8], hex[8:], e.n)
}

// User adds a user of a client.
func (e *Env) User(c client.Client) user.User {
	id := e.ID(Noon)
	u := user.User{ID: id, ClientID: c.ID, ExternalID: "secret-" + id, CreatedAt: Noon, UpdatedAt: Noon}
	e.Write(func(tx store.Tx) error { return tx.AddUser(e.Context(), u) })
	return u
}

// Consent adds an authorized permission of a user that was begun at the time at, and its entry in the audit log.
func (e *Env) Consent(u user.User, at time.Time, change func(*consent.Consent)) consent.Consent {
	c := consent.Consent{ID: consent.ID(e.ID(at)), ClientID: u.ClientID, UserID: u.ID, Company: "se-demobanken", Status: consent.Authorized, Step: consent.StepKeep, Requested: consent.Scope{Balances: true},
		Granted: &consent.Scope{AccountIDs: []string{"SE4550000000058398257466"}}, CreatedAt: at, StatusChangedAt: at.Add(time.Minute), ExpiresAt: at.Add(180 * 24 * time.Hour), Sealed: []byte("sealed"), Rev: 1}
	if change != nil {
		change(&c)
	}
	e.Write(func(tx store.Tx) error {
		if err := tx.AddConsent(e.Context(), c); err != nil {
			return err
		}
		if entry, ok := audit.OfConsent(e.IDs, c, c.StatusChangedAt); ok {
			return tx.AddAuditEntry(e.Context(), entry)
		}
		return nil
	})
	return c
}

// Collection adds a collection of a user, and its entries in the audit log.
func (e *Env) Collection(u user.User, at time.Time, company string, s collection.Status) collection.Collection {
	k := collection.Collection{ID: e.ID(at), ClientID: u.ClientID, UserID: u.ID, ConsentID: consent.ID(e.ID(at)), Company: company, Version: "2026-04-01", Mode: collection.Stored, Attended: true,
		Filter: []string{"SE4550000000058398257466"}, Status: s, CreatedAt: at, StatusChangedAt: at.Add(30 * time.Second), Sealed: []byte("sealed"), Rev: 1}
	begun := k
	begun.Status = collection.Running
	e.Write(func(tx store.Tx) error {
		if err := tx.AddCollection(e.Context(), k); err != nil {
			return err
		}
		if err := tx.AddAuditEntry(e.Context(), audit.OfCollection(e.IDs, begun, at)); err != nil || !s.Terminal() {
			return err
		}
		return tx.AddAuditEntry(e.Context(), audit.OfCollection(e.IDs, k, k.StatusChangedAt))
	})
	return k
}

// Journey adds a link; state "" leaves it unopened.
func (e *Env) Journey(u user.User, at time.Time, company string, state flow.State, change func(*flow.Flow)) flow.Link {
	terms := flow.Terms{Balances: true, Transactions: true, ValidDays: 180, Purpose: "see it all", Language: "sv"}
	l := flow.Link{ID: e.ID(at), ClientID: u.ClientID, UserID: u.ID, Hash: e.ID(at), Terms: terms, CreatedAt: at, ExpiresAt: at.Add(15 * time.Minute), Sealed: []byte("sealed")}
	if state != "" {
		l.OpenedAt, l.FlowID = at.Add(15*time.Second), e.ID(at)
	}
	e.Write(func(tx store.Tx) error {
		if err := tx.AddConnectLink(e.Context(), l); err != nil || state == "" {
			return err
		}
		f := flow.Flow{ID: l.FlowID, LinkID: l.ID, ClientID: u.ClientID, UserID: u.ID, Key: "key", Terms: terms, State: state, Company: company, Method: "BANKID", CreatedAt: l.OpenedAt,
			StateAt: at.Add(72 * time.Second), SeenAt: at.Add(2 * time.Minute), Sealed: []byte("sealed"), Rev: 1}
		if change != nil {
			change(&f)
		}
		return tx.AddConnectFlow(e.Context(), f)
	})
	return l
}

// Endpoint adds an endpoint of webhooks.
func (e *Env) Endpoint(c client.Client) webhook.Endpoint {
	e.Helper()
	return Must(e.Hooks.Create(e.Context(), c.ID, "http://127.0.0.1:9/secret-path", nil, nil))(e).Endpoint
}

// Schedule adds a refresh plan of a user.
func (e *Env) Schedule(u user.User, state quota.PlanState, reason quota.Reason) quota.Schedule {
	s := quota.Schedule{Lineage: consent.ID(e.ID(Noon)), ClientID: u.ClientID, UserID: u.ID, Company: "se-fyrbanken", PerDay: 4, State: state, Reason: reason, Failures: 7, DueAt: Noon.Add(time.Hour), ReadAt: Noon.Add(-time.Hour),
		Recent: []time.Time{Noon.Add(-30 * time.Hour), Noon.Add(-time.Hour)}, Rev: 1, WakeAt: Noon.Add(time.Hour)}
	e.Write(func(tx store.Tx) error { return tx.AddSchedule(e.Context(), s) })
	return s
}

// Park parks a consent of a user.
func (e *Env) Park(u user.User) string {
	c := e.Consent(u, Noon.Add(-time.Hour), func(c *consent.Consent) { c.WakeAt = Noon.Add(-time.Minute) })
	jobs := Must(e.DB.Claim(e.Context(), store.Consents, Noon, time.Minute, store.ClaimLimit{Rows: 1}))(e)
	if err := e.DB.ParkJob(e.Context(), store.Consents, jobs[0], Noon, "the row cannot be read"); err != nil {
		e.Fatal(err)
	}
	return string(c.ID)
}

// Commands are the commands of operators in the audit log.
func (e *Env) Commands() (all []string) {
	for _, entry := range Must(e.DB.UnchainedEntries(e.Context(), 10_000))(e) {
		if entry.Kind == string(audit.OperatorCommand) {
			all = append(all, string(entry.Detail))
		}
	}
	return all
}

// Busy fills a console: Tallbanken is down, the others are well.
func Busy(e *Env) (journeys []flow.Link, parked string, hook webhook.Endpoint) {
	for i := range 12 {
		u := e.User(e.One)
		e.Collection(u, Noon.Add(time.Duration(-60-10*i)*time.Minute), "se-tallbanken", collection.Completed)
		e.Collection(u, Noon.Add(time.Duration(-90-i)*time.Minute), "se-demobanken", collection.Completed)
	}
	for i := range 7 {
		u := e.User(e.Two)
		at := Noon.Add(time.Duration(-20+i) * time.Minute)
		k := e.Collection(u, at.Add(40*time.Second), "se-tallbanken", collection.ThirdPartyError)
		journeys = append(journeys, e.Journey(u, at, "se-tallbanken", flow.Failed, func(f *flow.Flow) { f.Signed, f.CollectionID, f.Failure = true, k.ID, string(k.Status) }))
	}
	u := e.User(e.One)
	e.Collection(u, Noon.Add(-time.Hour), "se-demobanken", collection.AuthenticationCancelled)
	journeys = append(journeys, e.Journey(u, Noon.Add(-2*time.Minute), "", "", nil), e.Journey(u, Noon.Add(-3*time.Minute), "se-demobanken", flow.QR, func(f *flow.Flow) { f.ConsentID = "x" }))
	done := e.Collection(u, Noon.Add(-time.Hour), "se-demobanken", collection.Completed)
	journeys = append(journeys, e.Journey(u, Noon.Add(-time.Hour), "se-demobanken", flow.Done, func(f *flow.Flow) { f.Signed, f.CollectionID = true, done.ID }))
	parked = e.Park(u)
	for range 3 {
		e.Consent(u, Noon.Add(-time.Hour), func(c *consent.Consent) { c.ExpiresAt = Noon.Add(48 * time.Hour) })
	}
	e.Schedule(u, quota.PausedFailing, quota.ReadFailed)
	e.Schedule(u, quota.Active, quota.QuotaUsed)
	hook = e.Endpoint(e.One)
	for i := range 4 {
		e.Write(func(tx store.Tx) error {
			status := 200
			if i == 2 {
				status = 503
			}
			return tx.RecordAttempt(e.Context(), webhook.Delivery{EndpointID: hook.ID, EventID: e.ID(Noon), Progress: webhook.Delivered},
				webhook.Attempt{ID: e.ID(Noon.Add(time.Duration(-i) * time.Minute)), EndpointID: hook.ID, EventID: e.ID(Noon), Number: 1, At: Noon.Add(time.Duration(-i) * time.Minute), Outcome: webhook.Outcome{Status: status, Took: 84 * time.Millisecond}})
		})
	}
	for i, id := range []string{"se-tallbanken", "se-demobanken"} {
		for n := 90 * 24; n >= 0; n-- {
			h := availability.Hour{Company: id, Start: availability.HourOf(Noon).Add(-time.Duration(n) * time.Hour), Persons: int64(20 + n%7), Failed: map[availability.Cause]int64{availability.ByPerson: int64(n % 4)}}
			for b, calls := range []int64{40, 55, 6, 3, 1} {
				h.Latency[12+n/5%3+2*b+i] = calls
			}
			if i == 0 && (n < 1 || n/24%37 == 30) {
				h.Failed[availability.ByInstitution] = h.Persons - 1
			}
			e.Figures[id] = append(e.Figures[id], h)
		}
	}
	hour := availability.HourOf(Noon)
	e.Write(func(tx store.Tx) error {
		return tx.AddDeviations(e.Context(), []deviation.Hour{{Company: "se-tallbanken", Kind: deviation.UnknownMember, Start: hour, N: 22}, {Company: "se-tallbanken", Kind: deviation.UnknownMember, Start: hour.Add(-30 * 24 * time.Hour), N: 1100},
			{Company: "se-tallbanken", Kind: deviation.UnknownMember, Start: hour.Add(-7 * time.Hour), N: 14}, {Company: "se-tallbanken", Kind: deviation.UnreadableRow, Start: hour.Add(-2 * time.Hour), N: 3}}, Noon)
	})
	e.Write(func(tx store.Tx) error {
		use := func(c client.Client, key, version string, named bool, n int64, at time.Time) client.Use {
			return client.Use{ClientID: c.ID, KeyID: key, Version: version, Named: named, Day: client.DayOf(at), Requests: n, LastAt: at}
		}
		key := client.Key{ID: e.ID(Noon.Add(-80 * 24 * time.Hour)), ClientID: e.One.ID, Name: "backend", Hash: client.HashOf("k1"), CreatedAt: Noon.Add(-80 * 24 * time.Hour)}
		idle := client.Key{ID: e.ID(Noon.Add(-79 * 24 * time.Hour)), ClientID: e.Two.ID, Name: "old backend", Hash: client.HashOf("k2"), CreatedAt: Noon.Add(-179 * 24 * time.Hour)}
		for _, k := range []client.Key{key, idle} {
			if err := tx.AddAPIKey(e.Context(), k); err != nil {
				return err
			}
		}
		return tx.AddUses(e.Context(), []client.Use{use(e.One, key.ID, "2026-04-01", true, 4211, Noon.Add(-time.Minute)), use(e.One, "", "2026-04-01", true, 90211, Noon), use(e.Two, idle.ID, "2025-01-01", false, 12, Noon.Add(-50*24*time.Hour)),
			use(e.Two, "", "2025-01-01", true, 512, Noon.Add(-24*time.Hour))}, Noon)
	})
	return journeys, parked, hook
}

// Redirect returns where an address leads to.
func (e *Env) Redirect(path string) string {
	e.Helper()
	w := httptest.NewRecorder()
	e.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, e.URL+path, nil))
	if w.Code != http.StatusSeeOther {
		e.Fatalf("%s: %d", path, w.Code)
	}
	return w.Header().Get("Location")
}
