package watch

import (
	"container/heap"
	"time"
)

// item is a watched item. The scheduler's lock protects it.
type item struct {
	Item
	group   *group
	asked   time.Time // start of the last question; before the first one, of watching
	due     time.Time // the next question does not start earlier
	by      time.Time // it is wanted by then
	queue   *queue    // the queue of its group that it is in; nil during a question
	at      int       // index there
	asking  bool
	hurried bool // Sooner set the pace during a question
	removed bool // while a question is in flight
}

// plan sets when the next question follows one that started at asked, at the time now.
// used is the share of what is possible that all items want.
func (it *item) plan(asked, now time.Time, used float64) {
	it.asked = asked
	it.due, it.by = asked.Add(it.Pace.after(used)), asked.Add(it.Pace.within())
	if it.due.Before(now) {
		it.due = now
	}
	if it.by.Before(it.due) {
		it.by = it.due
	}
}

// group holds the items of one institution. Those whose next question is due are in
// ready, the others in waiting.
type group struct {
	waiting, ready queue
	inFlight       int
	members        int // items, including those with a question in flight
	load           groupLoad
}

func newGroup(l groupLoad) *group {
	g := &group{load: l}
	g.waiting.before = func(a, b *item) bool { return a.due.Before(b.due) }
	g.ready.before = func(a, b *item) bool { return a.by.Before(b.by) }
	return g
}

func (g *group) enqueue(it *item) {
	it.queue = &g.waiting
	heap.Push(it.queue, it)
}

func (g *group) dequeue(it *item) {
	heap.Remove(it.queue, it.at)
	it.queue = nil
}

// advance moves items that are due at now to ready. It returns when the next one will
// be due; false if none waits.
func (g *group) advance(now time.Time) (next time.Time, some bool) {
	for len(g.waiting.items) > 0 {
		first := g.waiting.items[0]
		if first.due.After(now) {
			return first.due, true
		}
		heap.Pop(&g.waiting)
		first.queue = &g.ready
		heap.Push(&g.ready, first)
	}
	return time.Time{}, false
}

// queue is a heap of items in the order of before.
type queue struct {
	items  []*item
	before func(a, b *item) bool
}

// Len implements heap.Interface.
func (q *queue) Len() int { return len(q.items) }

// Less implements heap.Interface.
func (q *queue) Less(i, j int) bool { return q.before(q.items[i], q.items[j]) }

// Swap implements heap.Interface.
func (q *queue) Swap(i, j int) {
	q.items[i], q.items[j] = q.items[j], q.items[i]
	q.items[i].at, q.items[j].at = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	it := x.(*item)
	it.at = len(q.items)
	q.items = append(q.items, it)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(q.items) - 1
	it := q.items[last]
	q.items[last] = nil
	q.items = q.items[:last]
	return it
}

// join adds an item to its group. The caller holds the lock.
func (s *Scheduler) join(it *item) {
	g := s.groups[it.Group]
	if g == nil {
		g = newGroup(s.load.group())
		s.groups[it.Group] = g
		s.ring = append(s.ring, g)
	}
	g.members++
	it.group = g
	s.load.add(g, demandOf(it.Item))
}

// repace sets the pace of an item. The caller holds the lock.
func (s *Scheduler) repace(it *item, p Pace) {
	if p == it.Pace || p == (Pace{}) {
		return
	}
	s.load.add(it.group, demandOf(it.Item).negative())
	it.Pace = p
	s.load.add(it.group, demandOf(it.Item))
}

// drop stops watching an item. The caller holds the lock.
func (s *Scheduler) drop(it *item) {
	if it.asking {
		it.removed = true
		return
	}
	it.group.dequeue(it)
	s.forget(it)
}

// forget removes an item that is in no queue.
func (s *Scheduler) forget(it *item) {
	delete(s.items, it.ID)
	if s.cfg.Dropped != nil {
		s.cfg.Dropped(it.ID)
	}
	s.load.add(it.group, demandOf(it.Item).negative())
	if len(s.items) == 0 {
		s.load.watched = demand{} // what rounding has left
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
