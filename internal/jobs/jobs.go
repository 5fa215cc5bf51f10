// Package jobs runs due jobs. The rows of the store are the jobs: each has the time
// at which it is due. The Runner claims due rows and passes them to the handlers of
// their queues. It does not know what the handlers do.
//
// A claim is a lease: if the process of a handler dies, the row is due again when
// the lease ends, on any node. A handler therefore ends within Budget, may run twice,
// and makes every change by compare-and-swap.
//
// A handler that fails is retried after a back-off. A row whose handler fails or dies
// too often is passed to the last resort of the queue. If that fails too, the row is
// parked: it waits for an operator.
//
// The companies of the rows share the handlers of a queue, so that a slow institution
// delays only its own rows.
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
	// Lease is how long a claimed row belongs to its handler. After a process was
	// killed, its flows continue within Lease plus Interval.
	Lease = 20 * time.Second
	// Budget is the time limit of one handler call.
	Budget = 15 * time.Second
	// Interval is the time between two polls of an idle runner.
	Interval = 250 * time.Millisecond
)

// The defaults of a Queue.
const (
	firstRetry  = time.Second
	longestWait = 5 * time.Minute
	maxAttempts = 20 // about an hour
)

// Handler handles one due row. Its context ends after Budget. If there is more to do
// later, it moves the row's WakeAt. If it returns an error, the row is retried after
// a back-off.
type Handler func(ctx context.Context, id string) error

// ErrKeepTrying is returned by a last resort if the row must not be parked: time alone
// can change it, or the store is away. The row is retried after the longest back-off.
var ErrKeepTrying = errors.New("jobs: the row must stay in its queue")

// Park returns the error of a handler whose row is parked at once, with the cause as its
// reason: nothing but an operator can change it. The last resort is not called.
func Park(cause error) error { return &parked{cause} }

type parked struct{ cause error }

func (p *parked) Error() string { return p.cause.Error() }
func (p *parked) Unwrap() error { return p.cause }

// Queue configures a queue. Name, Workers and Handle are required.
type Queue struct {
	Name    store.Queue
	Workers int // number of concurrent handlers, of which one company takes half at most
	Handle  Handler
	// Overdue returns which rows are overdue at a time. They are claimed although their
	// company has taken its share, so that their deadlines hold; the handler is done with
	// them without calling the institution. Nil: none are.
	Overdue func(now time.Time) store.Overdue
	// LastResort handles a row whose handler has failed MaxAttempts times; it may
	// mark the consent or collection as failed. Nil, or an error, parks the row.
	LastResort Handler

	FirstRetry  time.Duration // after the first failure; 0 = 1 s
	LongestWait time.Duration // between two attempts; 0 = 5 min
	MaxAttempts int           // 0 = 20; negative = no limit
}

// Runner claims due rows and runs handlers. Register all queues before Start. It is
// safe for concurrent use.
type Runner struct {
	rows   store.Jobs
	clock  clock.Clock
	log    *slog.Logger
	queues map[store.Queue]*queue
	loops  sync.WaitGroup

	// Trace, if set before Start, is called with each call of a handler, and returns its
	// context, and what is called with its error.
	Trace func(ctx context.Context, q store.Queue) (context.Context, func(error))

	cancel  context.CancelFunc // ends the claim loops
	abandon context.CancelFunc // ends the handlers
}

// New returns a runner without queues.
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
	r.queues[q.Name] = &queue{Queue: q, runner: r, slots: NewSlots(q.Workers), wake: make(chan struct{}, 1), freed: make(chan struct{}, 1)}
}

// Start starts to claim rows. The contexts of handlers have the values of ctx. They end
// with Stop and not with ctx.
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

// grace is how long Stop waits before it cancels the running handlers.
const grace = 2 * time.Second

// Stop stops claiming, gives running handlers two seconds to finish, and then cancels
// them. It waits for them until ctx ends. A cancelled handler makes its row due, or
// leaves it until its lease ends.
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
