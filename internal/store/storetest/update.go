package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

// updateCase is one of the update functions on one row, whose text member counts
// the changes.
type updateCase struct {
	name string
	// update changes the text of the row by calling change with the old one.
	update func(ctx context.Context, change func(old string) (string, func(store.Tx) error, error)) (string, error)
	// missing updates a row that does not exist.
	missing func() error
	read    func() (string, error)
}

func (f fixture) updateCases() []updateCase {
	f.Helper()
	c := f.addConsent(func(c *consent.Consent) { c.LoginMethod = "0" })
	k := f.addCollection(func(k *collection.Collection) { k.LoginMethod = "0" })
	u := newUser(f.client)
	u.ExternalID = "0"
	f.write(func(tx store.Tx) error { return tx.AddUser(f.ctx, u) })
	fail := errors.New("change was called for a row that does not exist")
	return []updateCase{{
		name: "consent",
		update: func(ctx context.Context, change func(string) (string, func(store.Tx) error, error)) (string, error) {
			got, err := store.UpdateConsent(ctx, f.s, c.ID, func(old consent.Consent) (next consent.Consent, also func(store.Tx) error, err error) {
				next = old
				next.LoginMethod, also, err = change(old.LoginMethod)
				next.Rev = 0 // is ignored
				return next, also, err
			})
			return got.LoginMethod, err
		},
		missing: func() error {
			_, err := store.UpdateConsent(f.ctx, f.s, consent.ID(newID()), func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
				return old, nil, fail
			})
			return err
		},
		read: func() (string, error) {
			got, err := f.s.Consent(f.ctx, c.ID)
			return got.LoginMethod, err
		},
	}, {
		name: "collection",
		update: func(ctx context.Context, change func(string) (string, func(store.Tx) error, error)) (string, error) {
			got, err := store.UpdateCollection(ctx, f.s, k.ID, func(old collection.Collection) (next collection.Collection, also func(store.Tx) error, err error) {
				next = old
				next.LoginMethod, also, err = change(old.LoginMethod)
				next.Rev = 0 // is ignored
				return next, also, err
			})
			return got.LoginMethod, err
		},
		missing: func() error {
			_, err := store.UpdateCollection(f.ctx, f.s, newID(), func(old collection.Collection) (collection.Collection, func(store.Tx) error, error) {
				return old, nil, fail
			})
			return err
		},
		read: func() (string, error) {
			got, err := f.s.Collection(f.ctx, k.ID)
			return got.LoginMethod, err
		},
	}, {
		name: "user",
		update: func(ctx context.Context, change func(string) (string, func(store.Tx) error, error)) (string, error) {
			got, err := store.UpdateUser(ctx, f.s, u.ClientID, u.ID, func(old user.User) (next user.User, also func(store.Tx) error, err error) {
				next = old
				next.ExternalID, also, err = change(old.ExternalID)
				next.ClientID = "" // is ignored
				return next, also, err
			})
			return got.ExternalID, err
		},
		missing: func() error {
			_, err := store.UpdateUser(f.ctx, f.s, f.addClient().ID, u.ID, func(old user.User) (user.User, func(store.Tx) error, error) {
				return old, nil, fail
			})
			return err
		},
		read: func() (string, error) {
			got, err := f.s.User(f.ctx, u.ClientID, u.ID)
			return got.ExternalID, err
		},
	}}
}

// testUpdateLosesNothing lets 32 writers add one to the same row, several times
// each: every addition is there in the end, and so is what was committed with it.
func testUpdateLosesNothing(t *testing.T, f fixture) {
	const writers, times = 32, 5
	for _, row := range f.updateCases() {
		t.Run(row.name, func(t *testing.T) {
			f := f
			f.T = t
			about := consent.ID(newID())
			together(writers, func(int) {
				for range times {
					var want string
					got, err := row.update(f.ctx, func(old string) (string, func(store.Tx) error, error) {
						n, err := strconv.Atoi(old)
						want = strconv.Itoa(n + 1)
						return want, func(tx store.Tx) error {
							return tx.AddAuditEntry(f.ctx, audit.Entry{ID: newID(), At: start, ConsentID: about, Kind: want})
						}, err
					})
					check(f, "returned as stored", got, err, want)
				}
			})
			got, err := row.read()
			check(f, "stored", got, err, strconv.Itoa(writers*times))
			entries, err := f.s.AuditEntries(f.ctx, about)
			seen := map[string]bool{}
			for _, e := range entries {
				seen[e.Kind] = true
			}
			check(f, "committed with it", len(entries), err, writers*times)
			check(f, "committed with it, once each", len(seen), nil, writers*times)
		})
	}
}

