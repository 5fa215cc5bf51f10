package watch

import (
	"container/heap"
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// dispatch starts questions when they are due, until ctx ends.
func (s *Scheduler) dispatch(ctx context.Context) {
	for {
		next, wait := s.startDue()
		var timer <-chan time.Time
		stop := func() bool { return true }
		if wait {
			t := s.cfg.Clock.NewTimer(next.Sub(s.cfg.Clock.Now()))
			timer, stop = t.C(), t.Stop
		}
		select {
		case <-ctx.Done():
			stop()
			return
		case <-s.signal:
		case <-timer:
		}
		stop()
	}
}

// startDue starts due questions within the limits, one question for each group in turn,
// and of a group the one that is wanted first. It returns when the next question is due.
// wait is false if only a change can make a question due.
func (s *Scheduler) startDue() (next time.Time, wait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	s.load.measure(s.ring, now)
	for served := true; served; {
		served = false
		next, wait = time.Time{}, false
		for n := range len(s.ring) {
			if s.stopped || s.inFlight >= s.cfg.InFlight {
				return time.Time{}, false // the end of a question counts as a change
			}
			i := (s.turn + n) % len(s.ring)
			at, some := s.startOne(s.ring[i], now)
			if some && !at.After(now) {
				s.turn, served = (i+1)%len(s.ring), true
				break
			}
			if some && (!wait || at.Before(next)) {
				next, wait = at, true
			}
		}
	}
	return next, wait
}

// startOne starts the question of a group that is wanted first, if one is due and within
// the limits, and returns now. Otherwise it returns when there can be one; some is false
// if only a change can make one due.
func (s *Scheduler) startOne(g *group, now time.Time) (at time.Time, some bool) {
	at, some = g.advance(now)
	if len(g.ready.items) == 0 {
		return at, some
	}
	if g.inFlight >= s.cfg.PerGroup {
		g.load.held = now
		return time.Time{}, false
	}
	if free := s.signatureAt(g.ready.items[0].Cost, now); free.After(now) {
		g.load.held = now
		return free, true
	}
	s.ask(heap.Pop(&g.ready).(*item), now)
	return now, true
}

// signatureAt takes the processor time of a signature and returns now, or else returns
// when there will be enough of it.
func (s *Scheduler) signatureAt(cost time.Duration, now time.Time) time.Time {
	n := min(int(cost/time.Microsecond), s.burst())
	if n == 0 || s.limit.AllowN(now, n) {
		return now
	}
	missing := float64(n) - s.limit.TokensAt(now)
	return now.Add(max(time.Duration(missing/float64(s.limit.Limit())*float64(time.Second)), time.Microsecond))
}

func (s *Scheduler) burst() int {
	if s.limit == nil {
		return 0
	}
	return s.limit.Burst()
}

// ask starts one question. The caller holds the lock.
func (s *Scheduler) ask(it *item, now time.Time) {
	s.load.started(it.group, it.by, now)
	it.queue, it.asking, it.hurried = nil, true, false
	it.group.inFlight++
	s.inFlight++
	s.asks.Add(1)
	go func() {
		defer s.asks.Done()
		out := Outcome{}
		defer func() { s.answered(it, out, now, recover()) }()
		ctx, cancel := context.WithTimeout(s.askCtx, s.cfg.Timeout)
		defer cancel()
		out = s.cfg.Ask(ctx, it.ID)
	}()
}

// answered plans the next question from the start of the last one, so that slow answers
// do not lengthen the pace. At least a quarter of it passes after the answer.
func (s *Scheduler) answered(it *item, out Outcome, asked time.Time, panicked any) {
	if panicked != nil {
		s.cfg.Log.Error("a question panicked", "item", it.ID, "panic", fmt.Sprintf("%T", panicked), "stack", string(debug.Stack()))
	}
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	it.asking = false
	it.group.inFlight--
	s.inFlight--
	if out.Done || it.removed {
		s.forget(it)
		s.wake()
		return
	}
	if !it.hurried {
		s.repace(it, out.Pace)
	}
	it.plan(asked, now.Add(it.Pace.After/4), s.load.used())
	it.group.enqueue(it)
	s.wake()
}
