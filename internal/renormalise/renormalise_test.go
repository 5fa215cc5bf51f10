package renormalise_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"samla/internal/accounts"
	"samla/internal/collect"
	"samla/internal/flowtest"
	"samla/internal/institution"
	"samla/internal/renormalise"
	"samla/internal/store"
)

func onBoth(t *testing.T, test func(*env)) {
	t.Run("sqlite", func(t *testing.T) { test(newEnv(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(newEnv(t, flowtest.Postgres(t))) })
}

// A newer mapping reaches the data, the accounts and the feed; ids stay, and the bank is not
// asked. The older of two collections changes nothing that the newer one has said.
func TestRun_ReachesDataAccountsAndFeed(t *testing.T) {
	onBoth(t, func(e *env) {
		t := e.TB
		older := e.completed(2)
		e.apply()
		newest := e.completed(3)
		e.apply()
		before, told := e.products(newest.ID), len(e.news())
		list := func() accounts.Listed {
			all, err := e.accounts.List(e.Context(), accounts.Owner{ClientID: e.User.ClientID, UserID: e.User.ID})
			if err != nil || len(all) != 1 {
				t.Fatal(all, err)
			}
			return all[0]
		}
		first := list()
		if first.Links[0].Shown.Name != "~OLD~ Lönekonto" {
			t.Fatalf("the account is %q", first.Links[0].Shown.Name)
		}

		done := e.run(e.runner(true), renormalise.Options{Since: older.CreatedAt, DryRun: true})
		if done.Of(renormalise.Changed) != 2 || len(done.Changes) == 0 {
			t.Errorf("dry run: %+v", done)
		}
		if e.products(newest.ID) != before {
			t.Error("a dry run stores")
		}

		done = e.run(e.runner(true), renormalise.Options{Since: older.CreatedAt, Parallel: 2})
		if done.Of(renormalise.Changed) != 2 || len(done.Collections) != 1 {
			t.Errorf("run: %+v", done.Collections)
		}
		after := e.products(newest.ID)
		if strings.Contains(after, "~OLD~") || !strings.Contains(after, "Lönekonto") {
			t.Errorf("products %s", after)
		}
		e.apply()
		news := e.news()[told:]
		if fmt.Sprint(news) != "[0 added, 3 modified, 0 removed]" && fmt.Sprint(news) != "[0 added, 0 modified, 0 removed 0 added, 3 modified, 0 removed]" {
			t.Errorf("told %q", news)
		}
		last := list()
		if last.ID != first.ID || last.Links[0].Shown.Name != "Lönekonto" || last.Generation != first.Generation {
			t.Errorf("the account is %s %q of generation %d", last.ID, last.Links[0].Shown.Name, last.Generation)
		}
		done = e.run(e.runner(true), renormalise.Options{})
		if done.Of(renormalise.UpToDate) != 2 || len(done.Collections) != 1 {
			t.Errorf("again: %+v", done.Collections)
		}
		if n := e.fetched.Load(); n != 0 {
			t.Errorf("the bank was asked %d times", n)
		}
	})
}

// An account that the client has deleted stays deleted, and does not come back in the one
// that a newer collection has made.
func TestRun_RevivesNoDeletedAccount(t *testing.T) {
	e := newEnv(t, t.TempDir())
	owner := accounts.Owner{ClientID: e.User.ClientID, UserID: e.User.ID}
	deleteAll := func() {
		all, err := e.accounts.List(t.Context(), owner)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if err := e.accounts.Delete(t.Context(), owner, all[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	e.completed(3)
	e.apply()
	deleteAll()
	e.run(e.runner(true), renormalise.Options{})
	told := len(e.news())
	e.apply()
	if all, err := e.accounts.List(t.Context(), owner); err != nil || len(all) != 0 || len(e.news()) != told {
		t.Errorf("%d accounts, %q, %v", len(all), e.news(), err)
	}
	e.completed(1)
	e.apply()
	told = len(e.news())
	e.run(e.runner(true), renormalise.Options{All: true})
	e.apply()
	for _, n := range e.news()[told:] {
		if !strings.HasPrefix(n, "0 added, 1 modified") {
			t.Errorf("told %q", n)
		}
	}
}

// stopping is a Rereader that stops the run after some collections.
type stopping struct {
	renormalise.Rereader
	left int
	stop context.CancelFunc
	read int
}

func (s *stopping) Read(ctx context.Context, id string) (*collect.Reread, error) {
	s.read++
	if s.left--; s.left == 0 {
		s.stop()
	}
	return s.Rereader.Read(ctx, id)
}

func TestRun_GoesOnWhereItWasStopped(t *testing.T) {
	e := newEnv(t, t.TempDir())
	const n = 450
	for range n {
		e.stored(1, e.User.ID)
	}
	runner := e.runner(true)
	changed := 0
	for _, stop := range []int{1, 130, 200, 0} {
		ctx, cancel := context.WithCancel(t.Context())
		s := &stopping{Rereader: e.runner(true).Rereader, left: stop, stop: cancel}
		runner.Rereader = s
		done, err := runner.Run(ctx, renormalise.Options{})
		cancel()
		if (stop > 0) != errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after %d: %v", stop, err)
		}
		changed += done.Of(renormalise.Changed)
		if up := done.Of(renormalise.UpToDate); up > changed {
			t.Errorf("%d up to date of %d", up, changed)
		}
	}
	if changed != n {
		t.Errorf("%d changed, want %d", changed, n)
	}
	if up := e.run(e.runner(true), renormalise.Options{}); up.Of(renormalise.UpToDate) != n {
		t.Errorf("%+v", up.Collections)
	}
}

// busy is a Rereader that another writer is always before.
type busy struct{ renormalise.Rereader }

func (busy) Store(context.Context, *collect.Reread) error { return store.ErrConflict }

func TestRun_CountsWhatItLeaves(t *testing.T) {
	e := newEnv(t, t.TempDir())
	c := e.stored(1, e.User.ID)
	runner := e.runner(true)
	runner.Rereader = busy{runner.Rereader}
	if done := e.run(runner, renormalise.Options{}); done.Of(renormalise.Busy) != 1 {
		t.Errorf("busy: %+v", done.Collections)
	}
	runner = e.runner(true)
	runner.Rereader = collect.NewRereader(collect.RereaderDeps{Store: e.Store, Vault: e.Vault, Institutions: institution.Set{}, Clock: e.Clock, IDs: e.IDs})
	if done := e.run(runner, renormalise.Options{}); done.Of(renormalise.NotConfigured) != 1 {
		t.Errorf("not configured: %+v", done.Collections)
	}
	if done := e.run(e.runner(true), renormalise.Options{Company: "se-other"}); len(done.Collections) != 0 {
		t.Errorf("another company: %+v", done.Collections)
	}
	e.Write(func(tx store.Tx) error { return tx.EraseData(t.Context(), c.ID) })
	if done := e.run(e.runner(true), renormalise.Options{}); done.Of(renormalise.Gone) != 1 {
		t.Errorf("gone: %+v", done.Collections)
	}
}
