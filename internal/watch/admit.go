package watch

import "time"

const (
	// groupShare is the share of what is possible that one group can have. The rest is
	// for the others.
	groupShare = 0.75
	// mostAdmitted is how many items can be admitted and not be watched yet.
	mostAdmitted = 1000
	// few items are always admitted: where questions about so few are late, the machine
	// is busy with something else, and to refuse a person does not help the others.
	few = 32
	// admittedFor is how long an admitted item is expected.
	admittedFor = time.Minute
)

// Refusal is why a new item is not admitted.
type Refusal string

// The reasons. Admitted is none.
const (
	Admitted   Refusal = ""
	Full       Refusal = "the limit that was configured"
	Opening    Refusal = "consents that are being opened"
	Late       Refusal = "questions that start late"
	Signatures Refusal = "signatures"
	Questions  Refusal = "questions to banks"
)

// Admit decides whether there is room for a new item, and if so, expects it to be added
// soon; Remove ends that. Items are added without it where they cannot be refused any
// more.
func (s *Scheduler) Admit(i Item) Refusal {
	now := s.cfg.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.load.expire(now)
	s.load.measure(s.ring, now)
	why := s.refusal(i, now)
	if why == Admitted {
		s.load.enter(i, now)
	}
	return why
}

// refusal returns why there is no room for an item. The caller holds the lock.
func (s *Scheduler) refusal(i Item, now time.Time) Refusal {
	if s.cfg.MaxItems > 0 {
		if len(s.items)+len(s.load.admitted) >= s.cfg.MaxItems {
			return Full
		}
		return Admitted
	}
	if len(s.items)+len(s.load.admitted) < few {
		return Admitted
	}
	if len(s.load.admitted) >= mostAdmitted {
		return Opening
	}
	g := s.load.group()
	if known := s.groups[i.Group]; known != nil {
		g = known.load
		if started := s.quit != nil; started && known.overdue(now) > tooLate {
			return Late
		}
	}
	return s.load.refusal(g, i)
}

// overdue returns how long the question that is wanted first has been wanted.
func (g *group) overdue(now time.Time) time.Duration {
	g.advance(now)
	if len(g.ready.items) == 0 {
		return 0
	}
	return now.Sub(g.ready.items[0].by)
}

// refusal returns why what is possible does not suffice for one more item of a group.
func (l *load) refusal(g groupLoad, i Item) Refusal {
	if g.meter.last.late > tooLate || l.meter.last.late > tooLate {
		return Late
	}
	all := l.watched.plus(demandOf(i))
	for _, d := range l.expected {
		all = all.plus(d)
	}
	own := g.watched.plus(demandOf(i)).plus(l.expected[i.Group])
	if i.Cost > 0 && l.processors > 0 && (exceeds(all.processors, l.processors) || exceeds(own.processors, groupShare*l.processors)) {
		return Signatures
	}
	most := float64(l.questions)
	if exceeds(all.questions, most) || exceeds(own.questions, min(groupShare*most, float64(g.questions))) {
		return Questions
	}
	return Admitted
}

// exceeds reports whether a sum is greater than a limit by more than rounding.
func exceeds(sum, limit float64) bool { return sum > limit*(1+1e-9) }
