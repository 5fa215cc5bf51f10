package renormalise_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/accounts"
	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/feeds"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/renormalise"
	"samla/internal/sandbox/pki"
	"samla/internal/seal"
	"samla/internal/store"
)

const theBank = "se-testbank"

// collector is the connector to banks, with a mapping that a test makes newer: then texts
// have no mark of the old one. Each exchange is counted.
type collector struct {
	institution.Collector
	newer   bool
	fetched *atomic.Int32
}

func (c collector) Mapping() int {
	if c.newer {
		return c.Collector.Mapping() + 1
	}
	return c.Collector.Mapping()
}

func (c collector) Read(a institution.Answer) (institution.Reading, error) {
	if c.newer {
		a.Body = bytes.ReplaceAll(a.Body, []byte("~OLD~ "), nil)
	}
	return c.Collector.Read(a)
}

func (c collector) Fetch(context.Context, institution.Access, institution.Question) (institution.Answer, error) {
	c.fetched.Add(1)
	return institution.Answer{}, &institution.Error{Kind: institution.Unreachable}
}

var keys = sync.OnceValues(func() (*pki.Set, error) { return pki.Open("", clock.System().Now, nil) })

// env is a store with collections of one user.
type env struct {
	*flowtest.Env
	fetched  atomic.Int32
	bank     *xs2a.Bank
	accounts *accounts.Service
	under    consent.Consent
}

func newEnv(tb testing.TB, database string) *env {
	tb.Helper()
	e := envOf(tb, flowtest.New(tb, database))
	e.Write(func(tx store.Tx) error { return tx.AddConsent(tb.Context(), e.under) })
	return e
}

