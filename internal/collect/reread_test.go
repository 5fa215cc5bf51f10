package collect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/product"
	"samla/internal/seal"
	"samla/internal/store"
)

// rereader returns a Rereader over the store of the environment.
func (b *env) rereader() *collect.Rereader {
	return collect.NewRereader(collect.RereaderDeps{Store: b.Store, Vault: b.Vault, Institutions: b.Institutions, Clock: b.Clock, IDs: b.IDs})
}

// completed returns a collection that was completed, and applied to the accounts.
func (b *env) completed(ip string) collection.Collection {
	b.Helper()
	c := b.handle(b.start(b.request(b.authorizedConsent(), ip)).ID)
	b.applied(c.ID)
	return c
}

func (b *env) applied(id string) {
	b.Helper()
	b.Write(func(tx store.Tx) error { return tx.DeleteOutboxMessage(b.Context(), id) })
}

func (b *env) reread(id string) *collect.Reread {
	b.Helper()
	again, err := b.rereader().Read(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return again
}

// ids are the ids in the data of a collection.
func (b *env) ids(id string) (ids []string) {
	b.Helper()
	text, err := b.text(b.owner(), id)
	if err != nil {
		b.Fatal(err)
	}
	all, err := product.ReadAll(text)
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range all {
		a := p.(*product.Psd2Account)
		ids = append(ids, a.ID, a.AccountID)
		for _, t := range a.Transactions {
			ids = append(ids, t.TransactionID)
		}
	}
	slices.Sort(ids)
	return ids
}

func TestReread_GivesTheSameProducts(t *testing.T) {
	for name, ip := range map[string]string{"attended": "192.0.2.1", "unattended": ""} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			b.number = "191212121212"
			c := b.completed(ip)
			if c.Mapping != 7001 {
				t.Errorf("made by mapping %d", c.Mapping)
			}
			asked, _ := b.bank.count("")
			b.Clock.Advance(24 * time.Hour)
			again := b.reread(c.ID)
			if again.Changed() {
				t.Errorf("before %s\nafter  %s", again.Before, again.After)
			}
			if !bytes.Contains(again.After, []byte("191212121212")) {
				t.Error("the number of the person is missing")
			}
			if now, _ := b.bank.count(""); now != asked {
				t.Error("the bank was asked")
			}
		})
	}
}

