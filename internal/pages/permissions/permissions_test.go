package permissions_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/auditing"
	"samla/internal/authorize"
	"samla/internal/client"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/outbox"
	pages "samla/internal/pages/permissions"
	"samla/internal/permissions"
	"samla/internal/persons"
	"samla/internal/psu"
	"samla/internal/refresh"
	"samla/internal/sandbox/bankid"
	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/user"
	"samla/internal/users"
	"samla/internal/words"

	"crypto/rand"
	"encoding/json"
)

// silent is an institution that nobody asks: the jobs do not run.
type silent struct {
	institution.Opener
	institution.Authorizer
	institution.Collector
	institution.Revoker
}

type tokens struct{}

func (tokens) IssueToken(context.Context, string, string) (string, time.Time, error) {
	return "token", time.Time{}, nil
}

// env is a server with the pages, the real services and the real store.
type env struct {
	*flowtest.Env
	service *permissions.Service
	people  *users.Service
	web     *httptest.Server
	asked   []string // of the API
	bankID  *bankid.Service
	persons *persons.Service
}

func newEnv(t *testing.T) *env {
	t.Helper()
	return newEnvOn(t, func(s store.Store) store.Store { return s })
}

// newEnvOn is newEnv whose store the services see through another one.
func newEnvOn(t *testing.T, seen func(store.Store) store.Store) *env {
	t.Helper()
	e := &env{Env: flowtest.New(t, t.TempDir())}
	e.Store = seen(e.Store)
	log := slog.New(slog.DiscardHandler)
	set := institution.Set{"se-bank": {Company: company.Company{ID: "se-bank", DisplayName: "Demobanken", PSD2: true}, Profile: institution.Profile{}.WithDefaults(),
		Opener: silent{}, Authorizer: silent{}, Collector: silent{}, Revoker: silent{}}}
	e.bankID, e.persons = bankid.New(e.Clock, rand.Reader), persons.New(persons.Deps{Store: e.Store, Vault: e.Vault, Random: rand.Reader})
	runner := jobs.New(e.Store, e.Clock, log)
	consents := authorize.New(authorize.Deps{Store: e.Store, Vault: e.Vault, Institutions: set, Jobs: runner, Clock: e.Clock, IDs: e.IDs, Log: log, Random: rand.Reader,
		PublicURL: func() string { return "" }})
	collections := collect.New(collect.Deps{Store: e.Store, Access: e.Store, Vault: e.Vault, Consents: consents, Institutions: set, Jobs: runner, Clock: e.Clock, IDs: e.IDs, Log: log})
	reads := refresh.New(refresh.Deps{Store: e.Store, Collections: collections, Institutions: set, Jobs: runner, Clock: e.Clock, IDs: e.IDs, Log: log})
	e.service = permissions.New(permissions.Deps{Store: e.Store, Vault: e.Vault, Consents: consents, Reads: reads, Tokens: tokens{}, Clock: e.Clock, IDs: e.IDs, Log: log,
		Audit:  auditing.New(auditing.Deps{Store: e.Store, Vault: e.Vault, Clock: e.Clock, Random: rand.Reader, Log: log, Keep: time.Hour}),
		Random: rand.Reader, PublicURL: func() string { return e.web.URL }, Version: "2026-04-01", Persons: e.persons, BankID: identifier{e.bankID}})
	e.people = users.New(users.Deps{Store: e.Store, Vault: e.Vault, Flows: []users.Flow{consents, collections, reads, e.service}, Clock: e.Clock, IDs: e.IDs})
	e.service.People = e.people
	e.service.ReadBy(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked = append(e.asked, r.URL.RequestURI()+" "+r.Header.Get("Authorization"))
		if r.URL.Path == "/consents" && r.URL.RawQuery == "" {
			w.Header().Set("Link", `</consents?cursor=x>; rel="next"`)
		}
		if r.URL.Path == "/collections" {
			_, _ = io.WriteString(w, `[{"collectionId":"550e8400-e29b-41d4-a716-446655440000","company":"se-bank","createdAt":"2026-02-20T10:30:00.000Z","status":"COMPLETED"}]`)
			return
		}
		_, _ = io.WriteString(w, "[]")
	}))
	e.web = httptest.NewServer(pages.New(pages.Deps{Service: e.service, Clients: e.Store, Institutions: set, PublicURL: func() string { return e.web.URL }, Clock: e.Clock, Log: log,
		Operator: "Exempeldrift AB", Offer: []words.Language{words.English, words.Finnish}, BackupDays: 35, AuditYears: 5, Renew: func(_ context.Context, _ session.Visit, id consent.ID, l words.Language) (string, error) {
			return "/connect/" + string(id) + "/" + string(l), nil
		}}))
	t.Cleanup(e.web.Close)
	return e
}

