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
	taken    int
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

// free returns the number of free slots.
func (q *queue) free() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.Workers - q.taken
}

func (q *queue) release() {
	q.mu.Lock()
	q.taken--
	q.mu.Unlock()
	signal(q.freed)
}

// maxClaim is the maximum number of rows of one claim. If Reserve takes slots during a
// claim, at most this many handlers run beyond the number of workers.
const maxClaim = 64

// longestClaimWait is the longest time between two claims while the store is away.
const longestClaimWait = 10 * time.Second

// claimLoop claims until ctx ends. While claims fail, it waits longer each time.
func (q *queue) claimLoop(ctx context.Context) {
	failed := 0
	for ctx.Err() == nil {
		free := q.free()
		if free <= 0 {
			select {
			case <-ctx.Done():
			case <-q.freed:
			}
			continue
		}
		more, err := q.claim(ctx, min(free, maxClaim))
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
		timer := q.runner.clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// claim claims up to limit rows, runs them and reports whether there may be more. It
// takes no slots before the rows are claimed, so that Reserve can use free slots.
func (q *queue) claim(ctx context.Context, limit int) (more bool, err error) {
	r := q.runner
	jobs, err := r.rows.Claim(ctx, q.Name, r.clock.Now(), Lease, limit)
	if err != nil && ctx.Err() == nil {
		r.log.Error("due rows cannot be claimed", "queue", q.Name, "error", err)
	}
	for _, j := range jobs {
		q.mu.Lock()
		q.taken++
		q.mu.Unlock()
		q.start(j)
	}
	return len(jobs) == limit, err
}

// Slot is reserved for the handler of a row that is about to be stored. The methods of
// a nil Slot do nothing.
type Slot struct{ q *queue }

// Reserve reserves a slot of the queue. It returns nil if none is free or the runner
// does not run. With a slot, the caller stores its new row as already claimed (WakeAt
// is one Lease from now) and calls Run. This saves the write of a claim. Without a
// slot, the caller stores the row as due now and calls Wake.
func (r *Runner) Reserve(name store.Queue) *Slot {
	q := r.queues[name]
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.running == nil || q.taken >= q.Workers {
		return nil
	}
	q.taken++
	return &Slot{q}
}

// Run runs the handler of the stored row, which then owns the slot. After Stop the row
// waits until its lease ends.
func (s *Slot) Run(id string) {
	if s != nil {
		s.q.start(store.Job{ID: id, Attempts: 1})
	}
}

// Release releases an unused slot, because the row was not stored.
func (s *Slot) Release() {
	if s != nil {
		s.q.release()
	}
}