func TestReread_StoresWhatChangedAndKeepsTheRest(t *testing.T) {
	b := newEnv(t)
	c := b.completed("192.0.2.1")
	ids := b.ids(c.ID)
	before, err := b.Data(b.Context(), b.owner(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.bank.accounts[0].Name = "main, as today's mapping names it" // as a newer Read would
	b.bank.profile.HistoryAttended++                              // a setting that changes the day that is asked for
	b.Clock.Advance(time.Hour)
	again := b.reread(c.ID)
	if !again.Changed() {
		t.Fatal("nothing has changed")
	}
	if err := b.rereader().Store(b.Context(), again); err != nil {
		t.Fatal(err)
	}
	now := b.row(c.ID)
	if now.Rev != c.Rev+1 {
		t.Errorf("row version %d after %d", now.Rev, c.Rev)
	}
	want := c
	want.Rev = now.Rev
	want.PolledAt = now.PolledAt
	if a, z := asJSON(t, want), asJSON(t, now); a != z {
		t.Errorf("the collection is %s, want %s", z, a)
	}
	if got := b.ids(c.ID); !slices.Equal(got, ids) {
		t.Errorf("ids %v, want %v", got, ids)
	}
	if all := b.products(c.ID); len(*all["main, as today's mapping names it"].Transactions) != 3 {
		t.Errorf("products %v", all)
	}
	if after, err := b.Data(b.Context(), b.owner(), c.ID); err != nil || after.Tag() == before.Tag() {
		t.Errorf("the tag is still %s, %v", before.Tag(), err)
	}
	told := messages(b.Env, outbox.ApplyCollection)
	if len(told) != 1 || told[0].ID != c.ID {
		t.Fatalf("%d messages", len(told))
	}
	plain, err := b.Vault.Open(b.Context(), c.Subject(), collect.ReportPlace(c.ID), told[0].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	var report collection.Report
	if err := json.Unmarshal(plain, &report); err != nil || !report.Again || report.Listed || len(report.Products) != 3 {
		t.Errorf("report %s, %v", plain, err)
	}
	for _, p := range report.Products {
		if !slices.Contains(ids, p.ID) || len(p.Identifiers.Resources) == 0 {
			t.Errorf("the report has %+v", p)
		}
	}
	if again := b.reread(c.ID); again.Changed() {
		t.Error("it changes again")
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A packed form that is there is replaced too, and goes where the text is small now.
func TestReread_ReplacesThePackedForm(t *testing.T) {
	b := newEnv(t)
	long := strings.Repeat("a long name ", 1000)
	b.bank.accounts[0].Name = long
	c := b.completed("192.0.2.1")
	if _, err := b.Store.PackedProducts(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{strings.Repeat("another name ", 1000), "short"} {
		b.bank.accounts[0].Name = name
		if err := b.rereader().Store(t.Context(), b.reread(c.ID)); err != nil {
			t.Fatal(err)
		}
		b.applied(c.ID)
		if text, err := b.text(b.owner(), c.ID); err != nil || !bytes.Contains(text, []byte(name[:5])) || bytes.Contains(text, []byte(long[:20])) {
			t.Errorf("the data is %.100s, %v", text, err)
		}
	}
	if _, err := b.Store.PackedProducts(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the packed form of small data: %v", err)
	}
}

// What was erased or has expired before it is stored does not come back.
func TestReread_RevivesNothing(t *testing.T) {
	for name, end := range map[string]func(*env, collection.Collection){
		"erased": func(b *env, c collection.Collection) {
			if err := b.Erase(b.Context(), b.owner(), c.ID); err != nil {
				b.Fatal(err)
			}
		},
		"expired": func(b *env, c collection.Collection) { b.Clock.Advance(c.DataUntil.Sub(b.Clock.Now())) },
		"swept": func(b *env, c collection.Collection) {
			b.Write(func(tx store.Tx) error {
				_, _, err := tx.Sweep(b.Context(), c.DataUntil, time.Hour)
				return err
			})
		},
		"user erased": func(b *env, c collection.Collection) {
			u := b.User
			u.AnonymizedAt = b.Clock.Now()
			b.Write(func(tx store.Tx) error { return tx.PutUser(b.Context(), b.User, u) })
		},
		"data of the user erased": func(b *env, c collection.Collection) {
			b.Write(func(tx store.Tx) error {
				_, err := tx.EraseUserData(b.Context(), b.User.ID, "", b.Clock.Now(), 10)
				return err
			})
		},
		"key destroyed": func(b *env, c collection.Collection) {
			b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(b.Context(), b.User.ID, b.Clock.Now()) })
			b.Vault.Evict(b.User.ID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newEnv(t)
			c := b.completed("192.0.2.1")
			b.bank.accounts[0].Name = "another name"
			again := b.reread(c.ID)
			end(b, c)
			if err := b.rereader().Store(t.Context(), again); !errors.Is(err, collect.ErrGone) && !errors.Is(err, store.ErrConflict) {
				t.Errorf("stored: %v", err)
			}
			if p, err := b.Store.Products(t.Context(), c.ID); err == nil {
				if text, err := b.Vault.Open(t.Context(), c.Subject(), productsAt(c.ID), p.Sealed); err == nil && bytes.Contains(text, []byte("another name")) {
					t.Error("the new products are stored")
				}
			}
			if told := messages(b.Env, outbox.ApplyCollection); len(told) != 0 {
				t.Errorf("%d messages", len(told))
			}
			if name != "user erased" { // its data is still there for a moment
				if _, err := b.rereader().Read(t.Context(), c.ID); !errors.Is(err, collect.ErrGone) {
					t.Errorf("read again: %v", err)
				}
			}
		})
	}
}

func TestReread_ReadsNoMoreThanTheConsentAndTheFilterCover(t *testing.T) {
	b := newEnv(t)
	r := b.consentRequest()
	r.Scope.Transactions = false
	under, err := b.consents.Draft(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error { return b.consents.Add(t.Context(), tx, under) })
	c := b.handle(b.start(b.request(b.apply(under.ID, granted(under)...), "192.0.2.1")).ID)
	b.applied(c.ID)
	again := b.reread(c.ID)
	if again.Changed() || bytes.Contains(again.After, []byte("transactions")) {
		t.Errorf("after %s", again.After)
	}

	whole := b.completed("192.0.2.1")
	var main string
	all, err := product.ReadAll(b.reread(whole.ID).After)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if a := p.(*product.Psd2Account); a.AccountName == "main" {
			main = a.AccountID
		}
	}
	request := b.request(b.authorizedConsent(), "192.0.2.1")
	request.Filter = []string{main}
	c = b.handle(b.start(request).ID)
	if again := b.reread(c.ID); again.Changed() || bytes.Contains(again.After, []byte(`"save"`)) {
		t.Errorf("after %s", again.After)
	}
}

func TestReread_ErrorsLeaveTheCollectionAsItIs(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.1")).ID)
	b.bank.accounts[0].Name = "another name"
	again := b.reread(c.ID)
	if err := b.rereader().Store(t.Context(), again); !errors.Is(err, collect.ErrNotApplied) {
		t.Errorf("before it is applied: %v", err)
	}
	b.applied(c.ID)
	if err := b.rereader().Store(t.Context(), again); err != nil {
		t.Error(err)
	}
	if err := b.rereader().Store(t.Context(), again); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second time: %v", err)
	}
	if _, known := b.rereader().Mapping("se-other"); known {
		t.Error("a bank that is not configured has a mapping")
	}
	b.Write(func(tx store.Tx) error {
		if err := tx.EraseData(t.Context(), c.ID); err != nil { // the raw answers alone are gone
			return err
		}
		return tx.PutProducts(t.Context(), c.ID, collection.Products{Form: product.Form, Sealed: b.sealedAt(c, "[]")})
	})
	if _, err := b.rereader().Read(t.Context(), c.ID); !errors.Is(err, collect.ErrNotRereadable) {
		t.Errorf("without answers: %v", err)
	}
}

func productsAt(id string) seal.Place {
	return seal.Place{Table: "products", Column: "sealed", Row: id}
}

func (b *env) sealedAt(c collection.Collection, text string) []byte {
	b.Helper()
	sealed, err := b.Vault.Seal(b.Context(), c.Subject(), productsAt(c.ID), []byte(text))
	if err != nil {
		b.Fatal(err)
	}
	return sealed
}

func granted(c consent.Consent) []consent.Event {
	return []consent.Event{consent.Opened{}, consent.Instructed{}, consent.Granted{Scope: &c.Requested, ValidUntil: c.ExpiresAt}}
}
