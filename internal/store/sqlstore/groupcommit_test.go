package sqlstore

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// fakeDB records the steps of a group commit and fails those that it is told to
// fail. A real database cannot be made to fail at a given step.
type fakeDB struct {
	steps  []string
	fails  string        // names of the steps that fail
	commit chan struct{} // when not nil, a commit waits until it is closed
}

func (db *fakeDB) step(name string) func() error {
	return func() error {
		db.steps = append(db.steps, name)
		if name == "commit" && db.commit != nil {
			<-db.commit
		}
		if strings.Contains(db.fails, name) {
			return errors.New(name)
		}
		return nil
	}
}

func (db *fakeDB) groupCommit() *groupCommit {
	return &groupCommit{begin: db.step("begin"), commit: db.step("commit"), rollback: db.step("rollback"),
		savepoint: db.step("savepoint"), rollbackTo: db.step("undo"), release: db.step("release")}
}

// call is a caller of a group commit. err is valid when returned is set.
type call struct {
	returned bool
	err      error
}

// startBatch calls run with each of fns, in this order and in one batch: the first
// one keeps its turn until all others are in the queue. It returns when all
// callers have returned or wait. It runs inside a synctest bubble.
func startBatch(ctx context.Context, g *groupCommit, fns ...func() error) []call {
	calls := make([]call, len(fns))
	queued := make(chan struct{})
	for i, fn := range fns {
		if first := fn; i == 0 {
			fn = func() error {
				<-queued
				return first()
			}
		}
		go func() {
			err := g.run(ctx, fn)
			calls[i] = call{returned: true, err: err}
		}()
		synctest.Wait()
	}
	close(queued)
	synctest.Wait()
	return calls
}

func succeed() error { return nil }

var errOfCaller = errors.New("error of the caller")

func fail() error { return errOfCaller }

func TestGroupCommit_SharesOneCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var db fakeDB
		calls := startBatch(t.Context(), db.groupCommit(), succeed, fail, succeed)
		want := []string{"begin", "savepoint", "release", "savepoint", "undo", "savepoint", "release", "commit"}
		if !slices.Equal(db.steps, want) {
			t.Errorf("steps %v, want %v", db.steps, want)
		}
		if calls[0].err != nil || !errors.Is(calls[1].err, errOfCaller) || calls[2].err != nil {
			t.Errorf("errors %v", calls)
		}
	})
}

// The error of a caller can rest on rows that an earlier caller of the batch has
// written. Nobody may learn of them while the commit can still fail.
func TestGroupCommit_ReturnsErrorAfterCommit(t *testing.T) {
	for name, callers := range map[string][]func() error{
		"in the middle": {succeed, fail, succeed},
		"at the end":    {succeed, succeed, fail},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := fakeDB{commit: make(chan struct{})}
				calls := startBatch(t.Context(), db.groupCommit(), callers...)
				for i, c := range calls {
					if c.returned {
						t.Errorf("caller %d returned %v before the commit", i, c.err)
					}
				}
				close(db.commit)
				synctest.Wait()
				for i, c := range calls {
					if want := callers[i](); !c.returned || !errors.Is(c.err, want) {
						t.Errorf("caller %d after the commit: %+v, want %v", i, c, want)
					}
				}
			})
		})
	}
}

// An error that rests on rows that were rolled back is not true.
func TestGroupCommit_ReplacesErrorWhenCommitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := fakeDB{fails: "commit"}
		for i, c := range startBatch(t.Context(), db.groupCommit(), succeed, fail, succeed) {
			if c.err == nil || errors.Is(c.err, errOfCaller) || !strings.Contains(c.err.Error(), "commit") {
				t.Errorf("caller %d got %v, want the error of the commit", i, c.err)
			}
		}
	})
}