func testUpdateWritesNothing(t *testing.T, f fixture) {
	for _, row := range f.updateCases() {
		t.Run(row.name, func(t *testing.T) {
			f := f
			f.T = t
			also := func(store.Tx) error { t.Error("also was called"); return nil }
			_, err := row.update(f.ctx, func(string) (string, func(store.Tx) error, error) {
				return "from a change that fails", also, fmt.Errorf("wrapped: %w", errOfCaller)
			})
			if !errors.Is(err, errOfCaller) {
				t.Errorf("a change that fails: got error %v, want %v", err, errOfCaller)
			}
			_, err = row.update(f.ctx, func(string) (string, func(store.Tx) error, error) {
				return "from an addition that fails", func(store.Tx) error { return errOfCaller }, nil
			})
			if !errors.Is(err, errOfCaller) {
				t.Errorf("an addition that fails: got error %v, want %v", err, errOfCaller)
			}
			got, err := row.update(f.ctx, func(string) (string, func(store.Tx) error, error) {
				return "from a change that leaves the row", also, fmt.Errorf("wrapped: %w", store.ErrUnchanged)
			})
			check(f, "ErrUnchanged returns the row as it was", got, err, "0")
			got, err = row.read()
			check(f, "stored", got, err, "0")
			if err := row.missing(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a row that does not exist: got error %v, want %v", err, store.ErrNotFound)
			}
		})
	}
}

// testUpdateStartsAgain lets another writer be first, also when the row that was
// written first is one that the addition compares.
func testUpdateStartsAgain(t *testing.T, f fixture) {
	for _, row := range f.updateCases() {
		t.Run(row.name, func(t *testing.T) {
			f := f
			f.T = t
			var seen []string
			got, err := row.update(f.ctx, func(old string) (string, func(store.Tx) error, error) {
				if seen = append(seen, old); len(seen) == 1 {
					_, err := row.update(f.ctx, func(string) (string, func(store.Tx) error, error) { return "another writer", nil, nil })
					if err != nil {
						return "", nil, err
					}
				}
				return old + " and this one", nil, nil
			})
			check(f, "returned", got, err, "another writer and this one")
			check(f, "rows seen by change", seen, nil, []string{"0", "another writer"})

			other := f.addConsent(nil)
			runs := 0
			got, err = row.update(f.ctx, func(string) (string, func(store.Tx) error, error) {
				compared := other
				if runs++; runs == 1 {
					compared.Rev--
				}
				return "with another row", func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, compared); return err }, nil
			})
			check(f, "returned", got, err, "with another row")
			check(f, "runs", runs, nil, 2)
		})
	}
}

// testUpdateEndsWithContext loses every compare-and-swap.
func testUpdateEndsWithContext(t *testing.T, f fixture) {
	for _, row := range f.updateCases() {
		t.Run(row.name, func(t *testing.T) {
			f := f
			f.T = t
			ctx, cancel := context.WithCancel(f.ctx)
			defer cancel()
			runs := 0
			_, err := row.update(ctx, func(string) (string, func(store.Tx) error, error) {
				if runs++; runs == 3 {
					cancel()
				}
				_, err := row.update(f.ctx, func(string) (string, func(store.Tx) error, error) {
					return "another writer " + strconv.Itoa(runs), nil, nil
				})
				return "this one", nil, err
			})
			if !errors.Is(err, context.Canceled) || runs != 3 {
				t.Errorf("got error %v after %d runs, want %v after 3", err, runs, context.Canceled)
			}
			got, err := row.read()
			check(f, "stored", got, err, "another writer 3")
		})
	}
}

// testLockUser lets callers add consents to a user that another one anonymizes: no
// consent is added after it, and the one who anonymizes finds all that were.
func testLockUser(t *testing.T, f fixture) {
	otherClient := f.addClient()
	f.fails(store.ErrNotFound, func(tx store.Tx) error { _, err := tx.LockUser(f.ctx, otherClient.ID, f.user.ID); return err })
	for range 5 {
		u := f.addUser(f.client)
		var found []consent.Consent
		together(9, func(i int) {
			if i == 4 {
				_, err := store.UpdateUser(f.ctx, f.s, u.ClientID, u.ID, func(old user.User) (user.User, func(store.Tx) error, error) {
					anonymized, _ := old.Anonymize(start)
					return anonymized, func(tx store.Tx) (err error) {
						found, err = tx.LiveConsents(f.ctx, u.ClientID, u.ID, 100)
						return err
					}, nil
				})
				if err != nil {
					t.Error(err)
				}
				return
			}
			f.write(func(tx store.Tx) error {
				got, err := tx.LockUser(f.ctx, u.ClientID, u.ID)
				if err != nil || got.Anonymized() {
					return err
				}
				c := f.newConsent()
				c.UserID = u.ID
				return tx.AddConsent(f.ctx, c)
			})
		})
		all, err := f.s.LiveConsents(f.ctx, u.ClientID, u.ID, 100)
		check(f, "consents of a user who was anonymized", all, err, found)
	}
}

func testUpdateUserExists(_ *testing.T, f fixture) {
	other := f.addUser(f.client)
	_, err := store.UpdateUser(f.ctx, f.s, f.client.ID, f.user.ID, func(old user.User) (user.User, func(store.Tx) error, error) {
		old.ExternalID, old.UpdatedAt = other.ExternalID, start.Add(time.Hour)
		return old, nil, nil
	})
	if !errors.Is(err, store.ErrExists) {
		f.Errorf("an external id that is taken: got error %v, want %v", err, store.ErrExists)
	}
}
