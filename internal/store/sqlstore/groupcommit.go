package sqlstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"samla/internal/clock"
)

// maxBatch is how many transactions share one commit at most.
const maxBatch = 256

// errClosed is returned to callers that come after Close.
var errClosed = errors.New("sqlstore: the store is closed")

// groupCommit lets transactions share commits, because the wait for the disk
// bounds their rate. Callers run one after another, each on its own goroutine and
// inside its own savepoint, so that an error or a panic undoes the writes of one
// caller only. The last caller of a queue commits the batch: a batch holds what
// arrived while the commit before it was under way.
//
// A caller sees what earlier callers of its batch have written. What it returns
// can rest on these rows, an error as well as a success. Therefore run returns
// nothing to a caller before its batch has ended.
type groupCommit struct {
	begin, commit, rollback        func() error
	savepoint, rollbackTo, release func() error
	committed                      func(callers int, took time.Duration) // after each commit; may be nil

	mu     sync.Mutex
	busy   bool // a caller runs or commits
	closed bool
	queue  []*waiter

	// Only the caller that made the group commit busy uses these.
	open *batch // nil when no transaction is open
	size int    // callers in the open batch
}

// waiter is a place in the queue.
type waiter struct{ turn chan struct{} }

// batch is a transaction that several callers share.
type batch struct {
	done chan struct{}
	err  error // why it was not committed; read after done is closed
}

// run runs fn when its turn has come. It returns when the batch of fn has ended:
// with the error of the batch when it was not committed, else with the error of
// fn. A caller whose ctx ends before its turn is dropped; later ctx has no effect.
func (g *groupCommit) run(ctx context.Context, fn func() error) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	b, err := g.runInBatch(fn)
	if b == nil {
		return err
	}
	<-b.done
	if b.err != nil {
		return b.err
	}
	return err
}

// enter waits for the caller's turn.
func (g *groupCommit) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return errClosed
	}
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		return nil
	}
	w := &waiter{turn: make(chan struct{})}
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	select {
	case <-w.turn:
		if g.isClosed() {
			g.leave()
			return errClosed
		}
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	for i, other := range g.queue {
		if other == w {
			g.queue = append(g.queue[:i:i], g.queue[i+1:]...)
			g.mu.Unlock()
			return ctx.Err()
		}
	}
	g.mu.Unlock()
	// The turn came at the same time. It must be passed on.
	<-w.turn
	g.leave()
	return ctx.Err()
}

// runInBatch runs fn in the open batch, or in a new one, and passes the turn on:
// also when fn panics or ends its goroutine. It returns a nil batch only when
// none could be opened.
func (g *groupCommit) runInBatch(fn func() error) (*batch, error) {
	defer g.leave()
	if g.open == nil {
		if err := g.begin(); err != nil {
			return nil, err
		}
		g.open, g.size = &batch{done: make(chan struct{})}, 0
	}
	b := g.open
	g.size++
	if err := g.savepoint(); err != nil {
		g.failBatch(err)
		return b, nil // b has the error
	}
	var failure error
	end := g.rollbackTo // unless fn succeeds
	defer func() {
		if err := end(); err != nil {
			// A full disk makes the database end the transaction by itself: then the
			// failure of fn is the reason, for all callers. Any other failure of fn is
			// for its caller only.
			if OutageOf(failure) != "" {
				err = failure
			}
			g.failBatch(err)
		}
	}()
	if failure = fn(); failure != nil {
		return b, failure
	}
	end = g.release
	return b, nil
}

// leave passes the turn on. It commits first when the queue is empty or the batch
// is full.
func (g *groupCommit) leave() {
	g.mu.Lock()
	if g.open != nil && (len(g.queue) == 0 || g.size >= maxBatch) {
		g.mu.Unlock()
		g.commitBatch()
		g.mu.Lock()
	}
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.busy = false
		return
	}
	next := g.queue[0]
	g.queue = g.queue[1:]
	close(next.turn)
}

// commitBatch commits the open batch.
func (g *groupCommit) commitBatch() {
	began := clock.System().Now()
	if err := g.commit(); err != nil {
		g.failBatch(err)
		return
	}
	if g.committed != nil {
		g.committed(g.size, clock.System().Now().Sub(began))
	}
	close(g.open.done)
	g.open = nil
}

// failBatch rolls the open batch back. All its callers get err.
func (g *groupCommit) failBatch(err error) {
	if g.open == nil {
		return
	}
	_ = g.rollback() // fails if the database has ended the transaction by itself
	g.open.err = err
	close(g.open.done)
	g.open = nil
}

func (g *groupCommit) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// close waits for its turn and commits the open batch. When it returns, no caller
// uses the connection. Callers that come later, or still wait, get errClosed.
func (g *groupCommit) close() {
	if err := g.enter(context.Background()); err != nil {
		return
	}
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	if g.open != nil {
		g.commitBatch()
	}
	g.leave()
}