func TestGroupCommit_FailsAllCallersOfBrokenBatch(t *testing.T) {
	for _, fails := range []string{"begin", "savepoint", "release", "commit", "commit rollback"} {
		synctest.Test(t, func(t *testing.T) {
			db := fakeDB{fails: fails}
			g := db.groupCommit()
			for i, c := range startBatch(t.Context(), g, succeed, succeed, succeed) {
				if c.err == nil {
					t.Errorf("%s failed, and caller %d got no error", fails, i)
				}
			}
			db.fails = ""
			if err := g.run(t.Context(), succeed); err != nil {
				t.Errorf("the batch after a failed %s: %v", fails, err)
			}
		})
	}
	// The database rolled back by itself, so there is no savepoint to go back to.
	synctest.Test(t, func(t *testing.T) {
		db := fakeDB{fails: "undo"}
		for i, c := range startBatch(t.Context(), db.groupCommit(), succeed, fail) {
			if c.err == nil || errors.Is(c.err, errOfCaller) {
				t.Errorf("undo failed, and caller %d got %v", i, c.err)
			}
		}
	})
}

func TestGroupCommit_PassesTurnOnWhenGoroutineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var db fakeDB
		g := db.groupCommit()
		go func() { _ = g.run(t.Context(), func() error { runtime.Goexit(); return nil }) }()
		synctest.Wait()
		if err := g.run(t.Context(), succeed); err != nil || !slices.Contains(db.steps, "undo") {
			t.Errorf("steps %v, error %v", db.steps, err)
		}
	})
}

func TestGroupCommit_CommitsFullBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var db fakeDB
		calls := startBatch(t.Context(), db.groupCommit(), slices.Repeat([]func() error{succeed}, 2*maxBatch+1)...)
		for i, c := range calls {
			if !c.returned || c.err != nil {
				t.Fatalf("caller %d: %+v", i, c)
			}
		}
		commits := len(slices.DeleteFunc(db.steps, func(step string) bool { return step != "commit" }))
		if commits != 3 {
			t.Errorf("%d commits, want 3", commits)
		}
	})
}

func TestGroupCommit_DropsWaiterWhoseContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := fakeDB{commit: make(chan struct{})}
		g := db.groupCommit()
		running := make(chan error, 1)
		go func() { running <- g.run(t.Context(), succeed) }()
		synctest.Wait() // it is in its commit
		ctx, cancel := context.WithCancel(t.Context())
		dropped := make(chan error, 1)
		go func() { dropped <- g.run(ctx, func() error { t.Error("the caller ran"); return nil }) }()
		synctest.Wait()
		cancel()
		if err := <-dropped; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(db.commit)
		if err := <-running; err != nil {
			t.Error(err)
		}
		if err := g.run(t.Context(), succeed); err != nil {
			t.Error(err)
		}
	})
}

func TestGroupCommit_ReturnsErrorAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := fakeDB{commit: make(chan struct{})}
		g := db.groupCommit()
		go func() { _ = g.run(t.Context(), succeed) }()
		synctest.Wait() // it is in its commit
		go g.close()
		synctest.Wait()
		waited := make(chan error, 1)
		go func() { waited <- g.run(t.Context(), func() error { t.Error("the caller ran"); return nil }) }()
		synctest.Wait()
		close(db.commit)
		if err := <-waited; !errors.Is(err, errClosed) {
			t.Errorf("a caller in the queue behind Close got %v, want %v", err, errClosed)
		}
		g.close()
		if err := g.run(t.Context(), succeed); !errors.Is(err, errClosed) {
			t.Errorf("a caller after Close got %v, want %v", err, errClosed)
		}
	})
}

// The connection is closed after that: a commit that comes later would fail.
func TestGroupCommit_CloseCommitsTheOpenBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var db fakeDB
		g := db.groupCommit()
		held := make(chan struct{})
		stored := make(chan error, 1)
		go func() { stored <- g.run(t.Context(), func() error { <-held; return nil }) }()
		synctest.Wait()
		closed := make(chan []string, 1)
		go func() {
			g.close()
			closed <- slices.Clone(db.steps)
		}()
		synctest.Wait()
		late := make(chan error, 1)
		go func() { late <- g.run(t.Context(), succeed) }()
		synctest.Wait()
		close(held)
		if steps := <-closed; !slices.Contains(steps, "commit") {
			t.Errorf("closed after %v", steps)
		}
		if err := <-stored; err != nil {
			t.Error(err)
		}
		if err := <-late; !errors.Is(err, errClosed) {
			t.Error(err)
		}
	})
}
