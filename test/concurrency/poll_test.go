package concurrency

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/user"
)

// Polls of one node are answered from its memory. Whatever another node has
// committed before a poll began, the poll sees.
func TestPoll_SeesWhatOtherNodeCommitted(t *testing.T) {
	const changes, pollers = 200, 4
	onStores(t, 2, func(e *env) {
		u := e.newUser()
		c := e.idleConsent(u)
		var committed atomic.Int64 // the last committed change
		var wg sync.WaitGroup
		poll := func(n *node) (seen int64) {
			got, _, err := n.consents.Poll(e.Context(), u.ClientID, u.ID, c.ID)
			if err != nil {
				e.Error(err)
			}
			return got.ExpiresAt.Unix() - c.ExpiresAt.Unix()
		}
		for i := range pollers {
			wg.Go(func() {
				for !e.Failed() {
					before := committed.Load()
					if seen := poll(e.node(i)); seen < before {
						e.Errorf("a poll saw change %d after change %d was committed", seen, before)
					}
					if before == changes {
						return
					}
				}
			})
		}
		for i := int64(1); i <= changes; i++ {
			n := e.node(int(i))
			_, err := store.UpdateConsent(e.Context(), n.store, c.ID, func(old consent.Consent) (consent.Consent, func(store.Tx) error, error) {
				old.ExpiresAt = c.ExpiresAt.Add(time.Duration(i) * time.Second)
				return old, nil, nil
			})
			if err != nil {
				e.Fatal(err)
			}
			committed.Store(i)
		}
		wg.Wait()

		// Both nodes have the row in memory; erasing the user on one is seen by both.
		if err := e.node(0).users.Erase(e.Context(), u.ClientID, u.ID); err != nil {
			e.Fatal(err)
		}
		for _, n := range e.nodes {
			if _, _, err := n.consents.Poll(e.Context(), u.ClientID, u.ID, c.ID); fault.CodeOf(err) != fault.Unauthorized {
				e.Errorf("a poll of an erased user: %v", err)
			}
		}
	})
}

// idleConsent stores an authorized consent that no flow looks at.
func (e *env) idleConsent(u user.User) consent.Consent {
	e.Helper()
	now := e.now().Truncate(time.Second)
	c := consent.Consent{ID: consent.ID(e.ids.New()), ClientID: u.ClientID, UserID: u.ID, Company: bankID, Status: consent.Authorized,
		Step: consent.StepKeep, Requested: consent.Scope{Balances: true}, CreatedAt: now, StatusChangedAt: now, AuthorizeBy: now,
		ExpiresAt: now.Add(24 * time.Hour)}
	e.write(e.node(0).store, func(tx store.Tx) error { return tx.AddConsent(e.Context(), c) })
	return c
}
