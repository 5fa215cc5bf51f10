package collect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/jobs"
	"samla/internal/money"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/psu"
	"samla/internal/store"
)

const theBank = "se-testbank"

var morning = flowtest.Start

// scripted is a bank with a card and two accounts, the first of which has three pages of
// transactions. Tests make it fail. It records the questions.
type scripted struct {
	profile institution.Profile
	// fetches is called before each answer; n counts the calls with this question.
	// reads is called before an answer is decoded.
	fetches         func(ctx context.Context, q institution.Question, n int) error
	reads           func(q institution.Question) error
	accounts, cards []fact.Account
	products        []product.Product
	next            map[string]string // link of a page -> link of the next
	smaller         map[string]string // refused link -> link to ask for instead
	endless         bool              // each page of the first account names a next that is new

	padding int // bytes that each answer is longer

	waiting chan struct{} // one for each call that waits to be given up

	mu    sync.Mutex
	asked []institution.Question
	with  []institution.Access
	times map[institution.Question]int
}

func newScripted() *scripted {
	account := func(id string) fact.Account {
		return fact.Account{Key: "key-" + id, ID: id, Name: id, Currency: "SEK", Type: "CACC"}
	}
	cardAccount := account("card")
	cardAccount.Card = true
	return &scripted{
		profile:  institution.Profile{Parallel: 1}.WithDefaults(),
		fetches:  func(context.Context, institution.Question, int) error { return nil },
		reads:    func(institution.Question) error { return nil },
		accounts: []fact.Account{account("main"), account("save")}, cards: []fact.Account{cardAccount},
		next:    map[string]string{"main/transactions": "main/2", "main/2": "main/3"},
		times:   map[institution.Question]int{},
		waiting: make(chan struct{}),
	}
}

func (s *scripted) institution() institution.Institution {
	return institution.Institution{Company: company.Company{ID: theBank, DisplayName: "Test bank", PSD2: true}, Profile: s.profile,
		Collector: s, Revoker: s}
}

func (s *scripted) Start(scope consent.Scope, from string) []institution.Question {
	accounts := institution.Question{Kind: "accounts", Essential: true, From: from}
	if scope.Balances {
		accounts.Detail = "with balances"
	}
	return []institution.Question{accounts, {Kind: "cards", From: from}}
}

func (s *scripted) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	s.mu.Lock()
	s.asked, s.with = append(s.asked, q), append(s.with, a)
	s.times[q]++
	n := s.times[q]
	s.mu.Unlock()
	if err := s.fetches(ctx, q, n); err != nil {
		return institution.Answer{}, err
	}
	return institution.Answer{Question: q, Body: []byte("said of " + q.Link + strings.Repeat(" ", s.padding)), FetchedAt: morning}, nil
}

// Read checks that the answer is as it was sent, also after it was stored.
func (s *scripted) Read(a institution.Answer) (institution.Reading, error) {
	q := a.Question
	if strings.TrimRight(string(a.Body), " ") != strings.TrimSpace("said of "+q.Link) {
		return institution.Reading{}, fmt.Errorf("an answer is not what was said: %q", a.Body)
	}
	if err := s.reads(q); err != nil {
		return institution.Reading{}, err
	}
	switch q.Kind {
	case "accounts":
		r := listed(s.accounts, q.From)
		r.Facts.Products = s.products
		return r, nil
	case "cards":
		return listed(s.cards, q.From), nil
	case "balances":
		balance := fact.Balance{Account: q.Account, Kind: fact.InterimBooked, Amount: money.Must("12.50", "SEK")}
		return institution.Reading{Facts: fact.Facts{Balances: []fact.Balance{balance}}}, nil
	}
	row := fact.Transaction{ID: q.Link, Booked: true, BookingDate: morning, Amount: money.Must("-1.00", "SEK")}
	read := institution.Reading{Facts: fact.Facts{Histories: []fact.History{{Account: q.Account, Transactions: []fact.Transaction{row}}}}}
	next := s.next[q.Link]
	if s.endless && q.Account == "key-main" {
		page, _ := strconv.Atoi(strings.TrimPrefix(q.Link, "main/"))
		next = "main/" + strconv.Itoa(page+1)
	}
	if next != "" {
		q.Link = next
		read.Questions = []institution.Question{q}
	}
	return read, nil
}

// listed returns the facts of a list of accounts and the questions that follow.
func listed(accounts []fact.Account, from string) institution.Reading {
	r := institution.Reading{Facts: fact.Facts{Accounts: accounts}}
	for _, a := range accounts {
		r.Questions = append(r.Questions,
			institution.Question{Kind: "balances", Account: a.Key, Needs: institution.NeedsBalances, Link: a.ID + "/balances"},
			institution.Question{Kind: "transactions", Account: a.Key, Needs: institution.NeedsTransactions, From: from, Link: a.ID + "/transactions"})
	}
	return r
}

