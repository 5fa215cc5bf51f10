package sqlstore

import (
	"context"
	"errors"
	"sync"
)

// groupSize is how many transactions share one commit at most.
const groupSize = 256

// errClosed answers whoever comes after Close.
var errClosed = errors.New("sqlstore: the store is closed")

// group lets transactions share commits, since it is the wait for the disk that
// bounds them. Callers run one after another, each on its own goroutine and inside
// a savepoint of its own, so that an error or a panic undoes one caller's writes
// only. Whoever finds nobody waiting behind him commits for all before him: the
// group is what came while the last commit was on its way.
type group struct {
	begin, commit, rollback func() error
	savepoint, undo, keep   func() error
	mu                      sync.Mutex
	taken                   bool // somebody runs or commits
	closed                  bool
	queue                   []*turn

	// Of whoever's turn it is:
	open *round // nil between two commits
	size int
}

// turn is a place in the queue.
type turn struct{ come chan struct{} }

// round is a commit that several wait for.
type round struct {
	done chan struct{}
	err  error
}

// run gives fn its turn and returns when its writes are on disk, or with fn's
// error. A caller whose ctx ends before its turn is dropped.
func (g *group) run(ctx context.Context, fn func() error) error {
	if err := g.enter(ctx); err != nil {
		return err
	}
	r, err := g.member(fn)
	if err != nil {
		return err
	}
	<-r.done
	return r.err
}

// enter waits for the turn.
func (g *group) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return errClosed
	}
	if !g.taken {
		g.taken = true
		g.mu.Unlock()
		return nil
	}
	t := &turn{come: make(chan struct{})}
	g.queue = append(g.queue, t)
	g.mu.Unlock()
	select {
	case <-t.come:
		if g.shut() {
			g.leave()
			return errClosed
		}
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	for i, other := range g.queue {
		if other == t {
			g.queue = append(g.queue[:i:i], g.queue[i+1:]...)
			g.mu.Unlock()
			return ctx.Err()
		}
	}
	g.mu.Unlock()
	// The turn has come meanwhile, and whoever has it must pass it on.
	<-t.come
	g.leave()
	return ctx.Err()
}

// member runs fn in the open round, or in a new one, and passes the turn on: also
// when fn panics or ends its goroutine.
func (g *group) member(fn func() error) (*round, error) {
	defer g.leave()
	if g.open == nil {
		if err := g.begin(); err != nil {
			return nil, err
		}
		g.open, g.size = &round{done: make(chan struct{})}, 0
	}
	r := g.open
	g.size++
	if err := g.savepoint(); err != nil {
		g.fail(err)
		return nil, err
	}
	kept := false
	defer func() {
		if !kept {
			if err := g.undo(); err != nil {
				g.fail(err)
			}
		}
	}()
	if err := fn(); err != nil {
		return nil, err
	}
	if err := g.keep(); err != nil {
		g.fail(err)
		return nil, err
	}
	kept = true
	return r, nil
}

// leave passes the turn on. It commits first when nobody waits, or the round is
// full.
func (g *group) leave() {
	g.mu.Lock()
	if g.open != nil && (len(g.queue) == 0 || g.size >= groupSize) {
		g.mu.Unlock()
		g.finish()
		g.mu.Lock()
	}
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.taken = false
		return
	}
	next := g.queue[0]
	g.queue = g.queue[1:]
	close(next.come)
}

// finish commits the open round.
func (g *group) finish() {
	if err := g.commit(); err != nil {
		g.fail(err)
		return
	}
	close(g.open.done)
	g.open = nil
}

// fail ends the open round with an error for everybody in it.
func (g *group) fail(err error) {
	if g.open == nil {
		return
	}
	g.open.err = errors.Join(err, g.rollback())
	close(g.open.done)
	g.open = nil
}

func (g *group) shut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// close waits for its turn and lets nobody in after.
func (g *group) close() {
	if err := g.enter(context.Background()); err != nil {
		return
	}
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.leave()
}