func envOf(tb testing.TB, of *flowtest.Env) *env {
	tb.Helper()
	set, err := keys()
	if err != nil {
		tb.Fatal(err)
	}
	e := &env{Env: of}
	e.bank, err = xs2a.New(xs2a.Config{BaseURL: "https://127.0.0.1:1/psd2"}, xs2a.Deps{Deps: institution.Deps{Clock: clock.System()},
		Keys: &xs2a.Keys{QWAC: &set.QWAC, QSEAL: &set.QSEAL, Roots: set.CA.Pool()}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.bank.Close)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	e.accounts = accounts.New(accounts.Deps{Store: e.Store, Vault: e.Vault, Clock: e.Clock, IDs: e.IDs, Log: log,
		Feed: feeds.New(feeds.Deps{Store: e.Store, Vault: e.Vault, Clock: e.Clock, IDs: e.IDs})})
	scope := consent.Scope{Balances: true, Transactions: true}
	e.under = consent.Consent{ID: consent.ID(e.IDs.New()), ClientID: e.User.ClientID, UserID: e.User.ID, Company: theBank, Status: consent.Authorized,
		Step: consent.StepKeep, Requested: scope, Granted: &scope, CreatedAt: flowtest.Start, StatusChangedAt: flowtest.Start,
		ExpiresAt: flowtest.Start.AddDate(1, 0, 0), SCAExpiresAt: flowtest.Start.AddDate(0, 6, 0)}
	return e
}

// institutions has the bank with the old or the newer mapping.
func (e *env) institutions(newer bool) institution.Set {
	return institution.Set{theBank: institution.Institution{Company: company.Company{ID: theBank, DisplayName: "Test bank", PSD2: true},
		Profile: institution.Profile{}.WithDefaults(), Collector: collector{e.bank, newer, &e.fetched}}}
}

func (e *env) runner(newer bool) renormalise.Runner {
	return renormalise.Runner{Store: e.Store, Clock: e.Clock, Rereader: collect.NewRereader(collect.RereaderDeps{Store: e.Store, Vault: e.Vault,
		Institutions: e.institutions(newer), Clock: e.Clock, IDs: e.IDs})}
}

// text has what the person must not be known by.
const (
	iban   = "SE4550000000058398257466"
	secret = "Zebrapostgatan"
)

// answers are those of a bank with one account and rows.
func answers(rows int, from string) []institution.Answer {
	var list []string
	for i := range rows {
		list = append(list, fmt.Sprintf(`{"transactionId":"%d","bookingDate":"2026-03-%02d","transactionAmount":{"amount":"-%d.25","currency":"SEK"},`+
			`"remittanceInformationUnstructured":"~OLD~ %s %d"}`, 7340+i, 1+i%28, 1834+i, secret, i))
	}
	accounts := institution.Question{Kind: "accounts", Essential: true, From: from}
	body := `{"accounts":[{"resourceId":"a1","iban":"` + iban + `","currency":"SEK","name":"~OLD~ Lönekonto","ownerName":"Astrid Quist",
"balances":[{"balanceType":"interimBooked","balanceAmount":{"amount":"48151.62","currency":"SEK"}}]}]}`
	return []institution.Answer{{Question: accounts, Body: []byte(body)}, {Body: []byte(`{"transactions":{"booked":[` + strings.Join(list, ",") + `]}}`)}}
}

// completed stores a collection with raw answers, as it is completed now with the old
// mapping, and its message.
func (e *env) completed(rows int) collection.Collection {
	e.Helper()
	e.Clock.Advance(time.Minute)
	c := e.stored(rows, e.User.ID)
	old := e.runner(false)
	again, err := old.Rereader.Read(e.Context(), c.ID)
	if err != nil {
		e.Fatal(err)
	}
	if err := old.Rereader.Store(e.Context(), again); err != nil {
		e.Fatal(err)
	}
	// The message says that it is read again. A completed collection says what is new.
	m, err := e.Store.OutboxMessage(e.Context(), c.ID)
	if err != nil {
		e.Fatal(err)
	}
	plain, err := e.Vault.Open(e.Context(), c.Subject(), collect.ReportPlace(c.ID), m.Sealed)
	if err != nil {
		e.Fatal(err)
	}
	m.Sealed = e.sealed(c, collect.ReportPlace(c.ID), bytes.Replace(plain, []byte(`"again":true`), []byte(`"listed":true`), 1))
	e.Write(func(tx store.Tx) error { return tx.PutOutboxMessage(e.Context(), m) })
	return c
}

// stored stores a collection with raw answers and without products.
func (e *env) stored(rows int, userID string) collection.Collection {
	c := e.collection(userID)
	e.Write(e.writes(c, answers(rows, "2026-01-01")))
	return c
}

// collection returns a completed collection.
func (e *env) collection(userID string) collection.Collection {
	now := e.Clock.Now()
	return collection.Collection{ID: e.IDs.New(), ClientID: e.User.ClientID, UserID: userID, ConsentID: e.under.ID, Company: theBank, Mode: collection.Stored,
		Attended: true, Status: collection.Completed, CreatedAt: now, StatusChangedAt: now, PolledAt: now, DataUntil: now.AddDate(0, 1, 0)}
}

// writes returns what stores a collection with its answers.
func (e *env) writes(c collection.Collection, said []institution.Answer) func(store.Tx) error {
	e.Helper()
	first, err := e.bank.Read(said[0])
	if err != nil {
		e.Fatal(err)
	}
	for _, q := range first.Questions {
		if q.Needs == institution.NeedsTransactions {
			said[1].Question = q
		}
	}
	var raws []collection.RawAnswer
	for i, a := range said {
		a.FetchedAt = c.CreatedAt
		plain, err := json.Marshal(a)
		if err != nil {
			e.Fatal(err)
		}
		raws = append(raws, collection.RawAnswer{CollectionID: c.ID, Seq: i, Kind: a.Question.Kind, FetchedAt: c.CreatedAt,
			Sealed: e.sealed(c, seal.Place{Table: "raws", Column: "sealed", Row: fmt.Sprintf("%s/%d", c.ID, i)}, plain)})
	}
	none := collection.Products{Form: product.Form, Sealed: e.sealed(c, productsPlace(c.ID), []byte("[]"))}
	return func(tx store.Tx) error {
		if err := tx.AddCollection(e.Context(), c); err != nil {
			return err
		}
		if err := tx.AddRawAnswers(e.Context(), raws); err != nil {
			return err
		}
		return tx.PutProducts(e.Context(), c.ID, none)
	}
}

func productsPlace(id string) seal.Place {
	return seal.Place{Table: "products", Column: "sealed", Row: id}
}

func (e *env) sealed(c collection.Collection, at seal.Place, plain []byte) []byte {
	e.Helper()
	sealed, err := e.Vault.Seal(e.Context(), c.Subject(), at, plain)
	if err != nil {
		e.Fatal(err)
	}
	return sealed
}

// products returns the stored products.
func (e *env) products(id string) string {
	e.Helper()
	stored, err := e.Store.Products(e.Context(), id)
	if err != nil {
		e.Fatal(err)
	}
	text, err := e.Vault.Open(e.Context(), e.User.ID, productsPlace(id), stored.Sealed)
	if err != nil {
		e.Fatal(err)
	}
	return string(text)
}

// apply applies the messages that are due to the accounts.
func (e *env) apply() {
	e.Helper()
	e.Clock.Advance(time.Second)
	due, err := e.Store.Claim(e.Context(), store.Outbox, e.Clock.Now(), time.Hour, store.ClaimLimit{Rows: 100})
	if err != nil {
		e.Fatal(err)
	}
	for _, j := range due {
		m, err := e.Store.OutboxMessage(e.Context(), j.ID)
		if err != nil || m.Kind != outbox.ApplyCollection {
			e.Fatal(m.Kind, err)
		}
		if err := e.accounts.Apply(e.Context(), m); err != nil {
			e.Fatal(err)
		}
	}
}

// news returns what clients were told of accounts since the last call.
func (e *env) news() (all []string) {
	e.Helper()
	e.Write(func(tx store.Tx) error {
		_, err := tx.SequenceEvents(e.Context(), e.Clock.Now(), math.MaxInt32)
		return err
	})
	events, err := e.Store.Events(e.Context(), store.EventFilter{ClientID: e.User.ClientID}, math.MaxInt32)
	if err != nil {
		e.Fatal(err)
	}
	for _, told := range events {
		if told.Type == event.TypeAccountUpdated {
			var body struct{ Added, Modified, Removed int }
			if err := json.Unmarshal(told.Body, &body); err != nil {
				e.Fatal(err)
			}
			all = append(all, fmt.Sprintf("%d added, %d modified, %d removed", body.Added, body.Modified, body.Removed))
		}
	}
	return all
}

func (e *env) run(r renormalise.Runner, o renormalise.Options) renormalise.Summary {
	e.Helper()
	done, err := r.Run(e.Context(), o)
	if err != nil {
		e.Fatal(err)
	}
	return done
}
