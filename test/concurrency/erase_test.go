package concurrency

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/internal/user"
)

// Users are erased, each by two callers on two nodes, while others create consents
// and collections for them and the flows run. No erasure fails, each creation
// succeeds or is refused, and in the end nothing of the users is live, here or at
// the bank.
func TestErase_EndsEverythingUnderLoad(t *testing.T) {
	const erased, creators = 6, 6
	onStores(t, 2, func(e *env) {
		var created atomic.Int32
		people := make([]user.User, erased)
		for i := range people {
			people[i] = e.newUser()
		}
		consents := e.authorized(people...)
		for i, u := range people {
			c := consents[i]
			var wg sync.WaitGroup
			for i := range creators {
				n := e.node(i)
				wg.Go(func() {
					for {
						_, err := n.consents.Create(e.Context(), e.consentRequest(u), nil)
						if i%3 == 1 {
							_, err = n.collections.Start(e.Context(), e.collectionRequest(u, c.ID), nil)
						} else if i%3 == 2 {
							_, err = n.collections.Start(e.Context(), e.oneTimeRequest(u), nil)
						}
						if code := fault.CodeOf(err); err != nil && code != fault.Unauthorized && code != fault.ConsentRevoked {
							e.Errorf("creation: %v", err)
						}
						if err != nil {
							return
						}
						created.Add(1)
					}
				})
			}
			for i := range 2 {
				wg.Go(func() {
					_ = clock.Sleep(e.Context(), clock.System(), 20*time.Millisecond) // let the creators begin
					if err := e.node(i).users.Erase(e.Context(), e.client.ID, u.ID); err != nil {
						e.Errorf("erasure: %v", err)
					}
				})
			}
			wg.Wait()
			e.checkNothingLive(u)
		}
		if created.Load() < erased {
			e.Errorf("%d created only: the test shows little", created.Load())
		}
		e.await("the bank to be told", func() bool { return e.bank.openConsents() == 0 })
	})
}

// checkNothingLive checks what Erase promises about the rows of a user.
func (e *env) checkNothingLive(u user.User) {
	e.Helper()
	for _, n := range e.nodes {
		consents, err := n.store.LiveConsents(e.Context(), e.client.ID, u.ID, 10)
		if err != nil || len(consents) > 0 {
			e.Errorf("live consents: %+v, %v", consents, err)
		}
		running, err := n.store.RunningCollections(e.Context(), e.client.ID, u.ID, 10)
		if err != nil || len(running) > 0 {
			e.Errorf("running collections: %+v, %v", running, err)
		}
	}
	all, err := e.node(0).store.CollectionsOf(e.Context(), store.CollectionFilter{ClientID: e.client.ID, UserID: u.ID}, store.Page{Limit: 1000})
	if err != nil {
		e.Error(err)
	}
	for _, c := range all {
		raws, err := e.node(0).store.RawAnswers(e.Context(), c.ID)
		if _, missing := e.node(0).store.Products(e.Context(), c.ID); len(raws) > 0 || err != nil || !errors.Is(missing, store.ErrNotFound) {
			e.Errorf("data of a %s collection is left: %v", c.Status, err)
		}
	}
}

// One user has many collections. Others write while the user is erased, and are
// not kept waiting.
func TestErase_DoesNotStopOtherWriters(t *testing.T) {
	if testing.Short() {
		t.Skip("stores thousands of collections")
	}
	// The bound is for a loaded machine. An erasure in one transaction takes
	// seconds.
	const collections, writers, bound = 7000, 4, time.Second
	onStores(t, 1, func(e *env) {
		n, u := e.node(0), e.newUser()
		e.addCollections(n, u, collections)
		ctx, stop := context.WithCancel(e.Context())
		defer stop()
		var wg sync.WaitGroup
		waits := make([][]time.Duration, writers)
		for i := range writers {
			wg.Go(func() {
				for ctx.Err() == nil {
					begun := e.now()
					if _, err := n.users.Create(e.Context(), e.client.ID, "customer-"+e.ids.New(), nil); err != nil {
						e.Error(err)
					}
					waits[i] = append(waits[i], e.now().Sub(begun))
				}
			})
		}
		begun := e.now()
		err := n.users.Erase(e.Context(), e.client.ID, u.ID)
		took := e.now().Sub(begun)
		stop()
		wg.Wait()
		if err != nil {
			e.Fatal(err)
		}
		all := slices.Concat(waits...)
		slices.Sort(all)
		p99, longest := all[len(all)*99/100], all[len(all)-1]
		e.Logf("erased in %v; %d writes of others, p99 %v, longest %v", took, len(all), p99, longest)
		if p99 > bound {
			e.Errorf("the p99 of other writers is %v", p99)
		}
		e.await("the outbox to finish the erasure", func() bool {
			_, err := n.store.OutboxMessage(e.Context(), u.ID)
			return errors.Is(err, store.ErrNotFound)
		})
		left, err := n.store.CollectionsOf(e.Context(), store.CollectionFilter{ClientID: e.client.ID, UserID: u.ID}, store.Page{Limit: collections})
		if err != nil || len(left) != collections {
			e.Fatalf("%d collections, %v", len(left), err)
		}
		for _, listed := range left {
			if c, err := n.store.Collection(e.Context(), listed.ID); err != nil || c.ErasedAt.IsZero() {
				e.Fatalf("a collection is not erased: %v", err)
			}
		}
	})
}

// addCollections stores completed collections of a user, each with raw answers and
// products.
func (e *env) addCollections(n *node, u user.User, count int) {
	e.Helper()
	const batch, raws = 500, 3
	sealed := make([]byte, 2000)
	for added := 0; added < count; added += batch {
		e.write(n.store, func(tx store.Tx) error {
			for range batch {
				c := collection.Collection{ID: e.ids.New(), ClientID: u.ClientID, UserID: u.ID, ConsentID: consent.ID(e.ids.New()), Company: bankID,
					Mode: collection.Stored, Attended: true, Status: collection.Completed, CreatedAt: e.now(), StatusChangedAt: e.now(),
					DataUntil: e.now().Add(time.Hour)}
				if err := tx.AddCollection(e.Context(), c); err != nil {
					return err
				}
				var answers []collection.RawAnswer
				for seq := range raws {
					answers = append(answers, collection.RawAnswer{CollectionID: c.ID, Seq: seq, Kind: "accounts", FetchedAt: e.now(), Sealed: sealed})
				}
				if err := tx.AddRawAnswers(e.Context(), answers); err != nil {
					return err
				}
				if err := tx.PutProducts(e.Context(), c.ID, collection.Products{Sealed: sealed}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}
