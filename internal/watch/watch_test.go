package watch_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"samla/internal/clock"
	"samla/internal/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bank answers questions after a delay and counts them.
type bank struct {
	mu       sync.Mutex
	asked    map[string]int
	inFlight map[string]int // by group
	highest  map[string]int
	total    int
	most     int
	delay    func(group string) time.Duration
	done     func(id string, n int) bool
	rows     map[string]time.Time // ends of leases, as stored
	renewals int
	largest  int // renewal
}

func newBank() *bank {
	return &bank{asked: map[string]int{}, inFlight: map[string]int{}, highest: map[string]int{}, rows: map[string]time.Time{},
		delay: func(string) time.Duration { return time.Millisecond }, done: func(string, int) bool { return false }}
}

var everySecond = watch.Pace{After: time.Second}

func group(id string) string { return id[:1] }

func (b *bank) ask(ctx context.Context, id string) watch.Outcome {
	g := group(id)
	b.mu.Lock()
	b.asked[id]++
	n := b.asked[id]
	b.inFlight[g]++
	b.total++
	b.highest[g] = max(b.highest[g], b.inFlight[g])
	b.most = max(b.most, b.total)
	delay := b.delay(g)
	b.mu.Unlock()
	_ = clock.Sleep(ctx, clock.System(), delay)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight[g]--
	b.total--
	return watch.Outcome{Done: b.done(id, n)}
}

func (b *bank) renew(_ context.Context, leases []watch.Lease, until time.Time) (held []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renewals++
	b.largest = max(b.largest, len(leases))
	for _, l := range leases {
		if b.rows[l.ID].Equal(l.Until) {
			b.rows[l.ID] = until
			held = append(held, l.ID)
		}
	}
	return held, nil
}

func (b *bank) count(ids ...string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		n += b.asked[id]
	}
	return n
}

// scheduler starts a scheduler with the bank b. It is stopped at the end of the bubble.
func scheduler(t *testing.T, b *bank, c watch.Config) *watch.Scheduler {
	c.Clock, c.Ask, c.Renew = clock.System(), b.ask, b.renew
	s := watch.New(c)
	s.Start()
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func add(s *watch.Scheduler, b *bank, ids ...string) {
	until := time.Now().Add(20 * time.Second)
	for _, id := range ids {
		b.mu.Lock()
		b.rows[id] = until
		b.mu.Unlock()
		s.Add(watch.Item{ID: id, Group: group(id), Pace: everySecond, Lease: until})
	}
}

func names(prefix string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return ids
}

func TestScheduler_AsksAtTheIntervalUntilDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.done = func(_ string, n int) bool { return n == 5 }
		s := scheduler(t, b, watch.Config{})
		ids := names("a", 50)
		add(s, b, ids...)
		for second := range 5 {
			if n := b.count(ids...); n != 50*second {
				t.Errorf("after %d s: %d questions", second, n)
			}
			time.Sleep(time.Second + 2*time.Millisecond)
		}
		if n := b.count(ids...); n != 250 || s.Len() != 0 {
			t.Errorf("%d questions, %d items left", n, s.Len())
		}
	})
}

func TestScheduler_BoundsQuestionsNotItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(string) time.Duration { return 100 * time.Millisecond }
		s := scheduler(t, b, watch.Config{InFlight: 20, PerGroup: 15})
		add(s, b, names("a", 2000)...)
		add(s, b, names("b", 2000)...)
		time.Sleep(30 * time.Second)
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.most > 20 || b.highest["a"] > 15 || b.highest["b"] > 15 {
			t.Errorf("%d questions at once, %d and %d of a group", b.most, b.highest["a"], b.highest["b"])
		}
		if b.most < 20 {
			t.Errorf("only %d questions at once", b.most)
		}
		if least := slices.Min(slices.Collect(maps.Values(b.asked))); len(b.asked) != 4000 || least < 1 {
			t.Errorf("%d of 4000 items were asked about, the least %d times", len(b.asked), least)
		}
	})
}

func TestScheduler_SlowGroupDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(g string) time.Duration {
			if g == "s" {
				return 10 * time.Second
			}
			return time.Millisecond
		}
		s := scheduler(t, b, watch.Config{InFlight: 40})
		add(s, b, names("s", 500)...)
		healthy := names("h", 100)
		add(s, b, healthy...)
		time.Sleep(10*time.Second + 500*time.Millisecond)
		if n := b.count(healthy...); n < 900 || n > 1000 {
			t.Errorf("the healthy bank was asked %d times in ten seconds, want about 1000", n)
		}
	})
}

func TestScheduler_SharesSignatures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{Processors: 0.1})
		signed := func(prefix string, n int) {
			for _, id := range names(prefix, n) {
				s.Add(watch.Item{ID: id, Group: group(id), Pace: everySecond, Cost: time.Millisecond, Lease: time.Now().Add(time.Hour)})
			}
		}
		signed("a", 1000)
		signed("b", 60)
		for _, id := range names("f", 100) { // without signatures
			s.Add(watch.Item{ID: id, Group: "f", Pace: everySecond, Lease: time.Now().Add(time.Hour)})
		}
		time.Sleep(11 * time.Second)
		a, few, free := b.count(names("a", 1000)...), b.count(names("b", 60)...), b.count(names("f", 100)...)
		if a+few < 900 || a+few > 1120 {
			t.Errorf("%d signatures in ten seconds, want about 1000", a+few)
		}
		if few < 450 {
			t.Errorf("the small bank had %d of its fair 500", few)
		}
		if free < 900 {
			t.Errorf("what needs no signature was asked %d times, want about 1000", free)
		}
	})
}