// wait blocks until the call is cancelled, and waitFor until n calls are blocked.
func (s *scripted) wait(ctx context.Context) {
	s.waiting <- struct{}{}
	<-ctx.Done()
}

func (s *scripted) waitFor(n int) {
	for range n {
		<-s.waiting
	}
}

// Instead asks for what the test names in place of a link.
func (s *scripted) Instead(q institution.Question, e *institution.Error, day time.Time) (institution.Question, bool) {
	if !day.Equal(morning) || e.Kind != institution.Refused {
		return q, false
	}
	smaller, there := s.smaller[q.Link]
	q.Link, q.BookedOnly = smaller, strings.HasSuffix(smaller, "booked")
	return q, there
}

// Revoke implements institution.Revoker. These tests deliver no messages.
func (s *scripted) Revoke(context.Context, institution.Access) error { return nil }

func (s *scripted) Mapping() int { return 7 }

// count returns how many questions were asked, in all and with one link.
func (s *scripted) count(link string) (all, ofLink int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		if q.Link == link {
			ofLink++
		}
	}
	return len(s.asked), ofLink
}

// whole is the number of questions of a complete collection.
const whole = 2 + 3 + 3 + 2 // lists, balances, pages of the first account, of the others

func kind(k institution.ErrorKind) error { return &institution.Error{Kind: k} }

// env is a service with a real store, a scripted bank and a manual clock.
type env struct {
	*flowtest.Env
	*collect.Service
	bank     *scripted
	number   psu.Number // given with the next consent
	logs     *bytes.Buffer
	consents *authorize.Service
}

func newEnv(t testing.TB) *env {
	t.Helper()
	return newEnvOn(t, t.TempDir())
}

func newEnvOn(t testing.TB, database string) *env {
	t.Helper()
	b := &env{Env: flowtest.New(t, database), bank: newScripted(), logs: &bytes.Buffer{}}
	b.Service = b.service()
	return b
}

// service returns a new service over the same store: another node, or the same one
// after a crash.
func (b *env) service() *collect.Service { return b.serviceWith(authorize.WatchLimits{}) }

func (b *env) serviceWith(limits authorize.WatchLimits) *collect.Service {
	var (
		log    = slog.New(slog.NewTextHandler(b.logs, nil))
		banks  = institution.Set{theBank: b.bank.institution()}
		runner = jobs.New(b.Store, b.Clock, log)
	)
	b.consents = authorize.New(authorize.Deps{Store: b.Store, Vault: b.Vault, Institutions: banks, Jobs: runner,
		Clock: b.Clock, IDs: b.IDs, Log: log, Watch: limits})
	return collect.New(collect.Deps{Store: b.Store, Vault: b.Vault, Consents: b.consents, Institutions: banks,
		Jobs: runner, Clock: b.Clock, IDs: b.IDs, Log: log, KeepData: 30 * 24 * time.Hour, Workers: 4})
}

// consentRequest returns a request for a consent of the user.
func (b *env) consentRequest() authorize.Request {
	return authorize.Request{ClientID: b.User.ClientID, UserID: b.User.ID, Company: theBank,
		Scope: consent.Scope{Balances: true, Transactions: true}, PSU: psu.Context{IPAddress: "192.0.2.1", Locale: "sv-SE"}}
}

// authorizedConsent stores a consent that was authorized just now.
func (b *env) authorizedConsent() consent.Consent {
	b.Helper()
	c, err := b.consents.Draft(b.Context(), b.consentRequest())
	if err != nil {
		b.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return b.consents.Add(b.Context(), tx, c) })
	return b.apply(c.ID, consent.Opened{}, consent.Instructed{},
		consent.Granted{Scope: &c.Requested, ValidUntil: c.ExpiresAt})
}

