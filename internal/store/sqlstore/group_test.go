package sqlstore

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// script is a database that does nothing, and fails where it is told to. What a
// real one does in such a moment cannot be had on demand.
type script struct {
	did   []string
	fails string // the steps that fail, by name
}

func (s *script) step(name string) func() error {
	return func() error {
		s.did = append(s.did, name)
		if strings.Contains(s.fails, name) {
			return errors.New(name)
		}
		return nil
	}
}

func (s *script) group() *group {
	return &group{begin: s.step("begin"), commit: s.step("commit"), rollback: s.step("rollback"),
		savepoint: s.step("savepoint"), undo: s.step("undo"), keep: s.step("keep")}
}

// crowd runs fns in one round: the first keeps its turn until all others wait.
func crowd(g *group, fns ...func() error) []error {
	errs := make([]error, len(fns))
	var all sync.WaitGroup
	inside := make(chan struct{})
	run := func(i int, fn func() error) {
		all.Go(func() { errs[i] = g.run(context.Background(), fn) })
	}
	run(0, func() error {
		close(inside)
		for g.waiting() < len(fns)-1 {
			runtime.Gosched()
		}
		return fns[0]()
	})
	<-inside
	for i := range fns[1:] {
		run(i+1, fns[i+1])
	}
	all.Wait()
	return errs
}

func (g *group) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

func fine() error { return nil }

var errOurs = errors.New("ours")

func TestCrowdSharesOneCommit(t *testing.T) {
	var s script
	errs := crowd(s.group(), fine, func() error { return errOurs }, fine)
	want := []string{"begin", "savepoint", "keep", "savepoint", "undo", "savepoint", "keep", "commit"}
	got := slices.Clone(s.did)
	if !slices.Equal(got, want) {
		// The one that fails may come last: the order of the queue is not ours.
		slices.Sort(got)
		slices.Sort(want)
	}
	if !slices.Equal(got, want) || errs[0] != nil || !errors.Is(errs[1], errOurs) || errs[2] != nil {
		t.Errorf("did %v, errors %v", s.did, errs)
	}
}

// Nobody may be told that his write is stored when any step says that the
// transaction is not what it was.
func TestBrokenRoundFailsEverybody(t *testing.T) {
	for _, fails := range []string{"begin", "savepoint", "keep", "commit", "commit rollback"} {
		s := script{fails: fails}
		g := s.group()
		told := []error{g.run(context.Background(), fine)}
		if fails != "begin" && fails != "savepoint" { // nobody gets in: no crowd can form
			told = append(told, crowd(g, fine, fine, fine)...)
		}
		for i, err := range told {
			if err == nil {
				t.Errorf("%s failed, and caller %d was told that all is well", fails, i)
			}
		}
		s.fails = ""
		if err := g.run(context.Background(), fine); err != nil {
			t.Errorf("the next round after %s failed: %v", fails, err)
		}
	}
	// The database rolled everything back by itself: undo finds no savepoint.
	s := script{fails: "undo"}
	for i, err := range crowd(s.group(), fine, func() error { return errOurs }) {
		if err == nil {
			t.Errorf("undo failed, and caller %d was told that all is well", i)
		}
	}
}

func TestGoroutineThatEndsPassesItsTurnOn(t *testing.T) {
	var s script
	g := s.group()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = g.run(context.Background(), func() error { runtime.Goexit(); return nil })
	}()
	<-ended
	if err := g.run(context.Background(), fine); err != nil || !slices.Contains(s.did, "undo") {
		t.Errorf("did %v, error %v", s.did, err)
	}
}

func TestFullRoundIsCommitted(t *testing.T) {
	var s script
	fns := slices.Repeat([]func() error{fine}, 2*groupSize+1)
	for _, err := range crowd(s.group(), fns...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	commits := 0
	for _, did := range s.did {
		if did == "commit" {
			commits++
		}
	}
	if commits != 3 {
		t.Errorf("%d commits, want 3", commits)
	}
}

func TestClosedGroupTurnsAway(t *testing.T) {
	var s script
	g := s.group()
	g.close()
	g.close()
	if err := g.run(context.Background(), fine); !errors.Is(err, errClosed) || len(s.did) > 0 {
		t.Errorf("did %v, error %v", s.did, err)
	}
}

func TestOldSQLiteIsRefused(t *testing.T) {
	for version, want := range map[string]bool{"3.51.3": true, "3.53.4": true, "4.0.0": true, "3.52": true, "3.51.2": false,
		"3.50.9": false, "2.99.99": false, "3.51": false, "": false, "x": false} {
		if newEnough(version) != want {
			t.Errorf("%q: %v", version, !want)
		}
	}
}