// browser is a browser that keeps cookies and does not follow redirects.
type browser struct {
	*testing.T
	e    *env
	http *http.Client
}

func (e *env) browser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, e, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// do sends a request; a form if it is given. It returns status, place to go on to, and body.
func (b *browser) do(method, path string, form url.Values, header ...string) (int, string, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.e.web.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", "en")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	if csp := answer.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || answer.Header.Get("Cache-Control") != "no-store" {
		b.Errorf("%s %s: policy %q", method, path, csp)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(body)
}

// link makes a link for a user and returns its path.
func (e *env) link(clientID, userID string) string {
	e.Helper()
	l, err := e.service.CreateLink(e.Context(), clientID, userID, "en", nil)
	if err != nil {
		e.Fatal(err)
	}
	return strings.TrimPrefix(l.URL, e.web.URL)
}

// signedIn is a browser in which a user is signed in.
func (e *env) signedIn(t *testing.T, u user.User) *browser {
	b := e.browser(t)
	if status, to, body := b.do("POST", e.link(u.ClientID, u.ID), url.Values{}); status != http.StatusSeeOther || to != pages.Path {
		t.Fatalf("%d to %s\n%s", status, to, body)
	}
	return b
}

// permission stores an authorized consent of a user that was read once.
func (e *env) permission(u user.User, days int) consent.Consent {
	e.Helper()
	now := e.Clock.Now()
	scope := consent.Scope{Balances: true, Transactions: true}
	c := consent.Consent{ID: consent.ID(e.IDs.New()), ClientID: u.ClientID, UserID: u.ID, Company: "se-bank", Status: consent.Authorized, Step: consent.StepKeep, Requested: scope, Granted: &scope, Purpose: "show <your> accounts",
		CreatedAt: now, StatusChangedAt: now, ExpiresAt: now.AddDate(0, 0, days), WakeAt: now.AddDate(1, 0, 0)}
	plain, err := json.Marshal(consent.Secret{Context: psu.Context{PersonalNumber: "198412099296"}, RemoteID: "at-bank"})
	if err != nil {
		e.Fatal(err)
	}
	if c.Sealed, err = e.Vault.Seal(e.Context(), c.Subject(), authorize.SecretPlace(c.ID), plain); err != nil {
		e.Fatal(err)
	}
	k := collection.Collection{ID: e.IDs.New(), ClientID: u.ClientID, UserID: u.ID, Company: "se-bank", ConsentID: c.ID, Mode: collection.Stored, Attended: true, Status: collection.Completed}
	e.Write(func(tx store.Tx) error {
		if err := tx.AddConsent(e.Context(), c); err != nil {
			return err
		}
		return tx.AddAuditEntry(e.Context(), audit.OfCollectionEnd(e.IDs, k, collection.Finished{Accounts: 4}, now))
	})
	return c
}

// stranger is a user of another client.
func (e *env) stranger() user.User {
	e.Helper()
	u := user.User{ID: e.IDs.New(), ClientID: e.IDs.New(), ExternalID: "customer", CreatedAt: flowtest.Start, UpdatedAt: flowtest.Start}
	e.Write(func(tx store.Tx) error {
		if err := tx.AddClient(e.Context(), client.Client{ID: u.ClientID, Name: "Other <b>shop", CreatedAt: flowtest.Start}); err != nil {
			return err
		}
		return tx.AddUser(e.Context(), u)
	})
	return u
}

func wants(t *testing.T, body string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(body, want) {
			t.Errorf("there is no %q in\n%s", want, body)
		}
	}
}

