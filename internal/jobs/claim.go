package jobs

import (
	"context"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/store"
)

// queue is a registered queue with its slots. A slot is taken for each handler
// that runs and for each row that is about to be stored as claimed.
type queue struct {
	Queue
	runner *Runner
	wake   chan struct{} // a row may be due
	freed  chan struct{} // a slot may be free

	mu       sync.Mutex
	slots    Slots
	running  context.Context // of handlers; nil while the runner does not run
	handlers sync.WaitGroup
}

func (q *queue) open(handlers context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = handlers
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running = nil
}

// limits returns the limits of the next claim. Its Rows is 0 if no slot is free. full
// reports that a company has taken its share.
func (q *queue) limits() (l store.ClaimLimit, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.slots.Limit(min(max(q.slots.Free(), 0), maxClaim))
}

func (q *queue) take(company string) {
	q.mu.Lock()
	q.slots.Take(company)
	q.mu.Unlock()
}

func (q *queue) release(company string) {
	q.mu.Lock()
	q.slots.Release(company)
	q.mu.Unlock()
	signal(q.freed)
}

// maxClaim is the maximum number of rows of one claim. If Reserve takes slots during a
// claim, at most this many handlers run beyond the number of workers.
const maxClaim = 64

// longestClaimWait is the longest time between two claims while the store is away.
const longestClaimWait = 10 * time.Second

// overdueInterval is the time between two claims of overdue rows.
const overdueInterval = time.Second

// claimLoop claims until ctx ends. While claims fail, it waits longer each time.
func (q *queue) claimLoop(ctx context.Context) {
	failed := 0
	var lastOverdue time.Time
	for ctx.Err() == nil {
		limit, full := q.limits()
		if limit.Rows == 0 {
			select {
			case <-ctx.Done():
			case <-q.freed:
			}
			continue
		}
		if now := q.runner.clock.Now(); full && q.Overdue != nil && now.Sub(lastOverdue) >= overdueInterval {
			overdue := q.Overdue(now)
			if more, _ := q.claim(ctx, store.ClaimLimit{Rows: limit.Rows, Overdue: &overdue}); more {
				continue
			}
			lastOverdue = now
		}
		more, err := q.claim(ctx, limit)
		if more {
			failed = 0
			continue
		}
		wait := Interval
		if err == nil {
			failed = 0
		} else {
			failed++
			wait = clock.Backoff(failed, Interval, longestClaimWait)
		}
		var freed chan struct{}
		if full {
			freed = q.freed // rows may be due that a released slot makes claimable
		}
		timer := q.runner.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-freed:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// claim claims rows within a limit, runs them and reports whether there may be more. It
// takes no slots before the rows are claimed, so that Reserve can use free slots.
func (q *queue) claim(ctx context.Context, limit store.ClaimLimit) (more bool, err error) {
	r := q.runner
	jobs, err := r.rows.Claim(ctx, q.Name, r.clock.Now(), Lease, limit)
	if err != nil && ctx.Err() == nil {
		r.log.Error("due rows cannot be claimed", "queue", q.Name, "error", err)
	}
	for _, j := range jobs {
		q.take(j.Company)
		q.start(j)
	}
	return len(jobs) > 0, err
}

// Slot is reserved for the handler of a row that is about to be stored. It is used by
// one goroutine. The methods of a nil Slot do nothing.
type Slot struct {
	q       *queue // nil once it is used
	company string
}

// Reserve reserves a slot of the queue for a row of a company. It returns nil if the
// company has taken its share or the runner does not run. With a slot, the caller stores
// its new row as already claimed (WakeAt is one Lease from now) and calls Run. This saves
// the write of a claim. Without a slot, the caller stores the row as due now and calls
// Wake.
func (r *Runner) Reserve(name store.Queue, company string) *Slot {
	q := r.queues[name]
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running == nil || !q.slots.MayTake(company) {
		return nil
	}
	q.slots.Take(company)
	return &Slot{q, company}
}

// Run runs the handler of the stored row, which then owns the slot. After Stop the row
// waits until its lease ends.
func (s *Slot) Run(id string) {
	if q := s.use(); q != nil {
		q.start(store.Job{ID: id, Company: s.company, Attempts: 1})
	}
}

// Release releases the slot unless Run was called. Defer it, so that the slot is also
// released when storing the row panics.
func (s *Slot) Release() {
	if q := s.use(); q != nil {
		q.release(s.company)
	}
}

// use returns the queue of a slot the first time, else nil.
func (s *Slot) use() *queue {
	if s == nil {
		return nil
	}
	q := s.q
	s.q = nil
	return q
}
