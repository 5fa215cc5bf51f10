package collect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/store"
)

func TestStop_EndsInnerConsent(t *testing.T) {
	b := newEnv(t)
	c := b.oneTime()
	b.apply(c.ConsentID, consent.Opened{}, consent.Instructed{})
	for range 2 {
		stopped, err := b.Stop(t.Context(), b.owner(), c.ID)
		if err != nil || stopped.Status != collection.AuthenticationCancelled {
			t.Errorf("stopped as %s, %v", stopped.Status, err)
		}
	}
	if inner := b.Consent(c.ConsentID); inner.Status != consent.Revoked {
		t.Errorf("the consent inside is %s", inner.Status)
	}
	b.wantRevocation("stopped", "bank-1")
	_, err := b.Stop(t.Context(), collect.Owner{ClientID: b.User.ClientID, UserID: b.IDs.New()}, c.ID)
	isFault(t, "another user's", err, fault.CollectionNotFound)
	_, err = b.Stop(t.Context(), b.owner(), b.IDs.New())
	isFault(t, "unknown", err, fault.CollectionNotFound)
}

func TestErase_DeletesData(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	for range 2 {
		if err := b.Erase(t.Context(), b.owner(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.text(b.owner(), c.ID)
	isFault(t, "erased", err, fault.DataExpired)
	if n := b.rawCount(c.ID); n != 0 {
		t.Errorf("%d answers are left", n)
	}
	if _, err := b.Store.Products(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("products are left: %v", err)
	}
	isFault(t, "another client's", b.Erase(t.Context(), collect.Owner{ClientID: b.IDs.New()}, c.ID), fault.CollectionNotFound)
}

// A collection that is stopped during a run stays stopped, and its answers are deleted.
func TestStop_EndsRunInProgress(t *testing.T) {
	for name, stop := range map[string]func(*env, string) error{
		"cancelled": func(b *env, id string) error { _, err := b.Stop(b.Context(), b.owner(), id); return err },
		"deleted":   func(b *env, id string) error { return b.Erase(b.Context(), b.owner(), id) },
	} {
		b := newEnv(t)
		b.bank.fetches = func(_ context.Context, q institution.Question, _ int) error {
			b.Clock.Advance(time.Second)
			if q.Link == "main/2" {
				return stop(b, b.row(b.bank.collection(b)).ID)
			}
			return nil
		}
		c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
		b.wantEnded(c, collection.AuthenticationCancelled)
		if n := b.rawCount(c.ID); n != 0 {
			t.Errorf("%s: %d answers stay", name, n)
		}
		if all, _ := b.bank.count(""); all == whole {
			t.Errorf("%s: the bank was read to the end", name)
		}
		_, err := b.text(b.owner(), c.ID)
		isFault(t, name, err, fault.CollectionFailed)
	}
}

// collection returns the id of the user's newest collection.
func (*scripted) collection(b *env) string {
	list, err := b.List(b.Context(), b.owner(), nil, false, store.Page{Limit: 1})
	if err != nil || len(list) != 1 {
		b.Fatalf("%d collections, %v", len(list), err)
	}
	return list[0].ID
}
