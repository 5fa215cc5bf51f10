package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/consent"
	"samla/internal/jobs"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/internal/uuid7"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

var errBroken = errors.New("broken")

// bench is a runner with a real store and a clock that stands still.
type bench struct {
	*testing.T
	*jobs.Runner
	store *sqlstore.Store
	clock *clock.Manual
	ids   *uuid7.Generator
}

func newBench(t *testing.T) *bench {
	s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: t.TempDir(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewManual(start)
	b := &bench{t, jobs.New(s, c, slog.New(slog.NewTextHandler(io.Discard, nil))), s, c, uuid7.NewGenerator(c, nil)}
	t.Cleanup(func() {
		if err := errors.Join(b.Stop(context.Background()), s.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// due stores n consents that are due, and returns their ids.
func (b *bench) due(n int) []string { return b.dueOf("se-a", n) }

func (b *bench) dueOf(company string, n int) []string {
	b.Helper()
	list := make([]string, n)
	if err := b.store.Write(b.Context(), func(tx store.Tx) error {
		for i := range list {
			list[i] = b.ids.New()
			if err := tx.AddConsent(b.Context(), consent.Consent{ID: consent.ID(list[i]), ClientID: "c", CollectionID: "k", Company: company,
				Status: consent.Initiated, Step: consent.StepOpen, CreatedAt: start, WakeAt: b.clock.Now()}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return list
}

// done writes the row like a handler that has nothing more to do.
func (b *bench) done(ctx context.Context, id string) error {
	c, err := b.store.Consent(ctx, consent.ID(id))
	if err != nil {
		return err
	}
	c.WakeAt = time.Time{}
	return b.store.Write(ctx, func(tx store.Tx) error { _, err := tx.PutConsent(ctx, c); return err })
}

func TestRunner_HandlesDueRowsWithinWorkers(t *testing.T) {
	b := newBench(t)
	var running, most atomic.Int32
	handled := make(chan string, 300)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 3, Handle: func(ctx context.Context, id string) error {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		defer running.Add(-1)
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("a handler runs without a deadline")
		}
		err := b.done(ctx, id)
		handled <- id
		return err
	}})
	want := b.due(150)
	b.Start(t.Context())
	var got []string
	for range want {
		got = append(got, <-handled)
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) || most.Load() > 3 {
		t.Errorf("%d rows were handled, at most %d at once", len(got), most.Load())
	}
}

func TestRunner_RetriesFailedRowsThenParksThem(t *testing.T) {
	b := newBench(t)
	calls := make(chan time.Time)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 1, MaxAttempts: 4, Handle: func(context.Context, string) error {
		calls <- b.clock.Now()
		return errBroken
	}})
	id := b.due(1)[0]
	b.Start(t.Context())
	at := []time.Time{<-calls}
	for len(at) < 4 {
		wake := b.wakes(id)
		b.clock.Set(wake)
		b.Wake(store.Consents)
		at = append(at, <-calls)
	}
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if wait := at[i+1].Sub(at[i]); wait > want || wait < want*4/5 {
			t.Errorf("wait %d was %v, want about %v", i+1, wait, want)
		}
	}
	parked := b.parked()
	if len(parked) != 1 || parked[0].ID != id || parked[0].Attempts != 4 || parked[0].Reason != "broken" {
		t.Errorf("%+v", parked)
	}
}

// wakes waits until the runner has put the row back and returns when it is due.
func (b *bench) wakes(id string) time.Time {
	b.Helper()
	var at time.Time
	clocktest.Poll(b, "the row is put back", func() bool {
		c, err := b.store.Consent(b.Context(), consent.ID(id))
		if err != nil {
			b.Fatal(err)
		}
		at = c.WakeAt
		left := at.Sub(b.clock.Now())
		return left > 0 && left < jobs.Lease/2
	})
	return at
}

// parked waits until a row is parked.
func (b *bench) parked() []store.ParkedJob {
	b.Helper()
	var parked []store.ParkedJob
	clocktest.Poll(b, "a row is parked", func() (found bool) {
		var err error
		if parked, err = b.store.ParkedJobs(b.Context(), store.Consents, 10); err != nil {
			b.Fatal(err)
		}
		return len(parked) > 0
	})
	return parked
}

func TestRunner_ParksRowsWhoseProcessDies(t *testing.T) {
	b := newBench(t)
	id := b.due(1)[0]
	for range 4 { // each claim is by a process that dies
		if _, err := b.store.Claim(t.Context(), store.Consents, b.clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 1}); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(jobs.Lease)
	}
	b.Register(jobs.Queue{Name: store.Consents, Workers: 1, MaxAttempts: 5, Handle: func(context.Context, string) error { panic(errBroken) }})
	b.Start(t.Context())
	if parked := b.parked(); parked[0].ID != id || parked[0].Attempts != 5 {
		t.Errorf("%+v", parked)
	}
}

func TestAttempts_CountsTheClaimsSinceTheLastWrite(t *testing.T) {
	b := newBench(t)
	fresh := b.due(1)[0]
	lost := b.due(1)[0]
	if _, err := b.store.Claim(t.Context(), store.Consents, b.clock.Now(), jobs.Lease, store.ClaimLimit{Rows: 2}); err != nil { // by a process that dies
		t.Fatal(err)
	}
	if err := b.done(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(jobs.Lease)
	fresh = b.due(1)[0]
	attempts := make(chan map[string]int)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 1, Handle: func(ctx context.Context, id string) error {
		attempts <- map[string]int{id: jobs.Attempts(ctx)}
		return b.done(ctx, id)
	}})
	b.Start(t.Context())
	got := <-attempts
	maps.Copy(got, <-attempts)
	if want := map[string]int{fresh: 1, lost: 2}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if n := jobs.Attempts(t.Context()); n != 0 {
		t.Errorf("%d outside of a handler", n)
	}
}

func TestLastResort_SettlesOrKeepsRow(t *testing.T) {
	b := newBench(t)
	settled, kept := b.due(1)[0], b.due(1)[0]
	gaveUp := make(chan string, 2)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 2, MaxAttempts: 1, LongestWait: 7 * time.Second,
		Handle: func(context.Context, string) error { return errBroken },
		LastResort: func(ctx context.Context, id string) error {
			defer func() { gaveUp <- id }()
			if id == kept {
				return jobs.ErrKeepTrying
			}
			return b.done(ctx, id)
		}})
	b.Start(t.Context())
	<-gaveUp
	<-gaveUp
	if wait := b.wakes(kept).Sub(b.clock.Now()); wait != 7*time.Second {
		t.Errorf("the row that is kept comes back in %v", wait)
	}
	c, err := b.store.Consent(t.Context(), consent.ID(settled))
	if err != nil || !c.WakeAt.IsZero() {
		t.Errorf("the settled row wakes at %v, %v", c.WakeAt, err)
	}
	if parked, err := b.store.ParkedJobs(t.Context(), store.Consents, 10); err != nil || len(parked) != 0 {
		t.Errorf("parked: %+v, %v", parked, err)
	}
}

