package concurrency

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"samla/internal/fault"
	"samla/internal/idempotency"
	"samla/internal/store"
	"samla/internal/user"
)

// Many callers create the same users at the same moment, on two nodes, with and
// without an Idempotency-Key: one wins, and each loser is told the id of the
// winner, which can be read.
func TestCreateUser_NamesTheWinnerToEachLoser(t *testing.T) {
	const callers, users = 64, 30
	onStores(t, 2, func(e *env) {
		for i := range users {
			externalID := fmt.Sprint("customer-", i)
			created, existing := make([]string, callers), make([]string, callers)
			var wg sync.WaitGroup
			start := make(chan struct{})
			for j := range callers {
				n := e.node(j)
				var answer idempotency.Answer[user.User]
				if j%4 == 0 {
					answer = e.claimed(n, fmt.Sprint(i, "-", j))
				}
				wg.Go(func() {
					<-start
					u, err := n.users.Create(e.Context(), e.client.ID, externalID, answer)
					var f *fault.Fault
					switch {
					case err == nil:
						created[j] = u.ID
					case errors.As(err, &f) && f.Code == fault.UserExists:
						existing[j] = f.UserID
						if got, err := n.users.ByID(e.Context(), e.client.ID, f.UserID); err != nil || got.ExternalID != externalID {
							e.Errorf("the winner cannot be read: %+v, %v", got, err)
						}
					default:
						e.Error(err)
					}
				})
			}
			close(start)
			wg.Wait()
			winner := ""
			for _, id := range created {
				if id != "" && winner != "" {
					e.Errorf("%s was created twice", externalID)
				}
				winner += id
			}
			for _, id := range existing {
				if id != "" && id != winner {
					e.Errorf("a loser is told %q, the winner is %q", id, winner)
				}
			}
		}
	})
}

// claimed returns an answer for a new Idempotency-Key.
func (e *env) claimed(n *node, key string) idempotency.Answer[user.User] {
	e.Helper()
	now := e.now()
	r := idempotency.Record{ClientID: e.client.ID, Key: key, StartedAt: now, ExpiresAt: now.Add(waitFor), LockedUntil: now.Add(waitFor)}
	e.write(n.store, func(tx store.Tx) error {
		_, err := tx.ClaimIdempotencyKey(e.Context(), r)
		return err
	})
	return func(_ context.Context, u user.User) (*idempotency.Record, error) {
		r.Done, r.Status, r.UserID = true, 201, u.ID
		return &r, nil
	}
}
