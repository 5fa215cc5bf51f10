package watch

import (
	"container/heap"
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// item is a watched item. The scheduler's lock protects it.
type item struct {
	Item
	due     time.Time
	group   *group
	at      int // index in its group's queue
	asking  bool
	removed bool // while a question is in flight
}

// group holds the items of one institution that wait for their next question.
type group struct {
	queue    queue
	inFlight int
	members  int // items, including those with a question in flight
}

func (g *group) remove(it *item) { heap.Remove(&g.queue, it.at) }

// queue is a heap; the item that is due first is on top.
type queue []*item

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	it := x.(*item)
	it.at = len(*q)
	*q = append(*q, it)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	old := *q
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return it
}

// enqueue puts an item into its group's queue. The caller holds the lock.
func (s *Scheduler) enqueue(it *item) {
	if it.group == nil {
		g := s.groups[it.Group]
		if g == nil {
			g = &group{}
			s.groups[it.Group] = g
			s.ring = append(s.ring, g)
		}
		g.members++
		it.group = g
	}
	heap.Push(&it.group.queue, it)
}

// drop stops watching an item. The caller holds the lock.
func (s *Scheduler) drop(it *item) {
	if it.asking {
		it.removed = true
		return
	}
	it.group.remove(it)
	s.forget(it)
}

// forget removes an item that is in no queue.
func (s *Scheduler) forget(it *item) {
	delete(s.items, it.ID)
	if s.cfg.Dropped != nil {
		s.cfg.Dropped(it.ID)
	}
	it.group.members--
	if it.group.members > 0 {
		return
	}
	delete(s.groups, it.Group)
	for i, g := range s.ring {
		if g == it.group {
			s.ring = append(s.ring[:i], s.ring[i+1:]...)
			break
		}
	}
}

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

// startDue starts due questions within the limits, one question for each group in turn.
// It returns when the next question is due. wait is false if only a change can make a
// question due.
func (s *Scheduler) startDue() (next time.Time, wait bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock.Now()
	for served := true; served; {
		served = false
		next, wait = time.Time{}, false
		for n := range len(s.ring) {
			if s.stopped || s.inFlight >= s.cfg.InFlight {
				return time.Time{}, false // the end of a question counts as a change
			}
			i := (s.turn + n) % len(s.ring)
			g := s.ring[i]
			if g.inFlight >= s.cfg.PerGroup || len(g.queue) == 0 {
				continue
			}
			at := g.queue[0].due
			if !at.After(now) && g.queue[0].Signed && s.limit != nil && !s.limit.AllowN(now, 1) {
				at = now.Add(time.Duration(float64(time.Second) / s.cfg.SignaturesPerSecond))
			}
			if at.After(now) {
				if !wait || at.Before(next) {
					next, wait = at, true
				}
				continue
			}
			s.ask(heap.Pop(&g.queue).(*item), now)
			s.turn, served = (i+1)%len(s.ring), true
			break
		}
	}
	return next, wait
}

// ask starts one question. The caller holds the lock.
func (s *Scheduler) ask(it *item, now time.Time) {
	it.asking = true
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

// answered schedules the next question one interval after the start of the last one,
// so that slow answers do not lengthen the interval. At least a quarter of the
// interval passes after the answer.
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
	after := out.After
	if after <= 0 {
		after = it.Interval
	}
	it.due = asked.Add(after)
	if pause := now.Add(after / 4); it.due.Before(pause) {
		it.due = pause
	}
	s.enqueue(it)
	s.wake()
}
