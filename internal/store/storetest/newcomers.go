package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"samla/internal/store"
	"samla/internal/user"
)

// testNewcomers: users created side by side are each there or refused, whoever
// they shared a transaction with.
func testNewcomers(_ *testing.T, f fixture) {
	const names, each = 40, 5
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		made = map[string]user.User{}
	)
	for name := range names {
		for range each {
			wg.Add(1)
			go func() {
				defer wg.Done()
				u := newUser(f.client)
				u.ExternalID = fmt.Sprintf("newcomer-%d", name)
				err := f.s.CreateUser(f.ctx, u)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					if other, twice := made[u.ExternalID]; twice {
						f.Errorf("%s was stored as %s and as %s", u.ExternalID, other.ID, u.ID)
					}
					made[u.ExternalID] = u
				} else if !errors.Is(err, store.ErrExists) {
					f.Errorf("%s: %v", u.ExternalID, err)
				}
			}()
		}
	}
	wg.Wait()
	if len(made) != names {
		f.Errorf("%d of %d names were stored", len(made), names)
	}
	for name, u := range made {
		got, err := f.s.UserByExternalID(f.ctx, f.client.ID, name)
		check(f, name, got, err, u)
	}
	if err := f.s.CreateUser(f.ctx, f.user); !errors.Is(err, store.ErrExists) {
		f.Errorf("a user who is there: %v", err)
	}
}