func TestLink_WorksOnceAndNotByLooking(t *testing.T) {
	e := newEnv(t)
	path := e.link(e.User.ClientID, e.User.ID)
	scanner := e.browser(t)
	for range 3 {
		if status, _, body := scanner.do("GET", path, nil); status != 200 || !strings.Contains(body, `method="post"`) {
			t.Fatalf("%d", status)
		}
	}
	if status, _, _ := scanner.do("POST", path, url.Values{}, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
		t.Errorf("another site opens the link: %d", status)
	}
	person := e.browser(t)
	if status, to, _ := person.do("POST", path, url.Values{}); status != http.StatusSeeOther || to != pages.Path {
		t.Fatalf("%d %s", status, to)
	}
	if status, _, body := person.do("GET", pages.Path, nil); status != 200 {
		t.Errorf("%d\n%s", status, body)
	}
	for _, method := range []string{"GET", "POST"} {
		status, _, body := scanner.do(method, path, url.Values{})
		if status != http.StatusGone {
			t.Errorf("%s after it was used: %d", method, status)
		}
		wants(t, body, "This link has been used", "acme")
	}
	late := e.link(e.User.ClientID, e.User.ID)
	e.Clock.Advance(session.VisitLinkLife)
	if status, _, body := person.do("POST", late, url.Values{}); status != http.StatusGone || !strings.Contains(body, "This link has expired") {
		t.Errorf("%d\n%s", status, body)
	}
	if status, _, _ := person.do("GET", "/permissions/link/nothing", nil); status != http.StatusNotFound {
		t.Errorf("%d", status)
	}
}

func TestList_ShowsWhatMayBeReadAndWithdraws(t *testing.T) {
	e := newEnv(t)
	long, soon := e.permission(e.User, 170), e.permission(e.User, 6)
	e.Write(func(tx store.Tx) error {
		return tx.PutIdentity(t.Context(), e.User.ClientID, client.Identity{LegalName: "Acme <AB>", Number: "556000-0001", Contact: "help@acme.example"})
	})
	b := e.signedIn(t, e.User)
	_, _, body := b.do("GET", pages.Path, nil)
	wants(t, body, "Acme &lt;AB&gt;, 556000-0001", `href="mailto:help@acme.example"`, "acme", "to show &lt;your&gt; accounts", "at Demobanken", "Collected by Exempeldrift AB", `hreflang="fi"`, "6 days left", "Accounts · Balances · Payments in and out", "1 April 2026 at 10:00, you were there", "0 of at most 4 times", "/permissions/renew/"+string(soon.ID))
	if strings.Contains(body, "/permissions/renew/"+string(long.ID)) || strings.Index(body, string(soon.ID)) > strings.Index(body, string(long.ID)) {
		t.Error("the one that ends soonest is not first, or the other one can be renewed")
	}
	if _, to, _ := b.do("POST", "/permissions/renew/"+string(soon.ID), url.Values{}); to != "/connect/"+string(soon.ID)+"/en" {
		t.Errorf("renewing leads to %q", to)
	}
	_, _, history := b.do("GET", "/permissions/history/"+string(long.ID), nil)
	wants(t, history, "on 4 accounts", "You were there", "1 April 10:00")

	withdraw := "/permissions/withdraw/" + string(long.ID)
	if status, _, _ := b.do("GET", withdraw, nil); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		t.Errorf("a GET withdraws: %d", status)
	}
	status, to, _ := b.do("POST", withdraw, url.Values{})
	if status != http.StatusSeeOther || to != pages.Path+"?withdrawn="+string(long.ID) {
		t.Fatalf("%d to %s", status, to)
	}
	_, _, body = b.do("GET", to, nil)
	wants(t, body, "Withdrawn. acme can read no more.", "We are telling Demobanken.", "data-focus", "withdrawn="+string(long.ID)+"&amp;lang=fi")
	if got, err := e.Store.Consent(t.Context(), long.ID); err != nil || got.Status != consent.Revoked {
		t.Errorf("%s, %v", got.Status, err)
	}
	// A second press changes nothing and is no fault.
	if status, _, _ := b.do("POST", withdraw, url.Values{}); status != http.StatusSeeOther {
		t.Errorf("pressed twice: %d", status)
	}
	e.Clock.Advance(time.Minute)
	_, _, body = b.do("GET", pages.Path, nil)
	wants(t, body, "Demobanken is not answering. We keep at it until it knows.")
	e.Write(func(tx store.Tx) error {
		return tx.AddAuditEntry(t.Context(), audit.OfGivenUp(e.IDs, long, outbox.Message{Company: "se-bank"}, audit.GivenUpRefused, e.Clock.Now()))
	})
	_, _, body = b.do("GET", pages.Path, nil)
	wants(t, body, "Demobanken has not confirmed that it knows. Nothing is read any more.")
	e.Write(func(tx store.Tx) error {
		return tx.AddAuditEntry(t.Context(), audit.OfDelivery(e.IDs, long, outbox.Message{Company: "se-bank"}, e.Clock.Now()))
	})
	_, _, body = b.do("GET", pages.Path, nil)
	wants(t, body, "Demobanken was told at 10:01.", "Have ended")
}

