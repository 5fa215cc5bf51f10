package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

var errOfCaller = errors.New("an error of the caller")

func testRollback(t *testing.T, f fixture) {
	u, c := newUser(f.client), f.newConsent()
	subject := newID()
	f.fails(errOfCaller, func(tx store.Tx) error {
		if err := tx.AddUser(f.ctx, u); err != nil {
			return err
		}
		if err := tx.AddConsent(f.ctx, c); err != nil {
			return err
		}
		if err := tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: start, ConsentID: c.ID}); err != nil {
			return err
		}
		if err := tx.DestroyDataKey(f.ctx, subject, start); err != nil {
			return err
		}
		return fmt.Errorf("wrapped: %w", errOfCaller)
	})
	if f.exists(u) {
		t.Error("a user of a failed transaction is stored")
	}
	got, err := f.s.Consent(f.ctx, c.ID)
	missing(f, "a consent of a failed transaction", got, err)
	entries, err := f.s.AuditEntries(f.ctx, c.ID)
	check(f, "audit entries of a failed transaction", len(entries), err, 0)
	key, err := f.s.DataKey(f.ctx, subject)
	check(f, "a key destroyed in a failed transaction", key, err, nil)
	f.write(func(store.Tx) error { return nil }) // a transaction may be empty
}

func testReadsOwnWrites(t *testing.T, f fixture) {
	u := newUser(f.client)
	f.write(func(tx store.Tx) error {
		if err := tx.AddUser(f.ctx, u); err != nil {
			return err
		}
		got, err := tx.User(f.ctx, f.client.ID, u.ID)
		check(f, "read in the transaction", got, err, u)
		if f.exists(u) {
			t.Error("read outside of the transaction before the commit")
		}
		entry := audit.Entry{ID: newID(), At: start, ConsentID: consent.ID(newID()), Kind: "K"}
		if err := tx.AddAuditEntry(f.ctx, entry); err != nil {
			return err
		}
		entries, err := tx.AuditEntries(f.ctx, entry.ConsentID)
		check(f, "audit log read in the transaction", entries, err, []audit.Entry{entry})
		return nil
	})
	if !f.exists(u) {
		t.Error("not read outside of the transaction after the commit")
	}
}

func testErrorsLeaveTransactionUsable(_ *testing.T, f fixture) {
	c, k, u := f.addConsent(nil), f.addCollection(nil), newUser(f.client)
	f.write(func(tx store.Tx) error {
		stale := c
		stale.Rev--
		if _, err := tx.PutConsent(f.ctx, stale); !errors.Is(err, store.ErrConflict) {
			f.Errorf("got %v", err)
		}
		if err := tx.AddUser(f.ctx, f.user); !errors.Is(err, store.ErrExists) {
			f.Errorf("got %v", err)
		}
		if err := tx.AddClient(f.ctx, f.client); !errors.Is(err, store.ErrExists) {
			f.Errorf("got %v", err)
		}
		if err := tx.AddConsent(f.ctx, c); !errors.Is(err, store.ErrExists) {
			f.Errorf("got %v", err)
		}
		if err := tx.AddCollection(f.ctx, k); !errors.Is(err, store.ErrExists) {
			f.Errorf("got %v", err)
		}
		if _, err := tx.Consent(f.ctx, consent.ID(newID())); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("got %v", err)
		}
		if err := tx.RecordPoll(f.ctx, newID(), start); !errors.Is(err, store.ErrNotFound) {
			f.Errorf("got %v", err)
		}
		return tx.AddUser(f.ctx, u)
	})
	if !f.exists(u) {
		f.Error("what was written after the errors is not stored")
	}
}

func testPanic(t *testing.T, f fixture) {
	harmless := newUser(f.client)
	together(16, func(i int) {
		u := newUser(f.client)
		func() {
			defer func() {
				if got := recover(); (got != nil) != (i%4 == 1) {
					t.Errorf("caller %d recovered %v", i, got)
				}
			}()
			err := f.s.Write(f.ctx, func(tx store.Tx) error {
				if err := tx.AddUser(f.ctx, u); err != nil {
					return err
				}
				switch i % 4 {
				case 1:
					panic("the caller's own")
				case 2:
					return errOfCaller
				}
				return nil
			})
			if (err != nil) != (i%4 == 2) {
				t.Errorf("caller %d got %v", i, err)
			}
		}()
		if f.exists(u) != (i%4 == 0 || i%4 == 3) {
			t.Errorf("caller %d: the user exists: %v", i, f.exists(u))
		}
	})
	f.write(func(tx store.Tx) error { return tx.AddUser(f.ctx, harmless) })
}

