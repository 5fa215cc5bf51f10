package watch

import (
	"math"
	"time"
)

// demand is what items cost a second when each is asked about as seldom as its pace
// allows.
type demand struct {
	questions  float64
	processors float64 // of signatures
}

func demandOf(i Item) demand {
	perSecond := 1 / max(i.Pace.within(), time.Millisecond).Seconds()
	return demand{perSecond, perSecond * i.Cost.Seconds()}
}

func (d demand) plus(other demand) demand {
	return demand{max(d.questions+other.questions, 0), max(d.processors+other.processors, 0)}
}

func (d demand) negative() demand { return demand{-d.questions, -d.processors} }

// load is the demand of all items, and of those that were admitted and are not watched
// yet, beside what is possible.
type load struct {
	processors float64 // 0 = no limit
	watched    demand
	questions  capacity
	meter      meter // of questions of groups that no limit of their own held up

	admitted map[string]admission
	order    []string // of admitted, oldest first; some are gone
	expected map[string]demand
}

// admission is an item that was admitted and is not watched yet.
type admission struct {
	group  string
	demand demand
	until  time.Time
}

// groupLoad is the demand of a group, beside what its institution answers.
type groupLoad struct {
	watched   demand
	questions capacity
	meter     meter
	held      time.Time // the last time that a limit of its own held it up
}

func newLoad(c Config) load {
	return load{processors: c.Processors, questions: capacity(c.PerSecond), admitted: map[string]admission{}, expected: map[string]demand{}}
}

// used returns the share of the possible questions that all items want.
func (l *load) used() float64 { return l.watched.questions / float64(l.questions) }

// group returns the load of a new group. What its institution answers is not known.
func (l *load) group() groupLoad { return groupLoad{questions: capacity(math.Inf(1))} }

func (l *load) add(g *group, d demand) {
	l.watched, g.load.watched = l.watched.plus(d), g.load.watched.plus(d)
}

// enter notes an item that is admitted.
func (l *load) enter(i Item, now time.Time) {
	l.leave(i.ID)
	d := demandOf(i)
	l.admitted[i.ID] = admission{i.Group, d, now.Add(admittedFor)}
	l.order = append(l.order, i.ID)
	l.expected[i.Group] = l.expected[i.Group].plus(d)
}

// leave forgets that an item was admitted.
func (l *load) leave(id string) {
	a, known := l.admitted[id]
	if !known {
		return
	}
	delete(l.admitted, id)
	if rest := l.expected[a.group].plus(a.demand.negative()); rest.questions > 1e-6 {
		l.expected[a.group] = rest
	} else {
		delete(l.expected, a.group)
	}
}

// expire forgets what was admitted too long ago.
func (l *load) expire(now time.Time) {
	for len(l.order) > 0 {
		a, known := l.admitted[l.order[0]]
		if known && now.Before(a.until) {
			return
		}
		l.leave(l.order[0])
		l.order = l.order[1:]
	}
}

// started notes a question that was wanted by a time and starts now.
func (l *load) started(g *group, by, now time.Time) {
	late := max(now.Sub(by), 0)
	g.load.meter.add(late)
	if now.Sub(g.load.held) >= 2*measured {
		l.meter.add(late)
	}
}

// measure ends the second that is measured, if it is over.
func (l *load) measure(groups []*group, now time.Time) {
	if !l.meter.over(now) {
		return
	}
	l.questions = l.questions.after(l.meter.end(now), l.watched.questions)
	for _, g := range groups {
		seen := g.load.meter.end(now)
		if now.Sub(g.load.held) < 2*measured {
			g.load.questions = g.load.questions.after(seen, g.load.watched.questions)
		}
	}
}

const (
	// measured is how long a measurement takes.
	measured = time.Second
	// tooLate is how late questions start on average when more is wanted than is possible.
	tooLate = 300 * time.Millisecond
	// inTime is how late they start at most when more is possible.
	inTime = 50 * time.Millisecond
)

// meter measures how many questions start in a second, and how late.
type meter struct {
	from      time.Time
	questions int
	late      time.Duration // sum
	last      reading
}

// reading is one measurement.
type reading struct {
	perSecond float64
	late      time.Duration // mean
}

func (m *meter) add(late time.Duration) {
	m.questions++
	m.late += late
}

func (m *meter) over(now time.Time) bool {
	if m.from.IsZero() {
		m.from = now
	}
	return now.Sub(m.from) >= measured
}

func (m *meter) end(now time.Time) reading {
	r := reading{}
	if seconds := now.Sub(m.from).Seconds(); m.questions > 0 && !m.from.IsZero() {
		r = reading{float64(m.questions) / seconds, m.late / time.Duration(m.questions)}
	}
	*m = meter{from: now, last: r}
	return r
}

// capacity is how many questions a second are possible.
type capacity float64

// after returns the capacity after a measurement, when so many questions a second were
// wanted. Late questions show what was possible; questions in time that use most of the
// capacity show that more may be. One bad second lowers it by no more than a fifth.
func (c capacity) after(r reading, wanted float64) capacity {
	switch {
	case r.late > tooLate:
		if math.IsInf(float64(c), 1) {
			return capacity(r.perSecond)
		}
		return min(c, max(c*4/5, capacity(r.perSecond), 1))
	case r.late <= inTime && r.perSecond > wanted/2 && wanted > 0.7*float64(c):
		return c * 11 / 10
	}
	return c
}
