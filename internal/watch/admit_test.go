package watch_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"samla/internal/clock"
	"samla/internal/watch"
)

// admit admits items of a group until one is refused, and adds them. It returns how many
// were admitted, at most limit, and why no more.
func admit(s *watch.Scheduler, b *bank, group string, pace watch.Pace, cost time.Duration, limit int) (n int, why watch.Refusal) {
	for ; n < limit; n++ {
		it := watch.Item{ID: fmt.Sprintf("%s%d", group, n), Group: group, Pace: pace, Cost: cost}
		if why = s.Admit(it); why != watch.Admitted {
			return n, why
		}
		b.add(s, it)
	}
	return n, watch.Admitted
}

// add adds an item whose row has a lease.
func (b *bank) add(s *watch.Scheduler, i watch.Item) {
	i.Lease = time.Now().Add(20 * time.Second)
	b.mu.Lock()
	b.rows[i.ID] = i.Lease
	b.mu.Unlock()
	s.Add(i)
}

// Who is admitted is asked about in time, however many come. One group leaves room for
// the others.
func TestAdmit_LetsInWhatSignaturesAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{Processors: 0.1})
		const cost = time.Millisecond // 100 signatures a second
		n, why := admit(s, b, "a", everySecond, cost, 500)
		if n != 75 || why != watch.Signatures {
			t.Errorf("%d of the first bank: %s", n, why)
		}
		if n, why = admit(s, b, "b", everySecond, cost, 500); n != 25 || why != watch.Signatures {
			t.Errorf("%d of the second bank: %s", n, why)
		}
		if n, _ = admit(s, b, "f", everySecond, 0, 10); n != 10 {
			t.Errorf("%d of a bank without signatures", n)
		}
		time.Sleep(20 * time.Second)
		for _, id := range append(names("a", 75), names("b", 25)...) {
			if n := b.count(id); n < 18 {
				t.Errorf("%s was asked about %d times in 20 seconds", id, n)
			}
		}
		s.Remove("a7")
		if n, _ = admit(s, b, "n", everySecond, cost, 5); n != 1 {
			t.Errorf("%d are let in for one that left", n)
		}
	})
}

func TestAdmit_LetsInWhatQuestionsAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{PerSecond: 100})
		if n, why := admit(s, b, "a", watch.Pace{After: time.Second, Within: 5 * time.Second}, 0, 1000); n != 375 || why != watch.Questions {
			t.Errorf("%d at a slow pace: %s", n, why)
		}
		if n, why := admit(s, b, "b", everySecond, 0, 1000); n != 25 || why != watch.Questions {
			t.Errorf("%d at a fast pace: %s", n, why)
		}
		time.Sleep(30 * time.Second) // all questions are in time: more is possible than was thought
		if n, _ := admit(s, b, "c", everySecond, 0, 1000); n < 40 {
			t.Errorf("only %d more", n)
		}
	})
}

// An institution that answers slowly, or not as many questions as are wanted, takes no
// new persons. The others do.
func TestAdmit_RefusesWhereQuestionsAreLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(group string) time.Duration {
			if group == "s" {
				return 500 * time.Millisecond
			}
			return time.Millisecond
		}
		s := scheduler(t, b, watch.Config{PerGroup: 10}) // 20 questions a second at the slow one
		add(s, b, names("s", 40)...)
		time.Sleep(10 * time.Second)
		if n, why := admit(s, b, "s", everySecond, 0, 1); n != 0 || why != watch.Late {
			t.Errorf("%d at the slow bank: %q", n, why)
		}
		if n, why := admit(s, b, "h", everySecond, 0, 50); n != 50 {
			t.Errorf("%d at another bank: %s", n, why)
		}
		for _, id := range names("s", 25) {
			s.Remove(id)
		}
		time.Sleep(10 * time.Second)
		if n, why := admit(s, b, "s", everySecond, 0, 100); n < 1 || n > 20 {
			t.Errorf("%d at the slow bank when persons have left: %s", n, why)
		}
	})
}

func TestAdmit_ExpectsWhatItLetsIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scheduler(t, newBank(), watch.Config{PerSecond: 100})
		count := func() (n int) {
			for s.Admit(watch.Item{ID: fmt.Sprint(time.Now(), n), Group: "a", Pace: everySecond}) == watch.Admitted {
				n++
			}
			return n
		}
		if n := count(); n != 75 {
			t.Errorf("%d are admitted", n)
		}
		time.Sleep(59 * time.Second)
		if n := count(); n != 0 {
			t.Errorf("%d more, although the first ones are expected", n)
		}
		time.Sleep(2 * time.Second)
		if n := count(); n != 75 {
			t.Errorf("%d when the first ones have not come", n)
		}
	})
}

func TestAdmit_LimitsWhatIsNotWatchedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := scheduler(t, newBank(), watch.Config{PerSecond: 1e6})
		n := 0
		why := watch.Admitted
		for why == watch.Admitted {
			why = s.Admit(watch.Item{ID: fmt.Sprint(n), Group: "a", Pace: everySecond})
			n++
		}
		if n != 1001 || why != watch.Opening {
			t.Errorf("%d: %s", n, why)
		}
		s.Remove("5")
		if why := s.Admit(watch.Item{ID: "x", Group: "a", Pace: everySecond}); why != watch.Admitted {
			t.Error(why)
		}
	})
}

func TestAdmit_FollowsTheConfiguredLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{PerSecond: 1, MaxItems: 30})
		if n, why := admit(s, b, "a", everySecond, 0, 100); n != 30 || why != watch.Full {
			t.Errorf("%d: %s", n, why)
		}
	})
}

