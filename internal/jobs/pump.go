// Package jobs runs what is due. The rows of the store are the jobs: each says
// when it wants to be looked at, and the pump claims due rows and hands them to
// the handlers it was given. It knows nothing of what they do.
//
// A claim is a lease: a row whose handler dies with its process is due again
// when the lease is over, on any node. Handlers therefore end within Budget and
// may run twice; every change they make is compare-and-swap.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/store"
)

const (
	// Lease is how long a claimed row belongs to its handler. With Interval it
	// bounds how long a flow rests after its process was killed.
	Lease = 20 * time.Second
	// Budget is how long one handler call may take.
	Budget = 15 * time.Second
	// Interval is the longest a due row waits for an idle pump that nobody has
	// told of it.
	Interval = 250 * time.Millisecond
)

// Claimer is the part of the store the pump needs.
type Claimer interface {
	Claim(ctx context.Context, q store.Queue, now time.Time, lease time.Duration, limit int) ([]string, error)
}

// Handler looks at one row. It ends within Budget (its context does), moves the
// row's WakeAt when there is more to do, and returns an error only for what it
// cannot settle itself: the row is then looked at again when its lease is over.
type Handler func(ctx context.Context, id string) error

// Runner claims due rows and runs handlers. Register all queues, then Start; Stop
// waits for the handlers under way.
type Runner struct {
	claims Claimer
	clock  clock.Clock
	log    *slog.Logger
	queues map[store.Queue]*queue
	loops  sync.WaitGroup

	cancel  context.CancelFunc // of the loops: nothing is claimed any more
	abandon context.CancelFunc // of the handlers
}

type queue struct {
	name    store.Queue
	handle  Handler
	slots   chan struct{}
	kick    chan struct{}
	running sync.WaitGroup
	work    context.Context // of handlers; ends when Stop loses patience
	closed  <-chan struct{} // no new work
}

// New makes a pump without queues.
func New(claims Claimer, c clock.Clock, log *slog.Logger) *Runner {
	return &Runner{claims: claims, clock: c, log: log, queues: map[store.Queue]*queue{}}
}

// Register registers the handler of a queue and how many of its calls may run at
// once. It must be called before Start.
func (p *Runner) Register(name store.Queue, workers int, h Handler) {
	p.queues[name] = &queue{name: name, handle: h, slots: make(chan struct{}, workers), kick: make(chan struct{}, 1)}
}

// Start begins to claim. Handlers' contexts carry the values of ctx but not its
// end: they end with Stop.
func (p *Runner) Start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	loop, cancel := context.WithCancel(ctx)
	handlers, abandon := context.WithCancel(ctx)
	p.cancel, p.abandon = cancel, abandon
	for _, q := range p.queues {
		q.work, q.closed = handlers, loop.Done()
		p.loops.Add(1)
		go func() {
			defer p.loops.Done()
			p.run(loop, q)
		}()
	}
}

// Wake tells the pump that a row of the queue may be due. It never blocks.
func (p *Runner) Wake(name store.Queue) {
	q := p.queues[name]
	if q == nil {
		return
	}
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

// Slot is a place for one handler call, held for a row that is about to be
// stored. A nil Slot is no place; its methods do nothing.
type Slot struct {
	pump *Runner
	q    *queue
}

// Reserve holds a slot of the queue, or returns nil when none is free or the
// pump does not run. With a slot the caller stores its new row with WakeAt a
// Lease away, which makes the row claimed already, and calls Run: one write less
// than storing it due and having it claimed. Without, it stores the row due now
// and calls Wake.
func (p *Runner) Reserve(name store.Queue) *Slot {
	q := p.queues[name]
	if q == nil || q.work == nil {
		return nil
	}
	select {
	case <-q.closed:
		return nil
	default:
	}
	select {
	case q.slots <- struct{}{}:
		return &Slot{p, q}
	default:
		return nil
	}
}

// Run hands the stored row to the handler and gives the slot away.
func (s *Slot) Run(id string) {
	if s != nil {
		s.pump.start(s.q, id)
	}
}

// Release gives the slot back unused: the row was not stored.
func (s *Slot) Release() {
	if s != nil {
		<-s.q.slots
	}
}

// grace is how long Stop lets handlers under way finish by themselves.
const grace = 2 * time.Second

// Stop ends claiming, lets handlers finish for a moment and then cancels them;
// it waits for them until ctx ends. A handler that is cancelled hands its row
// back, or leaves it to the end of its lease.
func (p *Runner) Stop(ctx context.Context) error {
	if p.cancel == nil {
		return nil
	}
	p.cancel()
	defer p.abandon()
	done := make(chan struct{})
	go func() {
		p.loops.Wait()
		for _, q := range p.queues {
			q.running.Wait()
		}
		close(done)
	}()
	patience := p.clock.NewTimer(grace)
	defer patience.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-patience.C():
			p.abandon()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *Runner) run(ctx context.Context, q *queue) {
	for ctx.Err() == nil {
		if p.claim(ctx, q) {
			continue
		}
		timer := p.clock.NewTimer(Interval)
		select {
		case <-ctx.Done():
		case <-q.kick:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// claim takes as many rows as there are free slots and reports whether there may
// be more.
func (p *Runner) claim(ctx context.Context, q *queue) bool {
	select {
	case q.slots <- struct{}{}: // wait for one free slot
	case <-ctx.Done():
		return false
	}
	held := 1
	for held < cap(q.slots) {
		select {
		case q.slots <- struct{}{}:
			held++
			continue
		default:
		}
		break
	}
	ids, err := p.claims.Claim(ctx, q.name, p.clock.Now(), Lease, held)
	if err != nil && ctx.Err() == nil {
		p.log.Error("due rows cannot be claimed", "queue", q.name, "error", err)
	}
	for _, id := range ids {
		p.start(q, id)
	}
	for range held - len(ids) {
		<-q.slots
	}
	return len(ids) == held
}

// start runs the handler in the slot that the caller holds.
func (p *Runner) start(q *queue, id string) {
	q.running.Add(1)
	go func() {
		defer q.running.Done()
		defer func() { <-q.slots }()
		ctx, cancel := context.WithTimeout(q.work, Budget)
		defer cancel()
		defer func() {
			if r := recover(); r != nil {
				p.log.Error("a handler panicked", "queue", q.name, "row", id, "panic", r)
			}
		}()
		if err := q.handle(ctx, id); err != nil && q.work.Err() == nil {
			p.log.Warn("a row could not be settled", "queue", q.name, "row", id, "error", err)
		}
	}()
}
