package sqlstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
	"samla/internal/user"
)

// Two transactions wait for each other. PostgreSQL ends one, and Write runs it
// again.
func TestWrite_RepeatsAfterDeadlock(t *testing.T) {
	s := open(t, sqlstore.Config{DSN: testpg.URL(t)})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ids := []string{newID(), newID()}
	for _, id := range ids {
		if err := s.Write(ctx, func(tx store.Tx) error {
			return tx.AddConsent(ctx, consent.Consent{ID: consent.ID(id), ClientID: newID(), CollectionID: newID()})
		}); err != nil {
			t.Fatal(err)
		}
	}
	var runs atomic.Int32
	var both, all sync.WaitGroup
	both.Add(2)
	for i := range ids {
		all.Go(func() {
			var met sync.Once
			err := s.Write(ctx, func(tx store.Tx) error {
				runs.Add(1)
				for _, id := range []string{ids[i], ids[1-i]} {
					c, err := tx.LockConsent(ctx, consent.ID(id))
					if err != nil {
						return err
					}
					if _, err := tx.PutConsent(ctx, c); err != nil {
						return err
					}
					met.Do(func() { both.Done(); both.Wait() })
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		if c, err := s.Consent(ctx, consent.ID(id)); err != nil || c.Rev != 2 {
			t.Errorf("revision %d (%v), want 2", c.Rev, err)
		}
	}
	if runs.Load() < 3 {
		t.Error("the transactions never waited for each other")
	}
}

// Each attempt waits longer than the one before it, until ctx ends.
func TestWrite_WaitsBeforeItRepeats(t *testing.T) {
	s := open(t, sqlstore.Config{DSN: testpg.URL(t)})
	lost := &pgconn.PgError{Code: "40001"}
	began, runs := time.Now(), 0
	if err := s.Write(t.Context(), func(store.Tx) error {
		if runs++; runs <= 3 {
			return lost
		}
		return nil
	}); err != nil || runs != 4 {
		t.Errorf("%d attempts: %v", runs, err)
	}
	if took := time.Since(began); took < (10+20+40)*time.Millisecond*4/5 {
		t.Errorf("three waits took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	runs = 0
	if err := s.Write(ctx, func(store.Tx) error { runs++; cancel(); return lost }); !errors.Is(err, lost) || runs != 1 {
		t.Errorf("%d attempts after the context has ended: %v", runs, err)
	}
}

// The function of a transaction ignores the error of a statement. PostgreSQL has
// aborted the transaction by then, so Write must not return nil.
func TestWrite_FailsAfterIgnoredError(t *testing.T) {
	s := open(t, sqlstore.Config{DSN: testpg.URL(t)})
	ctx := t.Context()
	client := addClient(t, s)
	entry := audit.Entry{ID: newID(), At: began, ConsentID: consent.ID(newID())}
	err := s.Write(ctx, func(tx store.Tx) error {
		if err := tx.AddAuditEntry(ctx, entry); err != nil {
			return err
		}
		if err := tx.AddAuditEntry(ctx, entry); err != nil {
			return err
		}
		if _, err := tx.Client(ctx, client.ID); err == nil {
			t.Error("the failure of the statement before was not reported")
		}
		return nil
	})
	if err == nil {
		t.Error("the transaction was acknowledged")
	}
	if left, err := s.AuditEntries(ctx, entry.ConsentID); err != nil || len(left) > 0 {
		t.Errorf("%d entries are stored (%v)", len(left), err)
	}
}

func TestWrite_ReleasesConnectionWhenContextEnds(t *testing.T) {
	s := open(t, sqlstore.Config{DSN: testpg.URL(t), Conns: 1})
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.Write(ctx, func(tx store.Tx) error {
			if _, err := tx.Consent(ctx, consent.ID(newID())); !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
			cancel()
			_, err := tx.Consent(ctx, consent.ID(newID()))
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
	addClient(t, s) // blocks if the connection was not released
}

// A flow completes a collection while its user is erased: the products that it
// commits at the last moment are erased too.
func TestEraseUserData_WaitsForFlow(t *testing.T) {
	url := testpg.URL(t)
	s := open(t, sqlstore.Config{DSN: url})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	u := user.User{ID: newID(), ClientID: newID(), ExternalID: "x", CreatedAt: began}
	k := collection.Collection{ID: newID(), ClientID: u.ClientID, UserID: u.ID, Status: collection.Collecting, CreatedAt: began}
	if err := s.Write(ctx, func(tx store.Tx) error {
		return errors.Join(tx.AddUser(ctx, u), tx.AddCollection(ctx, k))
	}); err != nil {
		t.Fatal(err)
	}
	erased := make(chan error, 1)
	if err := s.Write(ctx, func(tx store.Tx) error {
		k.Status = collection.Completed
		if _, err := tx.PutCollection(ctx, k); err != nil {
			return err
		}
		go func() {
			erased <- s.Write(ctx, func(tx store.Tx) error {
				_, err := tx.EraseUserData(ctx, u.ID, "", began, 10)
				return err
			})
		}()
		if err := testpg.AwaitLock(ctx, url); err != nil {
			return err
		}
		return tx.PutProducts(ctx, k.ID, collection.Products{Form: 1, Sealed: []byte("products")})
	}); err != nil {
		t.Error(err)
	}
	if err := <-erased; err != nil {
		t.Error(err)
	}
	if _, err := s.Products(ctx, k.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("products after the erasure: got error %v, want %v", err, store.ErrNotFound)
	}
}
