package feeds_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"samla/internal/feeds"
	"samla/internal/flowtest"
	"samla/internal/ledger"
	"samla/internal/money"
	"samla/internal/product"
	"samla/internal/store"
)

// onBoth runs a test over both stores.
func onBoth(t *testing.T, test func(*env)) {
	t.Run("sqlite", func(t *testing.T) { test(newEnv(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(newEnv(t, flowtest.Postgres(t))) })
}

// onSQLite runs a test of what does not depend on the store.
func onSQLite(t *testing.T, test func(*env)) { test(newEnv(t, t.TempDir())) }

// env is a node with the feeds of one user.
type env struct {
	*flowtest.Env
	*feeds.Service
}

func newEnv(tb testing.TB, database string) *env { return of(flowtest.New(tb, database)) }

func of(b *flowtest.Env) *env {
	return &env{b, feeds.New(feeds.Deps{Store: b.Store, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs})}
}

// paid reads a transaction: + or - for booked and pending with the day of March 2026, the
// amount and the description.
func paid(text string) product.Psd2Transaction {
	words := strings.Fields(text)
	amount := money.Must(words[1], "SEK")
	t := product.Psd2Transaction{AccountID: "acc-of-products", TransactionID: "id " + text, Amount: amount, Direction: product.DirectionOf(amount), Status: product.Booked,
		Description: words[2]}
	if words[0][0] == '-' {
		t.Status = product.Pending
	}
	day, err := strconv.Atoi(words[0][1:])
	if err != nil {
		panic(err)
	}
	t.BookingDate = product.DateOf(time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC))
	return t
}

// reading is a wholly read list from the first of March, read now.
func (e *env) reading(account, link string, texts ...string) feeds.Reading {
	r := feeds.Reading{AccountID: account, Link: link, At: e.Clock.Now(), Whole: true, From: "2026-03-01", Transactions: []product.Psd2Transaction{}}
	for _, text := range texts {
		r.Transactions = append(r.Transactions, paid(text))
	}
	return r
}

// apply applies readings and moves as package accounts does, and returns what is new.
func (e *env) apply(c feeds.Change) map[string]feeds.News {
	e.Helper()
	c.UserID = e.User.ID
	sum := map[string]feeds.News{}
	for {
		p, err := e.Plan(e.Context(), c)
		if err != nil {
			e.Fatal(err)
		}
		err = e.Store.Write(e.Context(), func(tx store.Tx) error { return p.Write(e.Context(), tx) })
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			e.Fatal(err)
		}
		for id, n := range p.News {
			n.Added, n.Modified, n.Removed = n.Added+sum[id].Added, n.Modified+sum[id].Modified, n.Removed+sum[id].Removed
			sum[id] = n
		}
		if !p.More {
			return sum
		}
		c.Moves = nil
	}
}

func (e *env) read(readings ...feeds.Reading) map[string]feeds.News {
	e.Helper()
	return e.apply(feeds.Change{Readings: readings})
}

// follower keeps a copy of one account's transactions.
type follower struct {
	account, cursor string
	generation      int64
	rows            map[string]string
}

func follow(account string) *follower { return &follower{account: account, rows: map[string]string{}} }

// page reads a page into the copy and reports whether more follow.
func (f *follower) page(e *env, limit int) (feeds.Page, error) {
	p, err := e.PageOf(e.Context(), f.account, f.cursor, limit)
	if err != nil {
		return p, err
	}
	for _, row := range p.Rows {
		if row.Kind == ledger.Gone {
			delete(f.rows, row.ID)
			continue
		}
		if _, has := f.rows[row.ID]; !has && row.Kind == ledger.Modified {
			return p, fmt.Errorf("row %s is modified, and was never added", row.ID)
		}
		if f.rows[row.ID] = `{"id":""` + string(row.Form); !json.Valid([]byte(f.rows[row.ID])) {
			return p, fmt.Errorf("not JSON: %s", f.rows[row.ID])
		}
	}
	f.cursor, f.generation = p.Next, p.Generation
	return p, nil
}

// follows reads to the end.
func (f *follower) follows(e *env, limit int) *follower {
	e.Helper()
	for {
		p, err := f.page(e, limit)
		if err != nil {
			e.Fatal(err)
		}
		if !p.More {
			return f
		}
	}
}

// same fails unless the copy is what a new follower gets.
func (f *follower) same(e *env) {
	e.Helper()
	if fresh := follow(f.account).follows(e, 100); !maps.Equal(f.rows, fresh.rows) {
		e.Errorf("the copy has %d rows, a new one %d", len(f.rows), len(fresh.rows))
	}
}

// has fails unless the account has the transactions.
func (e *env) has(account string, texts ...string) {
	e.Helper()
	want, got := map[string]int{}, map[string]int{}
	for _, text := range texts {
		t := paid(text)
		want[`{"id":""`+string(ledger.AppendForm(nil, &t))]++
	}
	for _, form := range follow(account).follows(e, 3).rows {
		got[form]++
	}
	if !maps.Equal(got, want) {
		e.Errorf("account %s has %v, want %v", account, got, want)
	}
}