func TestScheduler_RenewsAllLeasesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{LeaseTime: 20 * time.Second})
		ids := names("a", 300)
		add(s, b, ids...)
		time.Sleep(65 * time.Second)
		b.mu.Lock()
		renewals := b.renewals
		b.mu.Unlock()
		if renewals != 6 {
			t.Errorf("%d renewals in a minute, want 6", renewals)
		}
		if s.Len() != 300 {
			t.Errorf("%d items are held", s.Len())
		}
		b.mu.Lock()
		b.rows["a7"] = time.Now().Add(time.Hour) // another node has taken it
		b.mu.Unlock()
		time.Sleep(10 * time.Second)
		if s.Watches("a7") || s.Len() != 299 {
			t.Errorf("a lost row is still watched: %v, %d items", s.Watches("a7"), s.Len())
		}
		before := b.count("a7")
		time.Sleep(5 * time.Second)
		if b.count("a7") != before {
			t.Error("a lost row is still asked about")
		}
	})
}

// A crowd that arrived within some seconds is not renewed at one moment.
func TestScheduler_SpreadsRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{LeaseTime: 20 * time.Second})
		for i := range 10 {
			add(s, b, names(fmt.Sprintf("a%d-", i), 30)...)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.largest > 60 || s.Len() != 300 {
			t.Errorf("%d leases were renewed at once, %d items are held", b.largest, s.Len())
		}
	})
}

func TestScheduler_DropsItemsWhoseLeaseRanOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		var broken atomic.Bool
		c := watch.Config{Clock: clock.System(), Ask: b.ask, LeaseTime: 20 * time.Second}
		c.Renew = func(ctx context.Context, l []watch.Lease, until time.Time) ([]string, error) {
			if broken.Load() {
				return nil, context.DeadlineExceeded
			}
			return b.renew(ctx, l, until)
		}
		s := watch.New(c)
		s.Start()
		defer func() { _ = s.Stop(context.Background()) }()
		add(s, b, names("a", 3)...)
		time.Sleep(11 * time.Second)
		broken.Store(true)
		time.Sleep(10 * time.Second) // half the lease is left
		if s.Len() != 3 {
			t.Errorf("%d items while the leases last", s.Len())
		}
		time.Sleep(11 * time.Second)
		if s.Len() != 0 {
			t.Errorf("%d items after their leases", s.Len())
		}
	})
}

func TestScheduler_DropsItemsWhileTheStoreHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		var hangs atomic.Bool
		c := watch.Config{Clock: clock.System(), Ask: b.ask, LeaseTime: 20 * time.Second}
		c.Renew = func(ctx context.Context, l []watch.Lease, until time.Time) ([]string, error) {
			if hangs.Load() {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return b.renew(ctx, l, until)
		}
		s := watch.New(c)
		s.Start()
		hangs.Store(true)
		add(s, b, "a0")
		time.Sleep(21 * time.Second)
		if s.Len() != 0 {
			t.Errorf("%d items after their leases", s.Len())
		}
		hangs.Store(false)
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestScheduler_StopHandsLeasesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(string) time.Duration { return 300 * time.Millisecond }
		s := watch.New(watch.Config{Clock: clock.System(), Ask: b.ask, Renew: b.renew})
		s.Start()
		add(s, b, names("a", 10)...)
		time.Sleep(1100 * time.Millisecond) // questions are in flight
		now := time.Now()
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(now); took != 200*time.Millisecond {
			t.Errorf("stopped after %v, not when the questions were answered", took)
		}
		for id, until := range b.rows {
			if until.After(time.Now()) {
				t.Errorf("the lease of %s runs on", id)
			}
		}
		if s.Add(watch.Item{ID: "late", Pace: everySecond}) {
			t.Error("a stopped scheduler takes an item")
		}
	})
}

func TestScheduler_RemoveDuringAQuestionDropsTheItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(string) time.Duration { return time.Second }
		s := scheduler(t, b, watch.Config{})
		add(s, b, "a0")
		time.Sleep(1500 * time.Millisecond)
		s.Remove("a0")
		time.Sleep(10 * time.Second)
		if b.count("a0") != 1 || s.Len() != 0 {
			t.Errorf("asked %d times, %d items", b.count("a0"), s.Len())
		}
	})
}

func TestScheduler_SurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		var n atomic.Int64
		var log strings.Builder
		s := watch.New(watch.Config{Clock: clock.System(), Renew: b.renew, Log: slog.New(slog.NewTextHandler(&log, nil)), Ask: func(context.Context, string) watch.Outcome {
			n.Add(1)
			panic("an answer of the bank")
		}})
		s.Start()
		add(s, b, "a0")
		time.Sleep(3500 * time.Millisecond)
		if n.Load() != 3 || s.Len() != 1 {
			t.Errorf("asked %d times, %d items", n.Load(), s.Len())
		}
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if text := log.String(); !strings.Contains(text, "panicked") || strings.Contains(text, "of the bank") {
			t.Errorf("logged %s", text)
		}
	})
}

func BenchmarkScheduler_5000Items(b *testing.B) {
	var asked atomic.Int64
	s := watch.New(watch.Config{Clock: clock.System(), Renew: func(context.Context, []watch.Lease, time.Time) ([]string, error) { return nil, nil },
		Ask: func(context.Context, string) watch.Outcome {
			asked.Add(1)
			return watch.Outcome{}
		}})
	for i, id := range names("a", 5000) {
		s.Add(watch.Item{ID: id, Group: fmt.Sprint(i % 20), Pace: watch.Pace{After: time.Nanosecond}})
	}
	b.ResetTimer()
	s.Start()
	for asked.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	_ = s.Stop(context.Background())
}
