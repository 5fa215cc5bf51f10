// Package jobs runs what is due. The rows of the store are the jobs: each says
// when it wants to be looked at, and the Runner claims due rows and hands them to
// the handlers of their queues. It knows nothing of what they do.
//
// A claim is a lease: a row whose handler dies with its process is due again
// when the lease is over, on any node. Handlers therefore end within Budget and
// may run twice; every change they make is compare-and-swap.
//
// A handler that fails is run again after a back-off. A row whose handler fails
// or dies too often is given to the queue's last resort and, if that cannot
// settle it, parked: it waits for an operator.
package jobs

import (
	"context"
	"errors"
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
	// Interval is the longest a due row waits for an idle runner that was not
	// woken.
	Interval = 250 * time.Millisecond
)

// The back-off of a queue that names none.
const (
	firstRetry  = time.Second
	longestWait = 5 * time.Minute
	maxAttempts = 20 // about an hour
)

// Handler looks at one row. It ends within Budget (its context does), moves the
// row's WakeAt when there is more to do, and returns an error only for what it
// cannot settle itself: the row is then looked at again after a back-off.
type Handler func(ctx context.Context, id string) error

// ErrKeepTrying is returned by a last resort whose row must not be parked, because
// time alone may change it: it is looked at again after the longest back-off.
var ErrKeepTrying = errors.New("jobs: the row must stay in its queue")

// Queue says how the rows of one queue are handled. Name, Workers and Handle are
// required.
type Queue struct {
	Name    store.Queue
	Workers int // handlers that run at once
	Handle  Handler
	// LastResort settles a row whose handler has failed MaxAttempts times, such as
	// by failing what the row stands for. Nil, or an error, parks the row.
	LastResort Handler

	FirstRetry  time.Duration // after the first failure; 0 = 1 s
	LongestWait time.Duration // between two attempts; 0 = 5 min
	MaxAttempts int           // 0 = 20; negative = no end
}

// Runner claims due rows and runs handlers. Register all queues, then Start; Stop
// waits for the handlers under way. It is safe for concurrent use.
type Runner struct {
	rows   store.Jobs
	clock  clock.Clock
	log    *slog.Logger
	queues map[store.Queue]*queue
	loops  sync.WaitGroup

	cancel  context.CancelFunc // of the loops: nothing more is claimed
	abandon context.CancelFunc // of the handlers
}

// New makes a runner without queues.
func New(rows store.Jobs, c clock.Clock, log *slog.Logger) *Runner {
	return &Runner{rows: rows, clock: c, log: log, queues: map[store.Queue]*queue{}}
}

// Register adds a queue. It must be called before Start.
func (r *Runner) Register(q Queue) {
	if q.FirstRetry == 0 {
		q.FirstRetry = firstRetry
	}
	if q.LongestWait == 0 {
		q.LongestWait = longestWait
	}
	if q.MaxAttempts == 0 {
		q.MaxAttempts = maxAttempts
	}
	r.queues[q.Name] = &queue{Queue: q, runner: r, wake: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

// Start begins to claim. Handlers' contexts carry the values of ctx but not its
// end: they end with Stop.
func (r *Runner) Start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	loop, cancel := context.WithCancel(ctx)
	handlers, abandon := context.WithCancel(ctx)
	r.cancel, r.abandon = cancel, abandon
	for _, q := range r.queues {
		q.open(handlers)
		r.loops.Go(func() { q.claimLoop(loop) })
	}
}

// Wake tells the runner that a row of the queue may be due. It never blocks.
func (r *Runner) Wake(name store.Queue) {
	if q := r.queues[name]; q != nil {
		signal(q.wake)
	}
}

// grace is how long Stop lets handlers under way finish by themselves.
const grace = 2 * time.Second

// Stop ends claiming, lets handlers finish for a moment and then cancels them;
// it waits for them until ctx ends. A handler that is cancelled hands its row
// back, or leaves it to the end of its lease.
func (r *Runner) Stop(ctx context.Context) error {
	if r.cancel == nil {
		return nil
	}
	r.cancel()
	defer r.abandon()
	done := make(chan struct{})
	go func() {
		r.loops.Wait()
		for _, q := range r.queues {
			q.close()
			q.handlers.Wait()
		}
		close(done)
	}()
	timeout := r.clock.NewTimer(grace)
	defer timeout.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-timeout.C():
			r.abandon()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
