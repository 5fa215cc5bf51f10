package sqlstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/testpg"
)

// Two transactions that wait for each other: PostgreSQL ends one, and Write runs
// it again.
func TestCrossedLocksAreTriedAgain(t *testing.T) {
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

// A caller who goes on after a statement has failed must not be told that all is
// stored: PostgreSQL has given up the transaction by then.
func TestSwallowedErrorIsNoSuccess(t *testing.T) {
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
			t.Error("the failure of the statement before was not told")
		}
		return nil
	})
	if err == nil {
		t.Error("the transaction was acknowledged")
	}
	if left, err := s.AuditEntries(ctx, entry.ConsentID); err != nil || len(left) > 0 {
		t.Errorf("%d entries are there (%v)", len(left), err)
	}
}

func TestCallerWhoLeavesFreesHisConnection(t *testing.T) {
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
	addClient(t, s) // waits for ever if a connection was lost
}
