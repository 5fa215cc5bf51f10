package operators

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/lru"
	"samla/internal/operator"
	"samla/internal/store"
)

// WaitError means that there were too many wrong attempts: the next one is examined after
// Until.
type WaitError struct{ Until time.Time }

// Error implements error.
func (e *WaitError) Error() string { return "too many wrong attempts to sign in" }

// tries counts wrong attempts by address, on this node: an address says little, so it is
// not worth a write. By name they are counted in the store, over all nodes.
type tries struct {
	mu sync.Mutex
	at *lru.Cache[string, operator.Attempts]
}

// addresses is how many addresses are remembered.
const addresses = 10_000

func newTries(c clock.Clock) *tries {
	return &tries{at: lru.New[string, operator.Attempts](c, addresses, operator.Forgiven)}
}

// network returns what is counted as one address: of IPv6 the network that one connection
// usually has.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap(); a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// begin counts an attempt from an address as wrong. If it turns out right, right takes it
// back. Those before it stay: who can sign in to one account could guess at another for ever
// otherwise. Error: *WaitError.
func (t *tries) begin(address string, now time.Time) (right func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := network(address)
	before, _ := t.at.Peek(key)
	if open := before.Open(operator.AddressFree, now); !open.IsZero() {
		return nil, &WaitError{open}
	}
	begun := before.Begun(now)
	t.at.Put(key, begun)
	return func() { t.takeBack(key, begun, before) }, nil
}

// takeBack takes an attempt back. If no other was counted after it, the time of the last
// wrong one is as before too: operators who share an address and sign in every day would
// keep old wrong attempts otherwise.
func (t *tries) takeBack(key string, begun, before operator.Attempts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, ok := t.at.Peek(key)
	switch {
	case ok && a == begun:
		t.at.Put(key, before)
	case ok && a.Wrong > 0:
		a.Wrong--
		t.at.Put(key, a)
	}
}

// begin counts an attempt to sign in with a name as wrong, whether there is such an
// account or not. It returns what it stored. Error: *WaitError.
func (s *Service) begin(ctx context.Context, name string) (next operator.Attempts, err error) {
	key := operator.TryKey(name)
	for {
		now := s.Clock.Now()
		before, err := s.Store.SignInAttempts(ctx, key)
		if err != nil {
			return next, err
		}
		if open := before.Open(operator.FreeAttempts, now); !open.IsZero() {
			return next, &WaitError{open}
		}
		next = before.Begun(now)
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.PutSignInAttempts(ctx, key, before, next) })
		if !errors.Is(err, store.ErrConflict) {
			return next, err
		}
	}
}

// forgive forgets the wrong attempts of a name.
func (s *Service) forgive(ctx context.Context, tx store.Tx, name string) error {
	key := operator.TryKey(name)
	before, err := tx.SignInAttempts(ctx, key)
	if err != nil || before.Wrong == 0 {
		return err
	}
	err = tx.PutSignInAttempts(ctx, key, before, operator.Attempts{})
	if errors.Is(err, store.ErrConflict) {
		return nil // another attempt was counted, and counts
	}
	return err
}
