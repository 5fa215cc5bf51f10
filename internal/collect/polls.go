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
	mu   sync.Mutex
	last map[string]poll
}

type poll struct{ at, written time.Time }

func newPolls() *polls { return &polls{last: map[string]poll{}} }

// note remembers a poll that is written down already.
func (p *polls) note(id string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[id] = poll{at, at}
}

// seen remembers a poll and reports whether it is time to write it down.
func (p *polls) seen(c collection.Collection, at time.Time) (write bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.last[c.ID]
	if !ok {
		known.written = c.PolledAt
	}
	known.at = at
	if write = at.Sub(known.written) >= writeEvery; write {
		known.written = at
	}
	p.last[c.ID] = known
	return write
}

// of is when the collection was last polled, as far as this node knows.
func (p *polls) of(c collection.Collection) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.last[c.ID].at; at.After(c.PolledAt) {
		return at
	}
	return c.PolledAt
}

func (p *polls) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.last, id)
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
