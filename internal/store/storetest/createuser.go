package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"samla/internal/store"
	"samla/internal/user"
)

// testCreateUsers creates users concurrently, several with the same external id.
// Each call stores its user or returns ErrExists, whichever calls it shared a
// statement or a commit with.
func testCreateUsers(_ *testing.T, f fixture) {
	const names, each = 40, 5
	var mu sync.Mutex
	created := map[string]user.User{}
	together(names*each, func(i int) {
		u := newUser(f.client)
		u.ExternalID = fmt.Sprintf("customer-%d", i/each)
		err := f.s.CreateUser(f.ctx, u)
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			if other, twice := created[u.ExternalID]; twice {
				f.Errorf("%s was stored as %s and as %s", u.ExternalID, other.ID, u.ID)
			}
			created[u.ExternalID] = u
		} else if !errors.Is(err, store.ErrExists) {
			f.Errorf("%s: %v", u.ExternalID, err)
		}
	})
	if len(created) != names {
		f.Errorf("%d of %d external ids were stored", len(created), names)
	}
	for name, u := range created {
		got, err := f.s.UserByExternalID(f.ctx, f.client.ID, name)
		check(f, name, got, err, u)
	}
	if err := f.s.CreateUser(f.ctx, f.user); err != nil {
		f.Errorf("a user that is stored already: %v", err)
	}
	same := newUser(f.client)
	same.ID = f.user.ID
	if err := f.s.CreateUser(f.ctx, same); !errors.Is(err, store.ErrExists) {
		f.Errorf("an id that is taken: got error %v, want %v", err, store.ErrExists)
	}
	f.user.ID = newID()
	if err := f.s.CreateUser(f.ctx, f.user); !errors.Is(err, store.ErrExists) {
		f.Errorf("an external id that is taken: got error %v, want %v", err, store.ErrExists)
	}
}

// testErrExistsIsCommitted lets 64 callers create users with the same external
// ids. A caller that gets ErrExists must find the user that was in the way, because
// an error rests on committed rows only.
func testErrExistsIsCommitted(_ *testing.T, f fixture) {
	const callers, rounds = 64, 20
	together(callers, func(int) {
		for round := range rounds {
			u := newUser(f.client)
			u.ExternalID = fmt.Sprintf("customer-%d", round)
			err := f.s.CreateUser(f.ctx, u)
			if err != nil && !errors.Is(err, store.ErrExists) {
				f.Errorf("%s: %v", u.ExternalID, err)
			}
			if _, err := f.s.UserByExternalID(f.ctx, f.client.ID, u.ExternalID); err != nil {
				f.Errorf("%s after it was created: %v", u.ExternalID, err)
			}
		}
	})
}

// testErrConflictIsCommitted lets 32 callers write one consent. A caller that loses
// the compare-and-swap must read a newer row than the one it has lost with.
func testErrConflictIsCommitted(_ *testing.T, f fixture) {
	const callers, rounds = 32, 10
	c := f.addConsent(nil)
	together(callers, func(int) {
		for range rounds {
			old, err := f.s.Consent(f.ctx, c.ID)
			if err != nil {
				f.Error(err)
				return
			}
			err = f.s.Write(f.ctx, func(tx store.Tx) error { _, err := tx.PutConsent(f.ctx, old); return err })
			if err != nil && !errors.Is(err, store.ErrConflict) {
				f.Error(err)
			}
			got, err := f.s.Consent(f.ctx, c.ID)
			if err != nil || got.Rev <= old.Rev {
				f.Errorf("after a write of revision %d: read revision %d (%v)", old.Rev, got.Rev, err)
			}
		}
	})
}
