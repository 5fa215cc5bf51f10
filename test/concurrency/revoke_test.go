package concurrency

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"samla/internal/audit"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/user"
)

// A consent is revoked on two nodes while collections under it are started and
// read. The consent ends once, the bank is told, no collection begins after the
// revocation, and each that began before comes to an end.
func TestRevoke_EndsConsentOnceDuringCollections(t *testing.T) {
	const consents, starters = 6, 6
	onStores(t, 2, func(e *env) {
		u := e.newUser()
		for _, c := range e.authorized(slices.Repeat([]user.User{u}, consents)...) {
			var wg sync.WaitGroup
			var mu sync.Mutex
			var ids []string
			var revoked atomic.Bool
			var started atomic.Int32
			for i := range starters {
				n := e.node(i)
				wg.Go(func() {
					for {
						after := revoked.Load()
						made, err := n.collections.Start(e.Context(), e.collectionRequest(u, c.ID), nil)
						if code := fault.CodeOf(err); err != nil {
							if code != fault.ConsentRevoked {
								e.Errorf("start: %v", err)
							}
							return
						}
						if after {
							e.Error("a collection began after the consent was revoked")
						}
						mu.Lock()
						ids = append(ids, made.ID)
						mu.Unlock()
						started.Add(1)
					}
				})
			}
			for i := range 2 {
				wg.Go(func() {
					e.await("a collection", func() bool { return started.Load() >= starters })
					after, err := e.node(i).consents.Revoke(e.Context(), u.ClientID, u.ID, c.ID)
					if err != nil || after.Status != consent.Revoked {
						e.Errorf("revoke: %s, %v", after.Status, err)
					}
					revoked.Store(true)
				})
			}
			wg.Wait()
			for _, id := range ids {
				e.await("the end of a collection", func() bool {
					k, err := e.node(0).store.Collection(e.Context(), id)
					if err != nil {
						e.Fatal(err)
					}
					return k.Status.Terminal()
				})
				k, err := e.node(1).store.Collection(e.Context(), id)
				if ok := k.Status == collection.Completed || k.Status == collection.AuthenticationError; err != nil || !ok {
					e.Errorf("a collection ended as %s, %v", k.Status, err)
				}
			}
			e.await("the bank to be told", func() bool { return e.entries(c.ID, audit.RevocationDelivered) > 0 })
			if ended, told := e.entries(c.ID, audit.ConsentRevoked), e.entries(c.ID, audit.RevocationDelivered); ended != 1 || told != 1 {
				e.Errorf("%d entries about the end, %d about the bank", ended, told)
			}
		}
		if e.bank.openConsents() > 0 {
			e.Errorf("%d consents are open at the bank", e.bank.openConsents())
		}
	})
}

// entries counts the audit entries of a kind about a consent.
func (e *env) entries(id consent.ID, kind audit.Kind) (n int) {
	e.Helper()
	all, err := e.node(0).store.AuditEntries(e.Context(), id)
	if err != nil {
		e.Fatal(err)
	}
	for _, entry := range all {
		if audit.Kind(entry.Kind) == kind {
			n++
		}
	}
	return n
}
