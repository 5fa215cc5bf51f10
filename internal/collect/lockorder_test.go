package collect_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/testpg"
)

// writeCounter is a store that counts the transactions that PostgreSQL has rolled
// back because of another one.
type writeCounter struct {
	store.Store
	repeated *atomic.Int32
}

// Write implements store.Store.
func (s writeCounter) Write(ctx context.Context, fn func(store.Tx) error) error {
	first := true
	return s.Store.Write(ctx, func(tx store.Tx) error {
		if !first {
			s.repeated.Add(1)
		}
		first = false
		return fn(tx)
	})
}

// pausingStore is a store whose first transaction that wakes a collection calls pause
// before it does.
type pausingStore struct {
	store.Store
	pause func() error
}

// Write implements store.Store.
func (s pausingStore) Write(ctx context.Context, fn func(store.Tx) error) error {
	return s.Store.Write(ctx, func(tx store.Tx) error { return fn(pausingTx{tx, s.pause}) })
}

type pausingTx struct {
	store.Tx
	pause func() error
}

func (t pausingTx) WakeCollection(ctx context.Context, id string, now time.Time) error {
	if err := t.pause(); err != nil {
		return err
	}
	return t.Tx.WakeCollection(ctx, id, now)
}

// A one-time collection ends while another transaction has written its consent and is
// about to wake the collection. Both lock the consent first, so that none of them is
// rolled back by a deadlock.
func TestCollection_EndsInLockOrderOfItsConsent(t *testing.T) {
	cancelled := func(b *env, c collection.Collection) error {
		_, err := b.Stop(b.Context(), b.owner(), c.ID)
		return err
	}
	notPolled := func(b *env, c collection.Collection) error {
		b.Clock.Advance(2 * time.Minute)
		return b.Handle(b.Context(), c.ID)
	}
	failed := func(ctx context.Context, b *env, c consent.Consent) error {
		_, err := b.consents.End(ctx, c.ID, consent.FailedWith{Code: consent.AuthenticationCancelled})
		return err
	}
	granted := func(ctx context.Context, b *env, c consent.Consent) error {
		after, err := c.Apply(consent.Granted{Scope: &c.Requested, ValidUntil: c.ExpiresAt}, b.Clock.Now())
		if err != nil {
			return err
		}
		return b.consents.Store.Write(ctx, func(tx store.Tx) error {
			if _, err := tx.PutConsent(ctx, after); err != nil {
				return err
			}
			return tx.WakeCollection(ctx, c.CollectionID, b.Clock.Now())
		})
	}
	for name, test := range map[string]struct {
		end   func(*env, collection.Collection) error
		write func(context.Context, *env, consent.Consent) error
	}{
		"cancelled, consent fails":      {cancelled, failed},
		"cancelled, consent granted":    {cancelled, granted},
		"not polled, consent fails":     {notPolled, failed},
		"not polled, consent is signed": {notPolled, granted},
	} {
		t.Run(name, func(t *testing.T) {
			database := flowtest.Postgres(t)
			b := newEnvOn(t, database)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c := b.oneTime()
			inner := b.apply(c.ConsentID, consent.Opened{}, consent.Instructed{})

			counter := writeCounter{b.Store, new(atomic.Int32)}
			var once sync.Once
			locked := make(chan struct{})
			b.Service.Store = counter
			b.consents.Store = pausingStore{counter, func() (err error) {
				once.Do(func() {
					close(locked)
					err = testpg.AwaitLock(ctx, database)
				})
				return err
			}}
			written := make(chan error, 1)
			go func() { written <- test.write(ctx, b, inner) }()
			select {
			case <-locked:
			case err := <-written:
				t.Fatalf("the consent was not written: %v", err)
			}
			if err := errors.Join(test.end(b, c), <-written); err != nil {
				t.Error(err)
			}
			if n := counter.repeated.Load(); n != 0 {
				t.Errorf("%d transactions were rolled back because of another one", n)
			}
			if c = b.row(c.ID); !c.Status.Terminal() {
				c = b.handle(c.ID)
			}
			if !c.Status.Terminal() || !b.Consent(inner.ID).Status.Final() {
				t.Errorf("the collection is %s, its consent %s", c.Status, b.Consent(inner.ID).Status)
			}
		})
	}
}
