package accounts_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/accounts"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/event"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/store"
)

// env is a node with the accounts of one user.
type env struct {
	*flowtest.Env
	*accounts.Service
}

func onBoth(t *testing.T, test func(*testing.T, *env)) {
	for name, database := range map[string]func(*testing.T) string{"sqlite": func(t *testing.T) string { return t.TempDir() },
		"postgres": func(t *testing.T) string { return flowtest.Postgres(t) }} {
		t.Run(name, func(t *testing.T) { test(t, of(flowtest.New(t, database(t)))) })
	}
}

func of(b *flowtest.Env) *env {
	return &env{b, accounts.New(accounts.Deps{Store: b.Store, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs, Log: slog.New(slog.DiscardHandler)})}
}

func (b *env) owner() accounts.Owner {
	return accounts.Owner{ClientID: b.Env.User.ClientID, UserID: b.Env.User.ID}
}

const ibanX, ibanY = "SE4550000000058398257466", "SE1150000000054783107654"

// completed stores a collection that is completed now with accounts of these IBANs, and
// returns its message.
func (b *env) completed(ibans ...string) outbox.Message {
	b.Helper()
	b.Clock.Advance(time.Minute)
	now := b.Clock.Now()
	c := collection.Collection{ID: b.IDs.New(), ClientID: b.Env.User.ClientID, UserID: b.Env.User.ID, Company: "se-demo", Mode: collection.OneTime,
		Status: collection.Completed, CreatedAt: now, StatusChangedAt: now, PolledAt: now, DataUntil: now.Add(time.Hour)}
	report := collection.Report{Listed: true}
	var products []product.Product
	for _, iban := range ibans {
		p := &product.Psd2Account{Head: product.Head{ID: b.IDs.New(), Type: product.Psd2CheckingAccount, Company: c.Company, CompanyDisplayName: "Demo"},
			AccountID: "acc", AccountName: "Privatkonto of " + c.ID, IBAN: iban, Currency: "SEK"}
		products = append(products, p)
		report.Products = append(report.Products, collection.ProductReport{ID: p.ID, Transactions: true})
	}
	text, err := product.AppendAll(nil, products)
	if err != nil {
		b.Fatal(err)
	}
	said, _ := json.Marshal(report)
	m := outbox.Message{ID: c.ID, Kind: outbox.ApplyCollection, CreatedAt: now, WakeAt: now, Sealed: b.sealed(collect.ReportPlace(c.ID), said)}
	stored := collection.Products{Form: product.Form, Sealed: b.sealed(seal.Place{Table: "products", Column: "sealed", Row: c.ID}, text)}
	b.Write(func(tx store.Tx) error {
		return errors.Join(tx.AddCollection(b.Context(), c), tx.PutProducts(b.Context(), c.ID, stored), tx.AddOutboxMessage(b.Context(), m))
	})
	return m
}

func (b *env) sealed(at seal.Place, plain []byte) []byte {
	b.Helper()
	sealed, err := b.Vault.Seal(b.Context(), b.Env.User.ID, at, plain)
	if err != nil {
		b.Fatal(err)
	}
	return sealed
}

func (b *env) apply(m outbox.Message) {
	b.Helper()
	if err := b.Apply(b.Context(), m); err != nil {
		b.Fatal(err)
	}
	if _, err := b.Store.OutboxMessage(b.Context(), m.ID); !errors.Is(err, store.ErrNotFound) {
		b.Errorf("the message is still there: %v", err)
	}
}

// list returns the accounts of the user by IBAN. It fails if one is there twice.
func (b *env) list() map[string]accounts.Listed {
	b.Helper()
	all, err := b.List(b.Context(), b.owner())
	if err != nil {
		b.Fatal(err)
	}
	by := map[string]accounts.Listed{}
	for _, a := range all {
		iban := a.Newest().Shown.IBAN
		if _, twice := by[iban]; twice {
			b.Errorf("there are two accounts of one IBAN")
		}
		by[iban] = a
	}
	return by
}

func (b *env) rev() int64 {
	set, err := b.Store.Accounts(b.Context(), b.Env.User.ClientID, b.Env.User.ID)
	if err != nil {
		b.Fatal(err)
	}
	return set.Rev
}

func TestApply_OnceForEachCollection(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		m := b.completed(ibanX, ibanY)
		b.apply(m)
		first := b.list()
		if len(first) != 2 {
			t.Fatalf("%d accounts", len(first))
		}
		rev := b.rev()
		b.apply(m) // again, from a node that has read the message before it was deleted
		if b.rev() != rev {
			t.Error("a collection was applied twice")
		}
		older, newer := b.completed(ibanX, ibanY), b.completed(ibanX)
		b.apply(newer)
		if s, _ := ptr(b.list()[ibanY]).State(); s != "NOT_SEEN" {
			t.Errorf("not listed any more: %s", s)
		}
		b.apply(older) // late
		now := b.list()
		if now[ibanX].ID != first[ibanX].ID || now[ibanY].ID != first[ibanY].ID || !strings.HasSuffix(ptr(now[ibanX]).Newest().Shown.Name, newer.ID) {
			t.Errorf("after a collection that was applied late: %+v", now)
		}
	})
}

func ptr[T any](v T) *T { return &v }

