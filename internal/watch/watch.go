// Package watch polls many items whose state changes elsewhere, such as
// authorizations that persons are signing at their banks. A node has one Scheduler for
// all items that it watches. It limits the questions in flight and the signatures per
// second, not the number of items, and shares both fairly between groups
// (institutions). The rows of the items are leased; the scheduler renews all leases
// together.
package watch

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"samla/internal/clock"
	"samla/internal/store"
)

// Item is one thing to watch.
type Item struct {
	ID       string
	Group    string        // institution: groups share the limits fairly
	Interval time.Duration // from one question to the next
	Signed   bool          // a question costs a signature
	Lease    time.Time     // when the row's lease ends, as stored
}

// Lease is the lease of this node on one row.
type Lease = store.Lease

// Outcome is the result of a question.
type Outcome struct {
	// Done: the item is finished. It is dropped, and its lease is not renewed.
	Done bool
	// After is the time from this question to the next; 0 = the item's interval.
	After time.Duration
}

// Config configures a Scheduler. Clock, Ask and Renew are required.
type Config struct {
	Clock clock.Clock
	// Ask asks one question about an item. Calls for different items are concurrent,
	// calls for one item are not. Its context ends after Timeout, and with Stop.
	Ask func(ctx context.Context, id string) Outcome
	// Renew moves the end of each lease that is still held as given to until, with one
	// statement for the leases that end at the same time. It returns the ids of those
	// that were still held.
	Renew func(ctx context.Context, leases []Lease, until time.Time) (held []string, err error)

	// Dropped is called for each item that is no longer watched, for any reason. It
	// must return at once and not call the scheduler. Nil = not called.
	Dropped func(id string)

	InFlight            int           // questions in flight; 0 = 256
	PerGroup            int           // of one group; 0 = a quarter of InFlight
	SignaturesPerSecond float64       // 0 = no limit
	LeaseTime           time.Duration // 0 = 20 s; renewed after half of it
	Timeout             time.Duration // of one question; 0 = 15 s
	Log                 *slog.Logger  // nil = none
}

// Scheduler watches items. It is safe for concurrent use. Start it once, stop it
// once; items may be added before the start.
type Scheduler struct {
	cfg    Config
	limit  *rate.Limiter // of signatures; nil = none
	signal chan struct{} // something changed

	mu       sync.Mutex
	items    map[string]*item
	groups   map[string]*group
	ring     []*group // groups with items, in turn
	turn     int      // next group
	inFlight int
	stopped  bool

	askCtx  context.Context // of all questions; abandon cancels it
	abandon context.CancelFunc
	quit    context.CancelFunc
	loops   sync.WaitGroup
	asks    sync.WaitGroup
}

// New returns a scheduler without items.
func New(c Config) *Scheduler {
	c.InFlight = cmp.Or(c.InFlight, 256)
	c.PerGroup = cmp.Or(c.PerGroup, max(c.InFlight/4, 1))
	c.LeaseTime = cmp.Or(c.LeaseTime, 20*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{cfg: c, signal: make(chan struct{}, 1), items: map[string]*item{}, groups: map[string]*group{}}
	if c.SignaturesPerSecond > 0 {
		s.limit = rate.NewLimiter(rate.Limit(c.SignaturesPerSecond), max(int(c.SignaturesPerSecond/10), 1))
	}
	s.askCtx, s.abandon = context.WithCancel(context.Background())
	return s
}

// Add starts to watch an item. The first question follows after its interval. If the
// item is watched already, Add sets its interval and lease. It reports false after
// Stop: the row stays as it is.
func (s *Scheduler) Add(i Item) bool {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	if known := s.items[i.ID]; known != nil {
		known.Interval, known.Lease, known.removed = i.Interval, i.Lease, false
		return true
	}
	it := &item{Item: i, due: now.Add(i.Interval)}
	s.items[i.ID] = it
	s.enqueue(it)
	s.wake()
	return true
}

// Remove stops watching an item. A question in flight continues, but its outcome is not
// used.
func (s *Scheduler) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it := s.items[id]; it != nil {
		s.drop(it)
	}
}

// Watches reports whether this node watches an item.
func (s *Scheduler) Watches(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items[id] != nil
}

// Len returns the number of items.
func (s *Scheduler) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items)
}

// Start starts to ask questions and to renew leases.
func (s *Scheduler) Start() {
	ctx, quit := context.WithCancel(context.Background())
	s.quit = quit
	s.loops.Go(func() { s.dispatch(ctx) })
	s.loops.Go(func() { s.renew(ctx) })
}

// Stop stops asking, waits for the questions in flight until ctx ends, and ends the
// leases, so that another node can claim the rows at once.
func (s *Scheduler) Stop(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	if s.quit == nil {
		return nil
	}
	s.quit()
	s.loops.Wait()
	done := make(chan struct{})
	go func() {
		s.asks.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.abandon()
	leases := s.leases()
	s.mu.Lock()
	for _, it := range s.items {
		s.drop(it)
	}
	s.mu.Unlock()
	if len(leases) == 0 {
		return nil
	}
	_, err := s.cfg.Renew(context.WithoutCancel(ctx), leases, s.cfg.Clock.Now())
	return err
}

// wake wakes the dispatching loop. It never blocks.
func (s *Scheduler) wake() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}