func TestPark_ParksAtTheFirstFailureAndAsksNoLastResort(t *testing.T) {
	b := newBench(t)
	id := b.due(1)[0]
	b.Register(jobs.Queue{Name: store.Consents, Workers: 1, MaxAttempts: 9, LastResort: func(context.Context, string) error { return jobs.ErrKeepTrying },
		Handle: func(context.Context, string) error { return fmt.Errorf("told: %w", jobs.Park(errBroken)) }})
	b.Start(t.Context())
	if parked := b.parked(); len(parked) != 1 || parked[0].ID != id || parked[0].Attempts != 1 || parked[0].Reason != "told: broken" {
		t.Errorf("%+v", parked)
	}
	if !errors.Is(jobs.Park(errBroken), errBroken) {
		t.Error("the cause is lost")
	}
}

// slowClaims is a store whose claims wait until the test releases them.
type slowClaims struct {
	*sqlstore.Store
	asked, answer chan struct{}
}

func (s slowClaims) Claim(ctx context.Context, q store.Queue, now time.Time, lease time.Duration, limit store.ClaimLimit) ([]store.Job, error) {
	s.asked <- struct{}{}
	<-s.answer
	return s.Store.Claim(ctx, q, now, lease, limit)
}

func TestReserve_FindsFreeSlotsDuringClaim(t *testing.T) {
	b := newBench(t)
	slow := slowClaims{b.store, make(chan struct{}), make(chan struct{})}
	b.Runner = jobs.New(slow, b.clock, slog.New(slog.DiscardHandler))
	ran := make(chan string)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 1, Handle: func(_ context.Context, id string) error {
		ran <- id
		return nil
	}})
	b.Start(t.Context())
	<-slow.asked // the loop has called the store
	slot := b.Reserve(store.Consents, "se-a")
	if slot == nil {
		t.Fatal("claiming holds the free slot")
	}
	if b.Reserve(store.Consents, "se-a") != nil {
		t.Error("one slot was given twice")
	}
	slot.Run("x")
	if id := <-ran; id != "x" {
		t.Errorf("ran %s", id)
	}
	close(slow.answer)
	go func() {
		for range slow.asked {
		}
	}()
	if err := b.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	close(slow.asked)
	if b.Reserve(store.Consents, "se-a") != nil {
		t.Error("a stopped runner gives a slot")
	}
}

func TestSlot_ReleaseFreesSlot(t *testing.T) {
	b := newBench(t)
	b.Register(jobs.Queue{Name: store.Outbox, Workers: 2, Handle: func(context.Context, string) error { return nil }})
	if b.Reserve(store.Outbox, "") != nil {
		t.Error("a runner that was not started gives a slot")
	}
	b.Start(t.Context())
	for range 100 {
		b.Reserve(store.Outbox, "").Release()
	}
	if b.Reserve(store.Outbox, "") == nil {
		t.Error("released slots are not free")
	}
	var none *jobs.Slot
	none.Run("x")
	none.Release()
}