// Two nodes that apply collections of one user at once make no account twice, and each
// collection counts.
func TestApply_AtTwoNodesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		nodes := []*env{b, of(b.Node())}
		var all []outbox.Message
		for range 4 {
			all = append(all, b.completed(ibanX, ibanY))
		}
		var wg sync.WaitGroup
		for _, m := range all {
			for _, n := range nodes {
				wg.Go(func() {
					if err := n.Apply(t.Context(), m); err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		got := b.list()
		if len(got) != 2 || b.rev() != int64(len(all)) || !strings.HasSuffix(ptr(got[ibanX]).Newest().Shown.Name, all[3].ID) {
			t.Errorf("%d accounts, revision %d", len(got), b.rev())
		}
	})
}

// failing is a store whose commits fail, before or after they are on disk.
type failing struct {
	store.Store
	before, after bool
}

var errKilled = errors.New("killed")

func (s *failing) Write(ctx context.Context, fn func(store.Tx) error) error {
	if s.before {
		return errKilled
	}
	err := s.Store.Write(ctx, fn)
	if err == nil && s.after {
		return errKilled
	}
	return err
}

// A process that dies at the commit leaves all or nothing, and the next one goes on.
func TestApply_GoesOnAfterAKill(t *testing.T) {
	for _, s := range []failing{{before: true}, {after: true}} {
		onBoth(t, func(t *testing.T, b *env) {
			m := b.completed(ibanX)
			f := s
			f.Store = b.Store
			dying := accounts.New(accounts.Deps{Store: &f, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs, Log: slog.New(slog.DiscardHandler)})
			if err := dying.Apply(t.Context(), m); !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			b.apply(m)
			if len(b.list()) != 1 || b.rev() != 1 {
				t.Errorf("%d accounts, revision %d", len(b.list()), b.rev())
			}
		})
	}
}

func TestApply_TellsOfNewsOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		told := func() (n int) {
			b.Write(func(tx store.Tx) error {
				found, err := tx.SequenceEvents(t.Context(), b.Clock.Now(), 100)
				for _, e := range found {
					if e.Type == event.TypeAccountUpdated && e.UserID == b.Env.User.ID && !strings.Contains(string(e.Body), "SE") {
						n++
					}
				}
				return err
			})
			return n
		}
		b.apply(b.completed(ibanX, ibanY))
		if n := told(); n != 2 {
			t.Errorf("%d events of two new accounts", n)
		}
		b.apply(b.completed()) // neither is listed any more
		if n := told(); n != 2 {
			t.Errorf("%d events of two accounts that are gone", n)
		}
		b.apply(b.completed())
		if n := told(); n != 0 {
			t.Errorf("%d events of nothing new", n)
		}
	})
}

// What cannot be applied stays for an operator, and changes neither accounts nor the
// collection.
func TestApply_FailsVisibly(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		m := b.completed(ibanX)
		for name, sealed := range map[string][]byte{"not JSON": b.sealed(collect.ReportPlace(m.ID), []byte("x")), "not sealed for it": []byte("x")} {
			bad := m
			bad.Sealed = sealed
			err := b.Apply(t.Context(), bad)
			if err == nil || strings.Contains(err.Error(), "SE45") {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := b.Store.OutboxMessage(t.Context(), m.ID); err != nil {
				t.Errorf("%s: the message: %v", name, err)
			}
		}
		if c, err := b.Store.Collection(t.Context(), m.ID); err != nil || c.Status != collection.Completed || b.rev() != 0 {
			t.Errorf("%+v, %v, revision %d", c.Status, err, b.rev())
		}
	})
}

// A user who is erased gets no accounts, whenever that happens, and no message is left.
func TestApply_NothingForAnErasedUser(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		anonymize := func() {
			b.Write(func(tx store.Tx) error {
				u, err := tx.User(t.Context(), b.Env.User.ClientID, b.Env.User.ID)
				if err != nil {
					return err
				}
				gone, _ := u.Anonymize(b.Clock.Now())
				return tx.PutUser(t.Context(), u, gone)
			})
		}
		m, late, erased := b.completed(ibanX), b.completed(ibanX), b.completed(ibanX)
		during := &flowtest.Overtaken{Store: b.Store, By: anonymize}
		s := accounts.New(accounts.Deps{Store: during, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs, Log: slog.New(slog.DiscardHandler)})
		if err := s.Apply(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		b.Write(func(tx store.Tx) error { return tx.EraseData(t.Context(), erased.ID) })
		b.apply(erased)
		b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.Env.User.ID, b.Clock.Now()) })
		b.Vault.Evict(b.Env.User.ID)
		b.apply(late)
		if b.rev() != 0 {
			t.Error("an erased user has accounts")
		}
		if list, err := b.List(t.Context(), b.owner()); err != nil || len(list) > 0 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

// A merge that another change overtakes is computed again from the newer accounts.
func TestMerge_StartsAgainWhenOvertaken(t *testing.T) {
	onBoth(t, func(t *testing.T, b *env) {
		b.apply(b.completed(ibanX, ibanY))
		x, y := b.list()[ibanX].ID, b.list()[ibanY].ID
		newer := b.completed(ibanX, ibanY)
		during := &flowtest.Overtaken{Store: b.Store, By: func() { b.apply(newer) }}
		s := accounts.New(accounts.Deps{Store: during, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs, Log: slog.New(slog.DiscardHandler)})
		merged, err := s.Merge(t.Context(), b.owner(), x, y)
		if err != nil || len(merged.Links) != 2 || merged.Links[0].Collection != newer.ID {
			t.Fatalf("%+v, %v", merged, err)
		}
		if err := b.Delete(t.Context(), b.owner(), y); fault.CodeOf(err) != fault.AccountNotFound {
			t.Errorf("the account that was merged is still there: %v", err)
		}
		if _, err := b.Merge(t.Context(), b.owner(), x, fmt.Sprint(y)); fault.CodeOf(err) != fault.AccountNotFound {
			t.Errorf("merged twice: %v", err)
		}
	})
}
