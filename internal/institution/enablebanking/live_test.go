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