// What is wanted sooner is asked first when not everything can be asked in time, and
// nothing is forgotten.
func TestScheduler_AsksFirstWhatIsWantedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		s := scheduler(t, b, watch.Config{Processors: 0.1})
		fresh, still := names("a", 60), names("b", 200)
		for _, id := range fresh {
			b.add(s, watch.Item{ID: id, Group: "one", Pace: everySecond, Cost: time.Millisecond})
		}
		for _, id := range still {
			b.add(s, watch.Item{ID: id, Group: "one", Pace: watch.Pace{After: 2 * time.Second, Within: 6 * time.Second}, Cost: time.Millisecond})
		}
		time.Sleep(19 * time.Second)
		for _, id := range fresh {
			if n := b.count(id); n < 16 {
				t.Errorf("%s was asked about %d times in 19 seconds", id, n)
			}
		}
		for _, id := range still {
			if n := b.count(id); n < 2 {
				t.Errorf("%s was asked about %d times in 19 seconds", id, n)
			}
		}
	})
}

func TestScheduler_FollowsThePaceOfTheOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		b := newBank()
		s := watch.New(watch.Config{Clock: clock.System(), Renew: b.renew, Ask: func(context.Context, string) watch.Outcome {
			if n.Add(1) == 3 {
				return watch.Outcome{Pace: watch.Pace{After: 10 * time.Second}}
			}
			return watch.Outcome{}
		}})
		s.Start()
		defer func() { _ = s.Stop(context.Background()) }()
		b.add(s, watch.Item{ID: "a", Group: "a", Pace: everySecond})
		began := time.Now()
		for _, c := range []struct {
			after time.Duration
			want  int
		}{{3500 * time.Millisecond, 3}, {12500 * time.Millisecond, 3}, {13500 * time.Millisecond, 4}, {22500 * time.Millisecond, 4}, {23500 * time.Millisecond, 5}} {
			time.Sleep(time.Until(began.Add(c.after)))
			if got := int(n.Load()); got != c.want {
				t.Errorf("after %s: %d questions, want %d", c.after, got, c.want)
			}
		}
	})
}

// Questions that can wait leave the processors to others when much is wanted.
func TestScheduler_AsksLessOftenUnderLoad(t *testing.T) {
	for _, c := range []struct{ items, least, most int }{{10, 9 * 10, 11 * 10}, {400, 5 * 400, 7 * 400}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBank()
			s := scheduler(t, b, watch.Config{PerSecond: 100})
			ids := names("a", c.items)
			for _, id := range ids {
				b.add(s, watch.Item{ID: id, Group: "a", Pace: watch.Pace{After: 3 * time.Second, Within: 5 * time.Second}})
			}
			time.Sleep(31 * time.Second)
			if n := b.count(ids...); n < c.least || n > c.most {
				t.Errorf("%d items: %d questions in 31 seconds", c.items, n)
			}
		})
	}
}

// A person who polls again is asked about at once, also when the answer to a question
// that was under way says otherwise.
func TestSooner_HurriesTheNextQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(string) time.Duration { return 100 * time.Millisecond }
		s := scheduler(t, b, watch.Config{})
		slow := watch.Pace{After: 4 * time.Second, Within: 10 * time.Second}
		b.add(s, watch.Item{ID: "a", Group: "a", Pace: slow})
		time.Sleep(2500 * time.Millisecond)
		s.Sooner("a", everySecond)
		time.Sleep(time.Millisecond)
		if n := b.count("a"); n != 1 {
			t.Errorf("%d questions at once", n)
		}
		time.Sleep(2 * time.Second)
		if n := b.count("a"); n != 3 {
			t.Errorf("%d questions two seconds later", n)
		}
		s.Sooner("a", slow) // not sooner
		time.Sleep(time.Second)
		if n := b.count("a"); n != 4 {
			t.Errorf("%d questions after a slower pace was asked for", n)
		}
		s.Sooner("unknown", everySecond)
	})
}

func TestSooner_CountsDuringAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		b := newBank()
		slow := watch.Pace{After: 4 * time.Second, Within: 10 * time.Second}
		s := watch.New(watch.Config{Clock: clock.System(), Renew: b.renew, Ask: func(ctx context.Context, _ string) watch.Outcome {
			n.Add(1)
			_ = clock.Sleep(ctx, clock.System(), 200*time.Millisecond)
			return watch.Outcome{Pace: slow} // decided before the poll
		}})
		s.Start()
		defer func() { _ = s.Stop(context.Background()) }()
		b.add(s, watch.Item{ID: "a", Group: "a", Pace: slow})
		time.Sleep(4100 * time.Millisecond)
		s.Sooner("a", everySecond)
		time.Sleep(time.Second)
		if got := n.Load(); got != 2 {
			t.Errorf("%d questions", got)
		}
	})
}

// A machine that is busy with something else makes questions late. A few persons are
// admitted all the same.
func TestAdmit_LetsFewInWhateverIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank()
		b.delay = func(string) time.Duration { return 2 * time.Second }
		s := scheduler(t, b, watch.Config{PerGroup: 1, Processors: 0.001, PerSecond: 1})
		add(s, b, names("a", 20)...)
		time.Sleep(10 * time.Second)
		if n, why := admit(s, b, "n", everySecond, time.Millisecond, 100); n != 12 {
			t.Errorf("%d more than 20 are admitted, then %q", n, why)
		}
	})
}
