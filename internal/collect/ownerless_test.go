package collect_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/seal"
	"samla/internal/store"
)

// copied is a copy of a sealed column.
type copied struct {
	what   string
	at     seal.Place
	sealed []byte
}

// sealedColumns copies the sealed columns of a collection and of the consent inside.
func (b *env) sealedColumns(id string) []copied {
	b.Helper()
	c := b.row(id)
	inner := b.Consent(c.ConsentID)
	var all []copied
	if !inner.Status.Final() { // then it has no secret
		all = append(all, copied{"the consent's secret", authorize.SecretPlace(inner.ID), inner.Sealed})
	}
	if !c.Status.Terminal() {
		all = append(all, copied{"the collection's secret", seal.Place{Table: "collections", Column: "sealed", Row: id}, c.Sealed})
	}
	raws, err := b.Store.RawAnswers(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	for _, raw := range raws {
		all = append(all, copied{"a raw answer", seal.Place{Table: "raws", Column: "sealed", Row: id + "/" + strconv.Itoa(raw.Seq)}, raw.Sealed})
	}
	products, err := b.Store.Products(b.Context(), id)
	if err == nil {
		all = append(all, copied{"the products", seal.Place{Table: "products", Column: "sealed", Row: id}, products.Sealed})
	} else if !errors.Is(err, store.ErrNotFound) {
		b.Fatal(err)
	}
	return all
}

// wantOpening expects this error of opening every copy.
func (b *env) wantOpening(subject string, all []copied, want error) {
	b.Helper()
	node := b.Node() // another node, or this one after a restart
	for _, c := range all {
		for _, vault := range []seal.Vault{b.Vault, node.Vault} {
			if _, err := vault.Open(b.Context(), subject, c.at, c.sealed); !errors.Is(err, want) {
				b.Errorf("%s: opening it gives %v, want %v", c.what, err, want)
			}
		}
	}
}

// The data key of a collection without a user is destroyed when the collection ends
// without data, is erased, or its retention is over.
func TestDataKey_OfOwnerlessCollectionIsDestroyed(t *testing.T) {
	completed := func(b *env, c collection.Collection) {
		inner := b.Consent(c.ConsentID)
		b.apply(inner.ID, consent.Granted{Scope: &inner.Requested, ValidUntil: inner.ExpiresAt})
		b.wantEnded(b.handle(c.ID), collection.Completed)
	}
	ends := map[string]struct {
		before func(*env, collection.Collection) // the columns are copied after it
		end    func(*env, collection.Collection)
	}{
		"cancelled": {end: func(b *env, c collection.Collection) {
			if _, err := b.Stop(b.Context(), b.clientOnly(), c.ID); err != nil {
				b.Fatal(err)
			}
		}},
		"erased while it runs": {end: func(b *env, c collection.Collection) { b.erase(c.ID) }},
		"not polled": {end: func(b *env, c collection.Collection) {
			b.Clock.Advance(2 * time.Minute)
			b.wantEnded(b.handle(c.ID), collection.AuthenticationTimeout)
		}},
		"not signed": {end: func(b *env, c collection.Collection) {
			b.apply(c.ConsentID, consent.FailedWith{Code: consent.AuthenticationCancelled})
			b.wantEnded(b.handle(c.ID), collection.AuthenticationCancelled)
		}},
		"given up": {end: func(b *env, c collection.Collection) {
			if err := b.GiveUp(b.Context(), c.ID); err != nil {
				b.Fatal(err)
			}
			b.wantEnded(b.row(c.ID), collection.Failed)
		}},
		"completed, then erased": {before: completed, end: func(b *env, c collection.Collection) { b.erase(c.ID) }},
		"completed, then swept": {before: completed, end: func(b *env, c collection.Collection) {
			b.Clock.Set(b.row(c.ID).DataUntil)
			b.Write(func(tx store.Tx) error {
				_, subjects, err := tx.Sweep(b.Context(), b.Clock.Now(), time.Hour)
				for _, subject := range subjects {
					b.Vault.Evict(subject)
				}
				return err
			})
		}},
	}
	for engine, database := range map[string]func(testing.TB) string{
		"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres,
	} {
		for name, test := range ends {
			t.Run(engine+"/"+name, func(t *testing.T) {
				b := newEnvOn(t, database(t))
				r := b.oneTimeRequest()
				r.UserID = ""
				c := b.start(r)
				b.apply(c.ConsentID, consent.Opened{}, consent.Instructed{})
				b.handle(c.ID)
				kept := b.sealedColumns(c.ID)
				if test.before != nil {
					test.before(b, c)
					kept = append(kept, b.sealedColumns(c.ID)...)
				}
				b.wantOpening(c.ID, kept, nil)
				test.end(b, c)
				b.wantOpening(c.ID, kept, seal.ErrKeyDestroyed)
				if len(b.row(c.ID).Sealed) != 0 || b.rawCount(c.ID) != 0 {
					t.Error("the row still has a secret, or raw answers are left")
				}
				b.wantRevocation(name, "bank-1") // the message to the bank outlives the key
			})
		}
	}
}

// The PSU context is erased while the data can still be fetched. The data key of a
// user's collection is the user's and stays.
func TestCollection_ErasesPSUContextAtItsEnd(t *testing.T) {
	b := newEnv(t)
	c := b.handle(b.start(b.request(b.authorizedConsent(), "192.0.2.7")).ID)
	b.wantEnded(c, collection.Completed)
	if len(c.Sealed) != 0 {
		t.Error("a completed collection keeps the person's address")
	}
	b.erase(c.ID)
	if _, err := b.Store.DataKey(t.Context(), b.User.ID); err != nil {
		t.Errorf("the user's key: %v", err)
	}
}

// clientOnly returns the client as owner.
func (b *env) clientOnly() collect.Owner { return collect.Owner{ClientID: b.User.ClientID} }

func (b *env) erase(id string) {
	b.Helper()
	if err := b.Erase(b.Context(), b.clientOnly(), id); err != nil {
		b.Fatal(err)
	}
}