// apply applies events to a consent, as the flow of consents would.
func (b *env) apply(id consent.ID, events ...consent.Event) consent.Consent {
	b.Helper()
	before, err := b.Store.Consent(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	c := before
	plain, err := json.Marshal(consent.Secret{RemoteID: "bank-1", Context: psu.Context{PersonalNumber: b.number, Locale: "sv-SE"}})
	if err != nil {
		b.Fatal(err)
	}
	if c.Sealed, err = b.Vault.Seal(b.Context(), c.Subject(), authorize.SecretPlace(c.ID), plain); err != nil {
		b.Fatal(err)
	}
	var last consent.Event // that ends the consent
	for _, e := range events {
		after, err := c.Apply(e, b.Clock.Now())
		if err != nil {
			b.Fatal(err)
		}
		if after.Status.Final() {
			last = e
			break
		}
		c = after
	}
	b.Write(func(tx store.Tx) (err error) {
		if c, err = tx.PutConsent(b.Context(), c); err != nil || c.CollectionID == "" || c.Status == before.Status {
			return err
		}
		return tx.WakeCollection(b.Context(), c.CollectionID, b.Clock.Now())
	})
	if last != nil {
		if c, err = b.consents.End(b.Context(), id, last); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// request returns a request for a collection with a stored consent, attended if ip is
// not empty.
func (b *env) request(c consent.Consent, ip string) collect.Request {
	return collect.Request{Owner: b.owner(), Company: theBank, ConsentID: c.ID, PSU: psu.Context{IPAddress: ip, UserAgent: "test/1"}}
}

func (b *env) owner() collect.Owner {
	return collect.Owner{ClientID: b.User.ClientID, UserID: b.User.ID}
}

func (b *env) start(r collect.Request) collection.Collection {
	b.Helper()
	c, err := b.Start(b.Context(), r, nil)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// handle runs the job of a collection once.
func (b *env) handle(id string) collection.Collection {
	b.Helper()
	b.MustRun(b.Handle, id)
	return b.row(id)
}

func (b *env) row(id string) collection.Collection { return storedCollection(b.Env, id) }

// storedCollection returns the row of a collection.
func storedCollection(b *flowtest.Env, id string) collection.Collection {
	b.Helper()
	c, err := b.Store.Collection(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func (b *env) rawCount(id string) int {
	b.Helper()
	raws, err := b.Store.RawAnswers(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return len(raws)
}

// item is the members of a product that these tests check.
type item struct {
	AccountName   string
	BookedBalance *struct{ Amount json.Number }
	Transactions  *[]struct{ TransactionID string }
}

// products returns the products of a collection by account.
func (b *env) products(id string) map[string]item {
	b.Helper()
	data, err := b.text(b.owner(), id)
	if err != nil {
		b.Fatal(err)
	}
	var list []item
	if err := json.Unmarshal(data, &list); err != nil {
		b.Fatal(err)
	}
	all := map[string]item{}
	for _, p := range list {
		all[p.AccountName] = p
	}
	return all
}

// wantComplete expects everything that the scripted bank has.
func (b *env) wantComplete(id string) {
	b.Helper()
	all := b.products(id)
	for account, rows := range map[string]int{"main": 3, "save": 1, "card": 1} {
		p, there := all[account]
		if !there || p.BookedBalance == nil || p.Transactions == nil || len(*p.Transactions) != rows {
			b.Errorf("account %s is told as %+v", account, p)
		}
	}
	if len(all) != 3 {
		b.Errorf("%d products", len(all))
	}
}

// wantEnded expects that the collection has ended with this status.
func (b *env) wantEnded(c collection.Collection, in collection.Status) {
	b.Helper()
	if c.Status != in || !c.WakeAt.IsZero() {
		b.Errorf("%s, looked at again at %s; want %s", c.Status, c.WakeAt, in)
	}
	if told := b.Told(c.ID); !slices.Equal(told, []string{"COLLECTION " + string(in)}) {
		b.Errorf("the client is told of %q", told)
	}
}

func isFault(t testing.TB, what string, err error, code fault.Code) *fault.Fault {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("%s: got %v, want %s", what, err, code)
	}
	return f
}

// profile changes the profile of the bank, as a changed banks file does.
func (b *env) profile(change func(*institution.Profile)) {
	change(&b.bank.profile)
	b.Institutions.(institution.Set)[theBank] = b.bank.institution()
}

// text returns the data of a collection.
func (b *env) text(o collect.Owner, id string) ([]byte, error) {
	data, err := b.Data(b.Context(), o, id)
	if err != nil {
		return nil, err
	}
	return data.Plain(b.Context())
}

// messages claims the due messages of the outbox and returns those of a kind.
func messages(b *flowtest.Env, of outbox.Kind) (found []outbox.Message) {
	b.Helper()
	due, err := b.Store.Claim(b.Context(), store.Outbox, b.Clock.Now(), time.Hour, store.ClaimLimit{Rows: 100})
	if err != nil {
		b.Fatal(err)
	}
	for _, j := range due {
		m, err := b.Store.OutboxMessage(b.Context(), j.ID)
		if err != nil {
			b.Fatal(err)
		}
		if m.Kind == of {
			found = append(found, m)
		}
	}
	return found
}