func testCanceledContext(t *testing.T, f fixture) {
	ctx, cancel := context.WithCancel(f.ctx)
	cancel()
	u := newUser(f.client)
	err := f.s.Write(ctx, func(tx store.Tx) error { return tx.AddUser(ctx, u) })
	if !errors.Is(err, context.Canceled) || f.exists(u) {
		t.Errorf("got %v; stored: %v", err, f.exists(u))
	}
	// The context of a caller can end in its turn or in the queue. That affects no
	// other caller, and an acknowledged write is stored.
	together(32, func(i int) {
		u := newUser(f.client)
		ctx, cancel := context.WithCancel(f.ctx)
		defer cancel()
		if i%2 == 1 {
			go cancel()
		}
		err := f.s.Write(ctx, func(tx store.Tx) error { return tx.AddUser(ctx, u) })
		if err == nil && !f.exists(u) {
			t.Errorf("caller %d: acknowledged and not stored", i)
		}
		if i%2 == 0 && err != nil {
			t.Errorf("caller %d: %v", i, err)
		}
	})
}

// testMixedLoad runs all kinds of calls concurrently, for the race detector and to
// find deadlocks.
func testMixedLoad(t *testing.T, f fixture) {
	c := f.addConsent(nil)
	now := start.Add(time.Hour)
	together(50, func(i int) {
		var mine []user.User
		for round := range 6 {
			switch (i + round) % 5 {
			case 0, 1:
				u := newUser(f.client)
				f.write(func(tx store.Tx) error {
					if err := tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: now, UserID: u.ID, ConsentID: c.ID}); err != nil {
						return err
					}
					return tx.AddUser(f.ctx, u)
				})
				mine = append(mine, u)
			case 2:
				f.write(func(tx store.Tx) error {
					locked, err := tx.LockConsent(f.ctx, c.ID)
					if err != nil {
						return err
					}
					_, err = tx.PutConsent(f.ctx, locked)
					return err
				})
			case 3:
				if _, err := f.s.Claim(f.ctx, store.Consents, now, time.Nanosecond, store.ClaimLimit{Rows: 3}); err != nil {
					t.Error(err)
				}
			default:
				v, err := f.s.ConsentStatus(f.ctx, c.ID)
				if err != nil || v.ID != c.ID {
					t.Errorf("status of %s: %v", v.ID, err)
				}
			}
		}
		for _, u := range mine {
			if !f.exists(u) {
				t.Errorf("user %s is not stored", u.ID)
			}
		}
	})
}

// testUnstorableTexts looks for texts that no column can hold. They are not found,
// as any other that is not stored, and neither the transaction nor the polls of
// other callers fail.
func testUnstorableTexts(_ *testing.T, f fixture) {
	c := f.addConsent(nil)
	for _, id := range []string{"", "\x00", "\xff\xfe", "' OR 1=1 --", "not a uuid", string(c.ID) + "\x00", string(c.ID) + "%"} {
		f.write(func(tx store.Tx) error {
			got, err := tx.Consent(f.ctx, consent.ID(id))
			missing(f, "consent", got, err)
			return nil
		})
		_, err := f.s.UserByExternalID(f.ctx, f.client.ID, id)
		missing(f, "external id", "", err)
		page, err := f.s.ConsentsOf(f.ctx, f.client.ID, id, store.Page{Limit: 5})
		check(f, "list", len(page), err, 0)
		together(8, func(i int) {
			if i%2 == 0 {
				got, err := f.s.ConsentStatus(f.ctx, c.ID)
				check(f, "poll beside", got.ID, err, c.ID)
				return
			}
			_, err := f.s.ConsentStatus(f.ctx, consent.ID(id))
			missing(f, "poll", "", err)
			_, err = f.s.CollectionStatus(f.ctx, id)
			missing(f, "poll", "", err)
		})
	}
}