func TestStop_CancelsWaitingHandler(t *testing.T) {
	b := newBench(t)
	b.Runner = jobs.New(b.store, clock.System(), slog.New(slog.DiscardHandler))
	var once sync.Once
	began := make(chan struct{})
	b.Register(jobs.Queue{Name: store.Consents, Workers: 1, Handle: func(ctx context.Context, _ string) error {
		once.Do(func() { close(began) })
		<-ctx.Done()
		return ctx.Err()
	}})
	b.due(1)
	b.Start(t.Context())
	<-began
	if err := b.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A panic while the row is stored must not keep the slot.
func TestSlot_IsReleasedByAPanic(t *testing.T) {
	b := newBench(t)
	b.Register(jobs.Queue{Name: store.Outbox, Workers: 1, Handle: func(context.Context, string) error { return nil }})
	b.Start(t.Context())
	func() {
		defer func() { _ = recover() }()
		slot := b.Reserve(store.Outbox, "se-a")
		defer slot.Release()
		panic("the row is not stored")
	}()
	slot := b.Reserve(store.Outbox, "se-a")
	if slot == nil {
		t.Fatal("the slot is lost")
	}
	slot.Release()
	slot.Release() // has no effect
	slot.Run("x")  // nor has this
	if b.Reserve(store.Outbox, "se-a") == nil || b.Reserve(store.Outbox, "se-a") != nil {
		t.Error("the slot was released twice")
	}
}

// The rows of a bank whose handlers do not end take a part of the workers only: those
// of another bank, which become due later, are handled at once.
func TestRunner_SharesWorkersAmongCompanies(t *testing.T) {
	b := newBench(t)
	release, handled := make(chan struct{}), make(chan string, 100)
	slow := map[string]bool{}
	var running, most atomic.Int32
	b.Register(jobs.Queue{Name: store.Consents, Workers: 8, Handle: func(ctx context.Context, id string) error {
		if slow[id] {
			most.Store(max(most.Load(), running.Add(1)))
			<-release
			running.Add(-1)
		}
		handled <- id
		return b.done(ctx, id)
	}})
	for _, id := range b.dueOf("se-slow", 40) {
		slow[id] = true
	}
	b.Start(t.Context())
	healthy := map[string]bool{}
	for _, id := range b.dueOf("se-healthy", 30) {
		healthy[id] = true
	}
	b.Wake(store.Consents)
	for range 30 {
		if id := <-handled; !healthy[id] {
			t.Fatal("a row of the slow bank ended")
		}
	}
	if b.Reserve(store.Consents, "se-slow") != nil {
		t.Error("the slow bank gets more than its share")
	}
	if slot := b.Reserve(store.Consents, "se-other"); slot == nil {
		t.Error("no slot is left for another bank")
	} else {
		slot.Release()
	}
	close(release) // a released slot makes the next rows claimable, without a wait
	for range 40 {
		<-handled
	}
	if most.Load() > 4 {
		t.Errorf("%d workers were at the slow bank", most.Load())
	}
}

// Rows whose deadline is over are handled although their company has taken its share.
func TestRunner_HandlesOverdueRowsBeyondTheShare(t *testing.T) {
	b := newBench(t)
	began, release, handled := make(chan struct{}, 100), make(chan struct{}), make(chan string, 100)
	old := b.dueOf("se-slow", 20)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 8, Overdue: func(now time.Time) store.Overdue {
		return store.Overdue{Consents: now.Add(-time.Minute)}
	}, Handle: func(ctx context.Context, id string) error {
		if b.clock.Now().Sub(start) < time.Minute {
			began <- struct{}{}
			<-release // as long as the deadline is not over
		}
		err := b.done(ctx, id)
		handled <- id
		return err
	}})
	b.Start(t.Context())
	for range 4 {
		<-began // the company has taken its share
	}
	b.clock.Advance(time.Minute)
	b.Wake(store.Consents)
	for range len(old) - 4 {
		<-handled
	}
	close(release)
	for range 4 {
		<-handled
	}
}

// failingClaims is a store that is away.
type failingClaims struct {
	*sqlstore.Store
	at chan time.Time
	c  clock.Clock
}

func (s failingClaims) Claim(context.Context, store.Queue, time.Time, time.Duration, store.ClaimLimit) ([]store.Job, error) {
	s.at <- s.c.Now()
	return nil, errBroken
}

func TestRunner_ClaimsSeldomWhileTheStoreIsAway(t *testing.T) {
	b := newBench(t)
	away := failingClaims{b.store, make(chan time.Time), b.clock}
	r := jobs.New(away, b.clock, slog.New(slog.DiscardHandler))
	r.Register(jobs.Queue{Name: store.Consents, Workers: 1, Handle: b.done})
	r.Start(t.Context())
	claims := 0
	for <-away.at; b.clock.Now().Before(start.Add(time.Minute)); claims++ {
		clocktest.Advance(t, "another claim", b.clock, 100*time.Millisecond, away.at)
	}
	if claims > 12 {
		t.Errorf("%d claims in a minute", claims)
	}
	go func() { // a claim that is under way
		for range away.at {
		}
	}()
	if err := r.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	close(away.at)
}
