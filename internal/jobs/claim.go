package jobs

import (
	"context"
	"sync"

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

// free is the number of free slots.
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

// maxClaim is the most rows of one claim: what is claimed while slots are given
// away by Reserve runs beyond the number of workers, by this much at the most.
const maxClaim = 64

// claimLoop claims until ctx ends.
func (q *queue) claimLoop(ctx context.Context) {
	for ctx.Err() == nil {
		free := q.free()
		if free <= 0 {
			select {
			case <-ctx.Done():
			case <-q.freed:
			}
			continue
		}
		if q.claim(ctx, min(free, maxClaim)) {
			continue
		}
		timer := q.runner.clock.NewTimer(Interval)
		select {
		case <-ctx.Done():
		case <-q.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// claim claims up to limit rows, runs them and reports whether there may be more.
// It holds no slot while it asks, so that Reserve finds the free ones.
func (q *queue) claim(ctx context.Context, limit int) bool {
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
	return len(jobs) == limit
}

// Slot is a place for one handler call, held for a row that is about to be
// stored. A nil Slot is no place; its methods do nothing.
type Slot struct{ q *queue }

// Reserve holds a slot of the queue, or returns nil when none is free or the
// runner does not run. With a slot the caller stores its new row with WakeAt a
// Lease away, which makes the row claimed already, and calls Run: one write less
// than storing it due and having it claimed. Without, it stores the row due now
// and calls Wake.
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

// Run hands the stored row to the handler and gives the slot away. After Stop the
// row waits for the end of its lease.
func (s *Slot) Run(id string) {
	if s != nil {
		s.q.start(store.Job{ID: id, Attempts: 1})
	}
}

// Release gives the slot back unused: the row was not stored.
func (s *Slot) Release() {
	if s != nil {
		s.q.release()
	}
}