// The first of two that try: who is signed in at one client asks for the consent of a user
// of another one, and of another user of the same one.
func TestPages_ShowAndChangeNothingOfOthers(t *testing.T) {
	e := newEnv(t)
	stranger, neighbour := e.stranger(), e.AddUser("neighbour")
	for _, other := range []user.User{stranger, neighbour} {
		c := e.permission(other, 100)
		b := e.signedIn(t, e.User)
		if _, _, body := b.do("GET", pages.Path, nil); strings.Contains(body, string(c.ID)) || strings.Contains(body, "shop") {
			t.Error("the list has a permission of somebody else")
		}
		for _, r := range [][2]string{{"GET", "/permissions/history/"}, {"POST", "/permissions/withdraw/"}, {"POST", "/permissions/renew/"}} {
			status, to, body := b.do(r[0], r[1]+string(c.ID), url.Values{})
			if status != http.StatusNotFound || to != "" || strings.Contains(body, "Demobanken") {
				t.Errorf("%s %s: %d to %q", r[0], r[1], status, to)
			}
		}
		if got, err := e.Store.Consent(t.Context(), c.ID); err != nil || got.Status != consent.Authorized {
			t.Errorf("the consent of somebody else is %s, %v", got.Status, err)
		}
		// Nor one that has ended.
		if status, _, _ := e.signedIn(t, other).do("POST", "/permissions/withdraw/"+string(c.ID), url.Values{}); status != http.StatusSeeOther {
			t.Fatalf("its own person withdraws it: %d", status)
		}
		if status, _, body := b.do("GET", "/permissions/history/"+string(c.ID), nil); status != http.StatusNotFound || strings.Contains(body, "Demobanken") {
			t.Errorf("the history of somebody else's that has ended: %d", status)
		}
	}
}

// The second one: a cookie that is made up, another site that sends our forms, and a
// browser that somebody has left.
func TestPages_TakeNothingFromWhoIsNotSignedIn(t *testing.T) {
	e := newEnv(t)
	c := e.permission(e.User, 100)
	b := e.signedIn(t, e.User)
	acts := [][2]string{{"POST", "/permissions/withdraw/" + string(c.ID)}, {"POST", "/permissions/erase?at=" + b.visit().ID}, {"POST", "/permissions/download"}, {"POST", "/permissions/renew/" + string(c.ID)},
		{"GET", "/permissions/archive"}, {"GET", "/permissions/history/" + string(c.ID)}}
	untouched := func(who string) {
		t.Helper()
		got, err := e.Store.Consent(t.Context(), c.ID)
		u, uerr := e.Store.User(t.Context(), e.User.ClientID, e.User.ID)
		if err != nil || uerr != nil || got.Status != consent.Authorized || u.Anonymized() {
			t.Fatalf("%s: %s, %t, %v %v", who, got.Status, u.Anonymized(), err, uerr)
		}
	}
	sure := url.Values{"sure": {"yes"}}
	for _, cookie := range []string{"", "permissions=x", "permissions=", "__Host-permissions=" + session.HashOfSecret("x")} {
		for _, act := range acts {
			if status, to, body := e.browser(t).do(act[0], act[1], sure, "Cookie", cookie); to != "" || strings.Contains(body, "Demobanken") || status < 200 {
				t.Errorf("%q %s: %d to %q", cookie, act[1], status, to)
			}
		}
		untouched(cookie)
	}
	for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		for _, act := range acts[:4] {
			if status, _, _ := b.do(act[0], act[1], sure, from...); status != http.StatusForbidden {
				t.Errorf("%v %s: %d", from, act[1], status)
			}
		}
		untouched(from[1])
	}
	e.Clock.Advance(session.VisitIdle)
	for _, act := range acts {
		if status, _, body := b.do(act[0], act[1], sure); status != http.StatusForbidden || !strings.Contains(body, "You have been away for a while") {
			t.Errorf("idle, %s: %d", act[1], status)
		}
	}
	untouched("idle")
	b = e.signedIn(t, e.User)
	address, err := url.Parse(e.web.URL)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.http.Jar.Cookies(address)[0].String()
	if status, _, body := b.do("POST", "/permissions/signout", url.Values{}); status != 200 || !strings.Contains(body, "You are signed out") {
		t.Errorf("%d", status)
	}
	if _, _, body := b.do("GET", pages.Path, nil); !strings.Contains(body, "See your permissions") {
		t.Error(body)
	}
	if _, _, body := e.browser(t).do("GET", pages.Path, nil, "Cookie", kept); strings.Contains(body, "Demobanken") {
		t.Error("a cookie that was kept works after signing out")
	}
}

