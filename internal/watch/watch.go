// Package watch polls many items whose state changes elsewhere, such as
// authorizations that persons are signing at their banks. A node has one Scheduler for
// all items that it watches. It asks about those first whose answer is wanted first,
// limits the questions in flight and the processor time of signatures, and shares both
// fairly between groups (institutions). It takes no more new items than it can ask about
// in time, so that a crowd does not slow down those who wait already. The rows of the
// items are leased; the scheduler renews all leases together.
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
	ID    string
	Group string // institution: groups share the limits fairly
	Pace  Pace
	Cost  time.Duration // processor time of the signature of a question; 0 = not signed
	Lease time.Time     // when the row's lease ends, as stored
}

// Pace says when the next question follows the start of the last one: not before After,
// and by Within where the limits allow that. A Within below After is After.
type Pace struct{ After, Within time.Duration }

func (p Pace) within() time.Duration { return max(p.After, p.Within) }

// after returns when the next question may follow, if all items want the share used of
// what is possible: questions that can wait leave the processors to others.
func (p Pace) after(used float64) time.Duration {
	const some, much = 0.25, 0.75
	wait := min(max((used-some)/(much-some), 0), 1)
	return p.After + time.Duration(wait*float64(p.within()-p.After))
}

// Lease is the lease of this node on one row.
type Lease = store.Lease

// Outcome is the result of a question.
type Outcome struct {
	// Done: the item is finished. It is dropped, and its lease is not renewed.
	Done bool
	// Pace of the next question; the zero value is the pace of this one.
	Pace Pace
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

	InFlight   int           // questions in flight; 0 = 1024
	PerGroup   int           // of one group; 0 = a quarter of InFlight
	Processors float64       // processor time a second that signatures may take; 0 = no limit
	PerSecond  float64       // questions a second that are taken to be possible until they are measured; 0 = 2000
	MaxItems   int           // items that Admit lets in; 0 = as many as can be asked about in time
	LeaseTime  time.Duration // 0 = 20 s; renewed after half of it
	Timeout    time.Duration // of one question; 0 = 15 s
	Log        *slog.Logger  // nil = none
}

// Scheduler watches items. It is safe for concurrent use. Start it once, stop it
// once; items may be added before the start.
type Scheduler struct {
	cfg    Config
	limit  *rate.Limiter // of the processor time of signatures, in microseconds; nil = none
	signal chan struct{} // something changed

	mu       sync.Mutex
	items    map[string]*item
	groups   map[string]*group
	ring     []*group // groups with items, in turn
	turn     int      // next group
	inFlight int
	stopped  bool
	load     load

	askCtx  context.Context // of all questions; abandon cancels it
	abandon context.CancelFunc
	quit    context.CancelFunc
	loops   sync.WaitGroup
	asks    sync.WaitGroup
}

// New returns a scheduler without items.
func New(c Config) *Scheduler {
	c.InFlight = cmp.Or(c.InFlight, 1024)
	c.PerGroup = cmp.Or(c.PerGroup, max(c.InFlight/4, 1))
	c.PerSecond = cmp.Or(c.PerSecond, 2000)
	c.LeaseTime = cmp.Or(c.LeaseTime, 20*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 15*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Scheduler{cfg: c, signal: make(chan struct{}, 1), items: map[string]*item{}, groups: map[string]*group{}, load: newLoad(c)}
	if c.Processors > 0 {
		perSecond := c.Processors * float64(time.Second/time.Microsecond)
		s.limit = rate.NewLimiter(rate.Limit(perSecond), int(max(perSecond/10, 1)))
	}
	s.askCtx, s.abandon = context.WithCancel(context.Background())
	return s
}

// Add starts to watch an item. The first question follows at its pace from now. If the
// item is watched already, Add sets its pace and lease. It reports false after
// Stop: the row stays as it is.
func (s *Scheduler) Add(i Item) bool {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.load.leave(i.ID)
	if known := s.items[i.ID]; known != nil {
		s.repace(known, i.Pace)
		known.Lease, known.removed = i.Lease, false
		return true
	}
	it := &item{Item: i}
	s.items[i.ID] = it
	s.join(it)
	it.plan(now, now, s.load.used())
	it.group.enqueue(it)
	s.wake()
	return true
}

// Remove stops watching an item, and forgets that it was admitted. A question in flight
// continues, but its outcome is not used.
func (s *Scheduler) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load.leave(id)
	if it := s.items[id]; it != nil {
		s.drop(it)
	}
}

// Sooner makes the next question follow the start of the last one at this pace, unless
// it follows sooner anyway.
func (s *Scheduler) Sooner(id string, p Pace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	it := s.items[id]
	if it == nil || it.Pace.within() <= p.within() {
		return
	}
	s.repace(it, p)
	if it.asking {
		it.hurried = true // the outcome was decided without knowing
		return
	}
	it.group.dequeue(it)
	it.plan(it.asked, s.cfg.Clock.Now(), s.load.used())
	it.group.enqueue(it)
	s.wake()
}

// Watches reports whether this node watches an item.
func (s *Scheduler) Watches(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items[id] != nil
}

// LeaseEnds returns when the lease of an item ends, or zero if it is not watched.
func (s *Scheduler) LeaseEnds(id string) (at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if it := s.items[id]; it != nil {
		at = it.Lease
	}
	return at
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
	leases := s.leases(s.cfg.Clock.Now().Add(2 * s.cfg.LeaseTime)) // all
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
