// Package watch asks again and again about many things that change outside, such
// as authorizations that persons are signing at their banks. One Scheduler a node
// holds all that the node watches. It bounds the questions under way and the
// signatures per second, not the number of items, and shares both fairly between
// groups (institutions). The rows behind the items are leased; the scheduler
// renews all leases together.
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
	Group    string        // institution: groups share the bounds fairly
	Interval time.Duration // from one question to the next
	Signed   bool          // a question costs a signature
	Lease    time.Time     // when the row's lease ends, as stored
}

// Lease is the hold of this node on one row.
type Lease = store.Lease

// Outcome says what follows an answer.
type Outcome struct {
	// Done: the item is finished. It is dropped, and its lease is not renewed.
	Done bool
	// After is the time from this question to the next; 0 = the item's interval.
	After time.Duration
}

// Config says how to watch. Clock, Ask and Renew are required.
type Config struct {
	Clock clock.Clock
	// Ask asks about one item. It is called for different items at once, never
	// twice at once for one. Its context ends after Timeout, and with Stop.
	Ask func(ctx context.Context, id string) Outcome
	// Renew moves the end of each lease that is still as given to until, with one
	// statement for the leases that end at one time, and returns the ids of those
	// that were still held.
	Renew func(ctx context.Context, leases []Lease, until time.Time) (held []string, err error)

	// Dropped is told of each item that is watched no more, whatever the reason. It
	// must return at once and not call the scheduler. Nil = nobody is told.
	Dropped func(id string)

	InFlight            int           // questions under way at once; 0 = 256
	PerGroup            int           // of one group; 0 = a quarter of InFlight
	SignaturesPerSecond float64       // 0 = no bound
	LeaseTime           time.Duration // 0 = 20 s; renewed after half of it
	Timeout             time.Duration // of one question; 0 = 15 s
	Log                 *slog.Logger  // nil = none
}

// Scheduler watches items. It is safe for concurrent use. Start it once, stop it
// once; items may be added before the start.
type Scheduler struct {
	cfg    Config
	limit  *rate.Limiter // of signatures; nil = none
	signal chan struct{} // something changed: look again

	mu       sync.Mutex
	items    map[string]*item
	groups   map[string]*group
	ring     []*group // groups with items, in turn
	turn     int      // next group to be served
	inFlight int
	stopped  bool

	asking  context.Context // of questions
	abandon context.CancelFunc
	quit    context.CancelFunc
	loops   sync.WaitGroup
	asks    sync.WaitGroup
}

// New makes a scheduler that watches nothing yet.
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
	s.asking, s.abandon = context.WithCancel(context.Background())
	return s
}

// Add begins to watch an item; the first question comes after its interval. An
// item that is watched already takes the new interval and lease. Add reports
// false when the scheduler has been stopped: the row stays as it is.
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

// Remove stops watching. A question that is under way is finished, its outcome
// is not used.
func (s *Scheduler) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it := s.items[id]; it != nil {
		s.drop(it)
	}
}

// Hurry asks about an item at once instead of after its interval. It reports
// whether the item is watched here.
func (s *Scheduler) Hurry(id string) bool {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	if it == nil {
		return false
	}
	if !it.asking && it.due.After(now) {
		it.group.remove(it)
		it.due = now
		s.enqueue(it)
		s.wake()
	}
	return true
}

// Watches reports whether an item is watched here.
func (s *Scheduler) Watches(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items[id] != nil
}

// Len is the number of items.
func (s *Scheduler) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items)
}

// Start begins to ask and to renew leases.
func (s *Scheduler) Start() {
	ctx, quit := context.WithCancel(context.Background())
	s.quit = quit
	s.loops.Go(func() { s.dispatch(ctx) })
	s.loops.Go(func() { s.renew(ctx) })
}

// Stop asks nothing more, waits for the questions under way until ctx ends, and
// hands the leases back, so that another node claims the rows at once.
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

// wake makes the dispatching loop look again. It never blocks.
func (s *Scheduler) wake() {
	select {
	case s.signal <- struct{}{}:
	default:
	}
}