func TestErase_WantsATickAndSignsOut(t *testing.T) {
	e := newEnv(t)
	c := e.permission(e.User, 100)
	b := e.signedIn(t, e.User)
	_, _, body := b.do("GET", "/permissions/erase", nil)
	wants(t, body, "in backups within 35 days", "for 5 years", "acme may have copies of its own")
	if strings.Contains(body, "checked") {
		t.Error("the box is ticked")
	}
	address := "/permissions/erase?at=" + b.visit().ID
	wants(t, body, `action="`+address+`"`)
	if status, _, body := b.do("POST", address, url.Values{}); status != http.StatusUnprocessableEntity || !strings.Contains(body, `href="#sure"`) {
		t.Errorf("%d\n%s", status, body)
	}
	if status, _, body := b.do("POST", address, url.Values{"sure": {"yes"}}); status != 200 || !strings.Contains(body, "Erased. Backups follow within 35 days.") {
		t.Errorf("%d\n%s", status, body)
	}
	got, err := e.Store.Consent(t.Context(), c.ID)
	u, uerr := e.Store.User(t.Context(), e.User.ClientID, e.User.ID)
	if err != nil || uerr != nil || got.Status != consent.Revoked || !u.Anonymized() {
		t.Errorf("%s %t, %v %v", got.Status, u.Anonymized(), err, uerr)
	}
	if _, _, body := b.do("GET", pages.Path, nil); !strings.Contains(body, "See your permissions") {
		t.Error("still signed in")
	}
	if _, err := e.service.CreateLink(t.Context(), e.User.ClientID, e.User.ID, "", nil); err == nil {
		t.Error("a link for an erased user")
	}
}

// visit returns the only visit of the browser.
func (b *browser) visit() session.Visit {
	b.Helper()
	all, err := b.e.service.Visiting(b.Context(), b.cookie("permissions"))
	if err != nil || len(all) != 1 {
		b.Fatalf("%d visits, %v", len(all), err)
	}
	return all[0]
}

// A form is left open in a tab, and the link of another client is opened in the next one: the
// form erases neither.
func TestErase_ErasesNothingButWhatItsFormNames(t *testing.T) {
	e := newEnv(t)
	stranger := e.stranger()
	b := e.signedIn(t, e.User)
	left := "/permissions/erase?at=" + b.visit().ID
	if status, _, _ := b.do("POST", e.link(stranger.ClientID, stranger.ID), url.Values{}); status != http.StatusSeeOther {
		t.Fatalf("%d", status)
	}
	for _, address := range []string{left, "/permissions/erase", "/permissions/erase?at="} {
		if status, to, _ := b.do("POST", address, url.Values{"sure": {"yes"}}); status != http.StatusSeeOther || to != pages.Path {
			t.Errorf("%s: %d to %q", address, status, to)
		}
	}
	for _, u := range []user.User{e.User, stranger} {
		if got, err := e.Store.User(t.Context(), u.ClientID, u.ID); err != nil || got.Anonymized() {
			t.Errorf("%s is erased, %v", u.ExternalID, err)
		}
	}
}
