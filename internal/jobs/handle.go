package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"samla/internal/clock"
	"samla/internal/store"
)

// settleTime limits the writes after a handler has failed. They do not use the context
// of the handler, which may have ended.
const settleTime = 5 * time.Second

// start runs the handler of a row in a slot that is taken already. After Stop the row
// waits until its lease ends.
func (q *queue) start(j store.Job) {
	q.mu.Lock()
	handlers := q.running
	if handlers != nil {
		q.handlers.Add(1) // under the lock: Stop waits for what was added before it closed
	}
	q.mu.Unlock()
	if handlers == nil {
		q.release(j.Company)
		return
	}
	go func() {
		defer q.handlers.Done()
		defer q.release(j.Company)
		if j.Attempts > store.Dropped && q.dropped(handlers, j) {
			return
		}
		if err := q.call(handlers, q.Handle, j); err != nil && handlers.Err() == nil {
			q.failed(handlers, j, err)
		}
	}()
}

// dropped hands a row that somebody has dropped to the last resort. It reports false if
// that cannot settle the row: then the handler has it again, so that it does not stay.
func (q *queue) dropped(handlers context.Context, j store.Job) bool {
	if q.LastResort == nil || q.call(handlers, q.LastResort, j) != nil {
		return false
	}
	q.runner.log.Info("a row that was dropped is settled", "queue", q.Name, "row", j.ID)
	return true
}

// Dropped reports whether a last resort is called because somebody has dropped the row.
func Dropped(ctx context.Context) bool { return Attempts(ctx) > store.Dropped }

type attemptsKey struct{}

// Attempts returns how often the row of a handler was claimed since it was last
// written, including this time. 1 means that no earlier handler can have died before
// it wrote the row. It returns 0 outside of a handler.
func Attempts(ctx context.Context) int {
	n, _ := ctx.Value(attemptsKey{}).(int)
	return n
}

// call runs a handler within Budget and turns a panic into an error.
func (q *queue) call(handlers context.Context, h Handler, j store.Job) (err error) {
	ctx, cancel := context.WithTimeout(context.WithValue(handlers, attemptsKey{}, j.Attempts), Budget)
	defer cancel()
	if q.runner.Trace != nil {
		traced, end := q.runner.Trace(ctx, q.Name)
		ctx = traced
		defer func() { end(err) }()
	}
	defer func() {
		if p := recover(); p != nil {
			q.runner.log.Error("a handler panicked", "queue", q.Name, "row", j.ID, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = fmt.Errorf("the handler panicked: %T", p)
		}
	}()
	return h(ctx, j.ID)
}

// failed handles a failure: it retries the row after a back-off. After the last attempt
// it calls the last resort, or parks the row. It parks it at once for Park.
func (q *queue) failed(handlers context.Context, j store.Job, cause error) {
	r := q.runner
	var operators *parked
	atOnce := errors.As(cause, &operators)
	last := atOnce || q.MaxAttempts > 0 && j.Attempts >= q.MaxAttempts
	wait := clock.Backoff(j.Attempts, q.FirstRetry, q.LongestWait)
	if last && q.LastResort != nil && !atOnce {
		err := q.call(handlers, q.LastResort, j)
		if err == nil {
			r.log.Error("a row was given up", "queue", q.Name, "row", j.ID, "attempts", j.Attempts, "error", cause)
			return
		}
		if errors.Is(err, ErrKeepTrying) {
			last, wait = false, q.LongestWait
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(handlers), settleTime)
	defer cancel()
	at := r.clock.Now()
	var err error
	if last {
		r.log.Error("a row is parked until it is resumed", "queue", q.Name, "row", j.ID, "attempts", j.Attempts, "error", cause)
		err = r.rows.ParkJob(ctx, q.Name, j, at, cause.Error())
	} else {
		r.log.Warn("a row could not be settled", "queue", q.Name, "row", j.ID, "attempts", j.Attempts, "again", wait, "error", cause)
		err = r.rows.RetryJob(ctx, q.Name, j, at.Add(wait), cause.Error())
	}
	if err != nil { // the row is due again when its lease ends
		r.log.Error("a failed row cannot be put back", "queue", q.Name, "row", j.ID, "error", err)
	}
}
