package enablebanking_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/ebspec"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/enablebanking"
	"samla/internal/psu"
	"samla/internal/sandbox"
	simulated "samla/internal/sandbox/enablebanking"
	"samla/internal/sandbox/persona"
	"samla/internal/sandbox/pki"
	"samla/internal/visitor"
)

const (
	back  = "https://samla.example/callback/se-gateway"
	state = "c3RhdGU_-1"
	maja  = persona.Default
)

var (
	startTime = time.Date(2026, 11, 18, 8, 0, 0, 0, time.UTC)
	full      = consent.Scope{Balances: true, Transactions: true}
	way       = institution.Way{State: state, Return: back}
	keys      = sync.OnceValues(func() (*pki.Set, error) { return pki.Open("", func() time.Time { return startTime }, nil) })
)

// world is the sandbox's gateway, and the connector with the judge between them.
type world struct {
	*testing.T
	*sandbox.Sandbox
	gateway *enablebanking.Gateway
	clock   *clock.Fast
	dir     string
	person  psu.Context
	mu      sync.Mutex
	judged  bool
}

func start(t *testing.T, change func(*enablebanking.Config)) *world {
	t.Helper()
	set, err := keys()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, clock: clock.NewFast(startTime, 200), dir: t.TempDir(), judged: true,
		person: psu.Context{IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE", PersonalNumber: maja}}
	if w.Sandbox, err = sandbox.New(sandbox.Config{Clock: w.clock, Keys: set}); err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Stop(t.Context()) })
	if err := w.Gateway().Register(back); err != nil {
		t.Fatal(err)
	}
	w.write("app.pem", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(w.ApplicationKey())}))
	w.write("ca.pem", w.CAPEM())
	w.gateway = w.connector(change)
	if err := w.gateway.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) write(name string, content []byte) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) connector(change func(*enablebanking.Config)) *enablebanking.Gateway {
	w.Helper()
	info := w.GatewayInfo()
	c := enablebanking.Config{BaseURL: info.BaseURL, ApplicationID: info.ApplicationID, KeyFile: "app.pem", CAFile: "ca.pem", Countries: []string{"SE"}}
	if change != nil {
		change(&c)
	}
	oracle := ebspec.New(w, info.BaseURL)
	g, err := enablebanking.New(c, institution.Deps{Clock: w.clock, Dir: w.dir, Company: "se-gateway", Wrap: func(next http.RoundTripper) http.RoundTripper {
		return oracle.Transport(next, func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.judged {
				w.Error(err)
			}
		})
	}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(g.Close)
	return g
}

// deviate makes the gateway deviate, and stops judging it.
func (w *world) deviate(faults ...simulated.Fault) {
	w.mu.Lock()
	w.judged = false
	w.mu.Unlock()
	if !w.Gateway().Faults(faults...) {
		w.Fatal("no such fault")
	}
}

func (w *world) bank(id string) *enablebanking.Bank {
	w.Helper()
	b, ok := w.gateway.Bank(id)
	if !ok {
		w.Fatalf("no bank %s", id)
	}
	return b
}

// begin opens a consent and asks for the page.
func (w *world) begin(b *enablebanking.Bank, scope consent.Scope) (consent.RemoteID, institution.Authorization) {
	w.Helper()
	opened, err := b.OpenConsent(w.Context(), institution.OpenRequest{Scope: scope, ValidUntil: w.clock.Now().AddDate(0, 0, 60), Recurring: true, PSU: w.person, Way: way})
	if err != nil {
		w.Fatal(err)
	}
	a, err := b.StartAuthorization(w.Context(), institution.AuthorizeRequest{ConsentID: opened.ConsentID, PSU: w.person, Way: way})
	if err != nil {
		w.Fatal(err)
	}
	if !a.Silent || a.State != institution.AuthorizationPending || a.Instructions == nil || a.Instructions.RedirectURL == "" {
		w.Fatalf("authorization %+v", a)
	}
	return opened.ConsentID, a
}

// visit walks the page and returns what the browser takes back.
func (w *world) visit(a institution.Authorization, p visitor.Person) url.Values {
	w.Helper()
	pool := w.CA().Pool()
	browser := visitor.New(transport(pool, w.clock.Now), w.clock, w.URL())
	to, err := browser.Visit(w.Context(), a.Instructions.RedirectURL, p)
	if err != nil {
		w.Fatal(err)
	}
	return to.Query()
}

// sign does all of it and returns what a collection reads with.
func (w *world) sign(b *enablebanking.Bank, number string, scope consent.Scope) institution.Access {
	w.Helper()
	id, a := w.begin(b, scope)
	done, err := b.Complete(w.Context(), institution.Completion{ConsentID: id, AuthorizationID: a.ID, Way: way, PSU: w.person,
		Brought: w.visit(a, visitor.Person{Number: number, Phone: visitor.Approve})})
	if err != nil || done.State != institution.AuthorizationDone || done.Remote == "" {
		w.Fatalf("completed %+v, %v", done, err)
	}
	return institution.Access{ConsentID: done.Remote, PSU: w.person}
}

// crawl asks all questions as a collection does.
type crawled struct {
	fact.Facts
	deviations deviation.Counts
	asked      map[string]int
	refused    []*institution.Error
	questions  []institution.Question
}

func (w *world) crawl(b *enablebanking.Bank, a institution.Access, scope consent.Scope, days int) (c crawled) {
	w.Helper()
	c.asked = map[string]int{}
	queue := b.Start(scope, w.clock.Now().AddDate(0, 0, -days).Format(time.DateOnly))
	seen := map[institution.Question]bool{}
	for len(queue) > 0 {
		q := queue[0]
		queue = queue[1:]
		if seen[q] || !q.CoveredBy(scope) {
			continue
		}
		seen[q] = true
		c.asked[q.Kind]++
		c.questions = append(c.questions, q)
		answer, err := b.Fetch(w.Context(), a, q)
		var failed *institution.Error
		if errors.As(err, &failed) {
			c.refused = append(c.refused, failed)
			if smaller, ok := b.Instead(q, failed, w.clock.Now()); ok {
				queue = append(queue, smaller)
			}
			continue
		}
		if err != nil {
			w.Fatal(err)
		}
		r, err := b.Read(answer)
		if err != nil {
			w.Fatalf("%s: %v", q.Kind, err)
		}
		c.Add(r.Facts)
		c.deviations.Merge(r.Deviations)
		queue = append(queue, r.Questions...)
	}
	return c
}

func (c crawled) rows(key string) (rows []fact.Transaction) {
	for _, h := range c.Histories {
		if h.Account == key {
			rows = append(rows, h.Transactions...)
		}
	}
	return rows
}

func (c crawled) account(t *testing.T, name string) fact.Account {
	t.Helper()
	for _, a := range c.Accounts {
		if a.DisplayName == name {
			return a
		}
	}
	t.Fatalf("no account %q", name)
	return fact.Account{}
}

func TestBank_ReadsEverythingOnceSigned(t *testing.T) {
	w := start(t, nil)
	for _, id := range []string{"se-eb-nordea", "se-eb-ica-banken", "se-eb-lansforsakringar", "se-eb-sbab", "se-eb-danske-bank", "se-eb-avanza"} {
		b := w.bank(id)
		c := w.crawl(b, w.sign(b, maja, full), full, 365)
		if len(c.Accounts) != 3 || len(c.deviations) != 0 || len(c.refused) != 0 {
			t.Fatalf("%s: %d accounts, deviations %v, refusals %v", id, len(c.Accounts), c.deviations, c.refused)
		}
		main := c.account(t, "Privatkonto")
		if main.OwnerName != "Maja Lindqvist" || main.IBAN == "" || main.Type != "CACC" || main.Product != "Lönekonto" || main.Credit == nil != (id == "se-eb-sbab") {
			t.Errorf("%s: %+v", id, main)
		}
		if card := c.account(t, "Mastercard"); !card.Card || card.MaskedPAN == "" || card.IBAN != "" {
			t.Errorf("%s: card %+v", id, card)
		}
		if want := map[bool]string{true: "", false: "SEK"}[id == "se-eb-sbab"]; main.Currency != want {
			t.Errorf("%s: currency %q", id, main.Currency)
		}
		rows := c.rows(main.Key)
		debits, pending := 0, 0
		for _, r := range rows {
			if r.Amount.Sign() < 0 || r.Direction == fact.Unsaid || r.ID != "" || r.Amount.Currency() != "SEK" {
				t.Fatalf("%s: row %+v", id, r)
			}
			if r.Direction == fact.Debit {
				debits++
				if r.DebtorName != "" {
					t.Errorf("%s: a debit comes from somebody", id)
				}
			}
			if !r.Booked {
				pending++
			}
		}
		if len(rows) < 250 || debits < 200 || pending == 0 {
			t.Errorf("%s: %d rows, %d debits, %d pending", id, len(rows), debits, pending)
		}
		kinds := map[fact.BalanceKind]bool{}
		for _, balance := range c.Balances {
			if balance.Account == main.Key {
				kinds[balance.Kind] = true
			}
		}
		if len(kinds) != 4 || !kinds[fact.InterimBooked] || !kinds[fact.ClosingBooked] || !kinds[fact.Expected] || !kinds[fact.InterimAvailable] {
			t.Errorf("%s: balances %v", id, kinds)
		}
	}
	if n := w.Gateway().Stats().Calls["authorize-session"]; n != 6 {
		t.Errorf("%d exchanges of codes", n)
	}
}

// All rows come, although the second page is empty; the rows of a bank that writes a minus
// have the same sums as those of one that does not.
func TestBank_FollowsEmptyPages(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	c := w.crawl(b, w.sign(b, maja, full), full, 365)
	if c.asked["transactions"] < 10 || len(c.rows(c.account(t, "Privatkonto").Key)) < 300 {
		t.Errorf("%d pages, %d rows", c.asked["transactions"], len(c.rows(c.account(t, "Privatkonto").Key)))
	}
}

// What identifies an account is the same in each session, and the pockets of an account
// have keys of their own.
func TestBank_KeepsIdentityOverSessions(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	keys := func(number string) (list []string) {
		for _, a := range w.crawl(b, w.sign(b, number, full), full, 30).Accounts {
			if a.Key != a.ID {
				t.Errorf("key and id differ: %+v", a)
			}
			list = append(list, a.Key)
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	const alva = "200002292399"
	if first, second := keys(alva), keys(alva); len(first) != 5 || !slices.Equal(first, second) {
		t.Errorf("%d and %d accounts", len(first), len(second))
	}
}

func TestBank_AsksForScopeThatWasGiven(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	all := w.crawl(b, w.sign(b, maja, full), full, 30)
	iban := all.account(t, "Sparkonto").IBAN
	for _, scope := range []consent.Scope{{Balances: true}, {Transactions: true}, {AccountIDs: []string{iban}, Balances: true, Transactions: true}} {
		a := w.sign(b, maja, scope)
		info, err := b.Consent(t.Context(), a)
		if err != nil || info.State != institution.ConsentValid || info.Scope.Balances != scope.Balances || info.Scope.Transactions != scope.Transactions ||
			!slices.Equal(info.Scope.AccountIDs, scope.AccountIDs) {
			t.Errorf("asked for %+v, granted %+v %+v, %v", scope, info, info.Scope, err)
		}
		last := w.clock.Now().AddDate(0, 0, 60)
		if want := time.Date(last.Year(), last.Month(), last.Day(), 23, 59, 59, 0, time.UTC); !info.ValidUntil.Equal(want) {
			t.Errorf("valid until %s, want %s", info.ValidUntil, want)
		}
		c := w.crawl(b, a, full, 30)
		if len(scope.AccountIDs) == 1 {
			if len(c.Accounts) != 1 || c.Accounts[0].IBAN != iban {
				t.Errorf("%d accounts", len(c.Accounts))
			}
			continue
		}
		for _, e := range c.refused {
			if e.Kind != institution.NotCovered {
				t.Errorf("refused with %v", e)
			}
		}
		if len(c.refused) != 3 || (len(c.Balances) > 0) != scope.Balances {
			t.Errorf("%+v: %d refusals, %d balances", scope, len(c.refused), len(c.Balances))
		}
	}
}

func TestBank_EndsInEachWay(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	for name, c := range map[string]struct {
		end   func(institution.Access)
		state institution.ConsentState
		kind  institution.ErrorKind
	}{
		"revoked here": {func(a institution.Access) {
			if err := b.Revoke(t.Context(), a); err != nil {
				t.Error(err)
			}
		}, institution.ConsentRevoked, institution.ConsentGone},
		"revoked at the bank": {func(a institution.Access) { _, _ = w.Gateway().Revoke(string(a.ConsentID)) }, institution.ConsentRevoked, institution.ConsentGone},
		"over":                {func(institution.Access) { w.clock.Jump(70 * 24 * time.Hour) }, institution.ConsentExpired, institution.ConsentOver},
	} {
		a := w.sign(b, maja, full)
		before := w.crawl(b, a, full, 30)
		c.end(a)
		if info, err := b.Consent(t.Context(), a); err != nil || info.State != c.state {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if after := w.crawl(b, a, full, 30); len(after.refused) != 1 || after.refused[0].Kind != c.kind {
			t.Errorf("%s: %v", name, after.refused)
		}
		for _, q := range before.questions {
			if _, err := b.Fetch(t.Context(), a, q); institution.KindOf(err) != c.kind {
				t.Errorf("%s: %s: %v", name, q.Kind, err)
			}
		}
		if err := b.Revoke(t.Context(), a); err != nil {
			t.Errorf("%s: revoked again: %v", name, err)
		}
	}
	unknown := institution.Access{ConsentID: "4604aaaf-a3a3-4ce6-9b3a-1b7a53a0b0a1", PSU: w.person}
	if _, err := b.Consent(t.Context(), unknown); institution.KindOf(err) != institution.ConsentGone {
		t.Errorf("unknown: %v", err)
	}
	if err := b.Revoke(t.Context(), unknown); err != nil {
		t.Errorf("unknown: %v", err)
	}
}

func TestComplete_TellsWhatThePersonDid(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	id, a := w.begin(b, full)
	if info, err := b.Consent(t.Context(), institution.Access{ConsentID: id}); err != nil || info.State != institution.ConsentPending {
		t.Errorf("before: %+v, %v", info, err)
	}
	if err := b.Revoke(t.Context(), institution.Access{ConsentID: id}); err != nil {
		t.Errorf("revoked before: %v", err)
	}
	brought := w.visit(a, visitor.Person{Number: maja, Phone: visitor.Approve})
	complete := func(brought url.Values) institution.Completed {
		t.Helper()
		done, err := b.Complete(t.Context(), institution.Completion{ConsentID: id, Way: way, Brought: brought})
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	code := brought.Get("code")
	before := w.Gateway().Stats().Calls["authorize-session"]
	for name, wrong := range map[string]url.Values{
		"foreign state": {"code": {code}, "state": {"x"}}, "no state": {"code": {code}}, "nothing": {},
		"two codes": {"code": {code, code}, "state": {state}}, "code and error": {"code": {code}, "error": {"access_denied"}, "state": {state}},
		"neither": {"state": {state}}, "two states": {"code": {code}, "state": {state, "x"}}, "control character": {"code": {code + "\n"}, "state": {state}},
	} {
		if done := complete(wrong); done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed || done.Remote != "" {
			t.Errorf("%s: %+v", name, done)
		}
	}
	for failure, want := range map[string]consent.FailureCode{
		"access_denied": consent.AuthenticationCancelled, "server_error": consent.BankUnavailable, "moon_not_full": consent.AuthenticationFailed,
	} {
		if done := complete(url.Values{"error": {failure}, "state": {state}, "error_description": {"Å"}}); done.Failure != want {
			t.Errorf("%s: %+v", failure, done)
		}
	}
	if after := w.Gateway().Stats().Calls["authorize-session"]; after != before {
		t.Errorf("%d codes were exchanged", after-before)
	}
	if done := complete(brought); done.State != institution.AuthorizationDone {
		t.Errorf("right: %+v", done)
	}
	if done := complete(brought); done.Failure != consent.AuthenticationFailed {
		t.Errorf("again: %+v", done)
	}
	if done := complete(url.Values{"code": {"unknown"}, "state": {state}}); done.Failure != consent.AuthenticationFailed {
		t.Errorf("unknown code: %+v", done)
	}
	refused := w.visit(func() institution.Authorization { _, a := w.begin(b, full); return a }(), visitor.Person{Number: maja, Phone: visitor.Approve, Refuse: true})
	if done := complete(refused); done.Failure != consent.AuthenticationCancelled {
		t.Errorf("refused: %+v", done)
	}
}

// A code of another bank, which somebody has put into the address, gives no access.
func TestComplete_RefusesCodeOfAnotherBank(t *testing.T) {
	w := start(t, nil)
	_, elsewhere := w.begin(w.bank("se-eb-seb"), full)
	brought := w.visit(elsewhere, visitor.Person{Number: maja, Phone: visitor.Approve})
	done, err := w.bank("se-eb-nordea").Complete(t.Context(), institution.Completion{Way: way, Brought: brought})
	if err != nil || done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed {
		t.Errorf("%+v, %v", done, err)
	}
}

func TestStartAuthorization_NamesPersonOnlyIfConfigured(t *testing.T) {
	for _, send := range []bool{false, true} {
		w := start(t, func(c *enablebanking.Config) { c.SendPersonalNumber = send })
		b := w.bank("se-eb-nordea")
		if b.Profile().OpensWithoutNumber == send {
			t.Errorf("send %t: profile %+v", send, b.Profile())
		}
		_, a := w.begin(b, full)
		// The page asks for a number unless it was sent: this visitor has none to give.
		brought := w.visit(a, visitor.Person{Phone: visitor.Approve, SignsAs: "190905271474"})
		if got := brought.Get("code") == ""; got != send {
			t.Errorf("send %t: another person came back with %v", send, brought)
		}
	}
}

func TestBank_ReadsWithoutThePersonWithinLimits(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-nordea")
	a := w.sign(b, maja, full)
	a.PSU = a.PSU.Unattended()
	for range 4 {
		if c := w.crawl(b, a, full, 89); len(c.refused) != 0 || len(c.Accounts) != 3 {
			t.Fatalf("%d accounts, %v", len(c.Accounts), c.refused)
		}
	}
	c := w.crawl(b, a, full, 89)
	for _, e := range c.refused {
		if e.Kind != institution.AccessExceeded || e.Code != "ASPSP_RATE_LIMIT_EXCEEDED" {
			t.Errorf("refused with %v", e)
		}
	}
	if len(c.refused) != 3 {
		t.Errorf("%d refusals", len(c.refused))
	}
	a.PSU = w.person
	if c := w.crawl(b, a, full, 89); len(c.refused) != 0 {
		t.Errorf("with the person: %v", c.refused)
	}
}

// Danske Bank requires a place, which is not known: the calls are those without a person.
func TestBank_SendsNoHeadersIfOneIsNotKnown(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-danske-bank")
	a := w.sign(b, maja, full)
	for n := range 5 {
		c := w.crawl(b, a, full, 30)
		if (len(c.refused) > 0) != (n == 4) {
			t.Errorf("read %d: %v", n, c.refused)
		}
	}
}

// A bank that gives 90 days only refuses a year; what it gives is read.
func TestBank_AsksForShorterHistory(t *testing.T) {
	w := start(t, nil)
	for _, id := range []string{"se-eb-swedbank", "se-eb-marginalen"} {
		b := w.bank(id)
		a := w.sign(b, maja, full)
		w.clock.Jump(2 * time.Hour)
		c := w.crawl(b, a, full, 365)
		rows := c.rows(c.account(t, "Privatkonto").Key)
		oldest := w.clock.Now()
		for _, r := range rows {
			if r.Booked && r.BookingDate.Before(oldest) {
				oldest = r.BookingDate
			}
		}
		if days := w.clock.Now().Sub(oldest).Hours() / 24; days < 80 || days > 92 || len(rows) < 60 || c.deviations.Incomplete() {
			t.Errorf("%s: %d rows over %.0f days, deviations %v, refusals %v", id, len(rows), days, c.deviations, c.refused)
		}
	}
}

func TestBank_ToldOfFaults(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-seb")
	a := w.sign(b, maja, full)
	for kind, want := range map[simulated.FaultKind]institution.ErrorKind{
		simulated.BankError: institution.Unreachable, simulated.BankTimeout: institution.Unreachable, simulated.BankLimit: institution.Busy,
		simulated.BankAction: institution.PersonRefused, simulated.AccessDenied: institution.NotCovered, simulated.UnknownError: institution.Refused,
		simulated.Unavailable: institution.Unreachable, simulated.Page: institution.MalformedResponse, simulated.CutBody: institution.Unreachable,
	} {
		w.deviate(simulated.Fault{Kind: kind, Call: "balances"})
		c := w.crawl(b, a, full, 30)
		if len(c.refused) != 3 || c.refused[0].Kind != want || len(c.Histories) < 3 {
			t.Errorf("%s: %v, want %s", kind, c.refused, want)
		}
	}
	for kind, want := range map[simulated.FaultKind]func(c crawled) bool{
		simulated.OtherType:      func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.UnknownMembers: func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 && len(c.Histories) >= 3 },
		simulated.ManyDecimals:   func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.NumberAmounts:  func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.NullMembers:    func(c crawled) bool { return len(c.deviations) == 0 && len(c.Balances) == 12 },
		simulated.UnknownValues: func(c crawled) bool {
			return len(c.Balances) == 12 && !c.deviations.Incomplete() && c.deviations[deviation.UnknownValue] > 0
		},
		simulated.MissingSign:    func(c crawled) bool { return c.deviations[deviation.UnclearSign] > 10 },
		simulated.MissingMembers: func(c crawled) bool { return len(c.Balances) == 12 },
	} {
		for _, call := range []string{"balances", "transactions", "details"} {
			w.deviate(simulated.Fault{Kind: kind, Call: call})
			c := w.crawl(b, a, full, 30)
			if len(c.Accounts) != 3 || len(c.refused) != 0 {
				t.Errorf("%s of %s: %d accounts, %v", kind, call, len(c.Accounts), c.refused)
			}
		}
		w.deviate(simulated.Fault{Kind: kind, Call: "balances"}, simulated.Fault{Kind: kind, Call: "transactions"})
		if c := w.crawl(b, a, full, 30); !want(c) {
			t.Errorf("%s: %d balances, %d histories, deviations %v", kind, len(c.Balances), len(c.Histories), c.deviations)
		}
	}
	// Details that cannot be had cost the names only.
	w.deviate(simulated.Fault{Kind: simulated.UnknownError, Call: "details"})
	if c := w.crawl(b, a, full, 30); len(c.Accounts) != 3 || c.Accounts[0].Key == "" || len(c.Balances) != 12 || len(c.Histories) < 3 {
		t.Errorf("without details: %d accounts, %d balances", len(c.Accounts), len(c.Balances))
	}
}

func TestGateway_KnowsTheApplication(t *testing.T) {
	w := start(t, nil)
	app, err := w.gateway.Application(t.Context())
	if err != nil || !app.Active || app.Environment != "SANDBOX" || !slices.Contains(app.RedirectURLs, back) || !slices.Contains(app.Services, "AIS") {
		t.Errorf("%+v, %v", app, err)
	}
	other, err := rsa.GenerateKey(random{}, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w.write("app.pem", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(other)}))
	_, err = w.connector(nil).Application(t.Context())
	if institution.KindOf(err) != institution.CertificateRejected || institution.ReasonOf(err) != institution.OurApplicationRejected {
		t.Errorf("another key: %v", err)
	}
}

// One token serves many calls, and another one comes in time.
func TestTokens_AreMadeOncePerHour(t *testing.T) {
	w := start(t, nil)
	seen := map[string]bool{}
	g := w.connectorThat(func(r *http.Request) { seen[r.Header.Get("Authorization")] = true })
	for range 3 {
		if _, err := g.Application(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 1 {
		t.Errorf("%d tokens", len(seen))
	}
	w.clock.Jump(58 * time.Minute)
	if _, err := g.Application(t.Context()); err != nil || len(seen) != 2 {
		t.Errorf("%d tokens, %v", len(seen), err)
	}
}

// What a bank answers to a period that is too long for it is the same as to anything else:
// the period is asked for otherwise, and then a shorter one.
func TestBank_TakesErrorOfLongPeriodForRefusal(t *testing.T) {
	w := start(t, nil)
	b := w.bank("se-eb-seb")
	a := w.sign(b, maja, full)
	w.deviate(simulated.Fault{Kind: simulated.BankError, Call: "transactions", Times: 6}) // each of three accounts, twice
	c := w.crawl(b, a, full, 365)
	if len(c.refused) != 6 || c.refused[0].Kind != institution.Refused || len(c.rows(c.account(t, "Privatkonto").Key)) < 60 || c.deviations.Incomplete() {
		t.Errorf("refused %v, %d rows, deviations %v", c.refused, len(c.rows(c.account(t, "Privatkonto").Key)), c.deviations)
	}
	var asked []string
	for _, q := range c.questions {
		if q.Kind == "transactions" && q.Account == c.account(t, "Privatkonto").Key && !q.Onward {
			_, rest, _ := strings.Cut(q.Detail, " ")
			asked = append(asked, rest)
		}
	}
	if want := []string{"longest", "", "from=2026-08-21"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	w.deviate(simulated.Fault{Kind: simulated.BankError, Call: "transactions"})
	if c := w.crawl(b, a, full, 30); len(c.refused) != 3 || c.refused[0].Kind != institution.Unreachable {
		t.Errorf("a short period: %v", c.refused)
	}
}
