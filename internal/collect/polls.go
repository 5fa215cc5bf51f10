package collect

import (
	"context"
	"sync"
	"time"

	"samla/internal/collection"
	"samla/internal/fault"
	"samla/internal/store"
)

// writeEvery is how often at most a poll is written down. The state machine
// allows for it: a lease ends that much later than was told.
const writeEvery = 10 * time.Second

// polls remembers when collections were last polled, so that the hottest route
// of all does not write.
type polls struct {
	mu    sync.Mutex
	known map[string]poll
}

type poll struct{ at, written time.Time }

func newPolls() *polls { return &polls{known: map[string]poll{}} }

// note remembers a poll that is written down already.
func (p *polls) note(id string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[id] = poll{at, at}
}

// seen remembers a poll and reports whether it is time to write it down.
func (p *polls) seen(c collection.Collection, at time.Time) (write bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, ok := p.known[c.ID]
	if !ok {
		was.written = c.PolledAt
	}
	was.at = at
	if write = at.Sub(was.written) >= writeEvery; write {
		was.written = at
	}
	p.known[c.ID] = was
	return write
}

// last is when the collection was last polled, as far as this node knows.
func (p *polls) last(c collection.Collection) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.known[c.ID].at; at.After(c.PolledAt) {
		return at
	}
	return c.PolledAt
}

func (p *polls) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, id)
}

// Poll answers a status poll: it reads the collection, renews its lease and
// returns the moment the next poll is due by (zero when it need not be polled).
// The view's Consent is there while the person signs. Faults: CollectionNotFound,
// and Unauthorized for a user who was anonymized.
func (s *Service) Poll(ctx context.Context, o Owner, id string) (store.CollectionView, time.Time, error) {
	view, err := s.Store.CollectionStatus(ctx, id)
	if err != nil {
		return view, time.Time{}, notFound(err)
	}
	if !o.owns(view.Collection) {
		return view, time.Time{}, notFound(store.ErrNotFound)
	}
	if view.UserGone && o.UserID != "" {
		return view, time.Time{}, fault.New(fault.Unauthorized)
	}
	if !view.Leased() {
		if view.Status.Terminal() {
			s.polls.forget(id)
		}
		return view, time.Time{}, nil
	}
	now := s.Clock.Now()
	if s.polls.seen(view.Collection, now) {
		err = s.Store.Write(ctx, func(tx store.Tx) error { return tx.Polled(ctx, id, now) })
	}
	return view, now.Add(collection.Lease), err
}
