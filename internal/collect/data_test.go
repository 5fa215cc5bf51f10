package collect_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/product"
	"samla/internal/store"
)

func TestData_FollowsTheStatus(t *testing.T) {
	b := newEnv(t)
	running := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	_, err := b.text(b.owner(), running.ID)
	isFault(t, "running", err, fault.CollectionNotFinished)
	done := b.handle(running.ID)
	b.Clock.Set(done.DataUntil.Add(-time.Second))
	b.wantComplete(done.ID)
	b.Clock.Set(done.DataUntil)
	_, err = b.text(b.owner(), done.ID)
	isFault(t, "too old", err, fault.DataExpired)

	b = newEnv(t)
	b.bank.accounts, b.bank.cards = nil, nil
	empty := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(empty, collection.CompletedEmpty)
	if data, err := b.text(b.owner(), empty.ID); err != nil || string(data) != "[]" {
		t.Errorf("empty: %s, %v", data, err)
	}

	b = newEnv(t)
	forgotten := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	_, err = b.text(b.owner(), forgotten.ID)
	isFault(t, "forgotten", err, fault.DataExpired)
	b.wantEnded(b.handle(b.row(forgotten.ID).ID), collection.Completed)
}

// Products that a later version stored are not returned unconverted.
func TestData_RefusesUnknownForm(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	stored, err := b.Store.Products(t.Context(), c.ID)
	if err != nil || stored.Form != product.Form {
		t.Fatalf("stored in form %d, %v", stored.Form, err)
	}
	stored.Form++
	b.Write(func(tx store.Tx) error {
		if err := tx.PutPackedProducts(t.Context(), c.ID, stored); err != nil {
			return err
		}
		return tx.PutProducts(t.Context(), c.ID, stored)
	})
	if _, err := b.text(b.owner(), c.ID); !errors.Is(err, product.ErrUnknownForm) {
		t.Errorf("got %v", err)
	}
}

// A collection of a user who was erased before the run reads nothing.
func TestCollection_FailsWhenUserIsErased(t *testing.T) {
	b := newEnv(t)
	c := b.start(b.request(b.authorizedConsent(), "192.0.2.7"))
	b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
	b.Vault.Evict(b.User.ID)
	b.wantEnded(b.handle(c.ID), collection.Failed)
	if len(b.bank.asked) != 0 {
		t.Error("the bank was read")
	}
}

// What the release before has stored has no packed form.
func TestData_ReadsProductsOfTheReleaseBefore(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	want, err := b.text(b.owner(), c.ID)
	if err != nil || len(want) < 100 {
		t.Fatal(len(want), err)
	}
	stored, err := b.Store.Products(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(func(tx store.Tx) error {
		if err := tx.EraseData(t.Context(), c.ID); err != nil {
			return err
		}
		return tx.PutProducts(t.Context(), c.ID, stored)
	})
	b.Clock.Advance(time.Minute) // what is in memory is too old
	if got, err := b.text(b.owner(), c.ID); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes instead of %d, %v", len(got), len(want), err)
	}
}

// A public pension is stored, and not served at 2026-04-01. What is served is not what is
// stored then, so no packed form is stored, however large the data is.
func TestData_IsServedWithoutPublicPensions(t *testing.T) {
	b := newEnv(t)
	large := strings.Repeat("x", 9<<10)
	b.bank.products = []product.Product{
		&product.PublicPension{Head: product.Head{Type: product.PublicPensionType}},
		&product.Investment{Head: product.Head{Type: product.ISK}, ProductName: large},
	}
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	if _, err := b.Store.PackedProducts(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a packed form is stored: %v", err)
	}
	for range 2 { // from the store and from memory
		data, err := b.Data(t.Context(), b.owner(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for served, data := range map[bool]collect.Data{false: data, true: data.Served()} {
			text, err := data.Plain(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			products, err := product.ReadAll(text)
			want := 5 // of three accounts, and those of above
			if served {
				want--
			}
			if err != nil || len(products) != want || bytes.Contains(text, []byte(`"PUBLIC_PENSION"`)) == served || !bytes.Contains(text, []byte(large)) {
				t.Errorf("served %v: %d products, %v", served, len(products), err)
			}
		}
	}
}

// Data in memory gives nothing after the data was erased, also by another node.
func TestData_IsNotAnsweredFromMemoryAfterErasing(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	other := b.service()
	for _, s := range []*collect.Service{b.Service, other} {
		data, err := s.Data(t.Context(), b.owner(), c.ID)
		if err == nil {
			_, err = data.Plain(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Erase(t.Context(), b.owner(), c.ID); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*collect.Service{b.Service, other} {
		_, err := s.Data(t.Context(), b.owner(), c.ID)
		isFault(t, "erased", err, fault.DataExpired)
	}
}
