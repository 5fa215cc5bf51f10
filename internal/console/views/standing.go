package views

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"samla/internal/company"
	"samla/internal/store"
)

// state is how an institution stands.
type state int

// The states, the worst first.
const (
	down state = iota
	troubled
	well
	quiet // too little traffic to say
)

const (
	// lookBack is the time that the first page is about, in spans.
	lookBack = 24 * time.Hour
	span     = 30 * time.Minute
	// leastTries is below which nothing is said about an institution.
	leastTries = 5
	// leastStopped persons after the last success make an institution one that serves nobody.
	leastStopped = 2
	// clearShare of the failures must be one party's, to say whose fault it is.
	clearShare = 0.6
	// troubledShare of the tries of a span fail when there is trouble.
	troubledShare = 0.2
)

// line is how one institution stands.
type line struct {
	ID, Name string
	PSD2     bool
	State    state
	Slow     bool      // that is the trouble
	Since    time.Time // of the trouble; zero: none, or not known
	Nobody   bool      // nobody was served since then
	Tries    int       // that have ended in lookBack
	Counts   [4]int    // that have failed, by whose fault
	Stopped  int       // persons whom the institution or Samla stopped in lookBack
	Lately   int       // persons stopped since Since if Nobody, or in the last hour
	Hour     [2]int    // tries of the last hour, and those that the institution or Samla failed
	Success  []float64 // share of each span; NaN: no tries
	Words    map[string]int
}

// standing is how all institutions stand.
type standing struct {
	At     time.Time
	Lines  []line
	Counts [4]int
	Causes [4][]cause // the most frequent first
	Hour   int        // persons stopped in the last hour
}

// cause is a reason of failures.
type cause struct {
	Word string
	N    int
}

// known is an institution as this node knows it.
type known struct {
	ID, Name string
	PSD2     bool
	company.Condition
}

// standingOf says how institutions stand at the time now, of what has ended in lookBack, in
// spans, of who was stopped in lookBack, and of who was in the last hour.
func standingOf(now time.Time, all []known, ended []store.Ended, stopped, lastHour []store.Stopped) standing {
	s := standing{At: now}
	first := now.Add(-lookBack).Truncate(span)
	spans := int(now.Truncate(span).Sub(first)/span) + 1
	byID, failing, inHour := map[string][]store.Ended{}, map[string]store.Stopped{}, map[string]store.Stopped{}
	for _, e := range ended {
		byID[e.Company] = append(byID[e.Company], e)
	}
	for _, t := range stopped {
		failing[t.Company] = t
	}
	for _, t := range lastHour {
		inHour[t.Company] = t
		s.Hour += t.Persons
	}
	words := [4]map[string]int{{}, {}, {}, {}}
	for _, k := range all {
		l := line{ID: k.ID, Name: k.Name, PSD2: k.PSD2, Words: map[string]int{}}
		tries, failures := make([]int, spans), make([]int, spans)
		for _, e := range byID[k.ID] {
			i := int(e.Start.Sub(first) / span)
			if i < 0 || i >= spans {
				continue
			}
			l.Tries += e.N
			who := attributionOf(e.Word)
			if who != byPerson {
				tries[i] += e.N
			}
			if who < 0 {
				continue
			}
			l.Counts[who] += e.N
			l.Words[e.Word] += e.N
			words[who][e.Word] += e.N
			s.Counts[who] += e.N
			if who != byPerson {
				failures[i] += e.N
			}
		}
		l.judge(k, first, tries, failures, failing[k.ID], inHour[k.ID])
		s.Lines = append(s.Lines, l)
	}
	for who := range words {
		s.Causes[who] = causesOf(words[who])
	}
	slices.SortStableFunc(s.Lines, func(a, b line) int {
		return cmp.Or(int(a.worst())-int(b.worst()), b.Stopped-a.Stopped, strings.Compare(a.Name, b.Name))
	})
	return s
}

// worst is the state by which lines are sorted: those without trouble are alike.
func (l line) worst() state { return min(l.State, well) }

// judge says how the institution stands.
func (l *line) judge(k known, first time.Time, tries, failures []int, all, lastHour store.Stopped) {
	l.Success = make([]float64, len(tries))
	for i := range tries {
		l.Success[i] = math.NaN()
		if tries[i] > 0 {
			l.Success[i] = 1 - float64(failures[i])/float64(tries[i])
		}
	}
	for i := max(len(tries)-2, 0); i < len(tries); i++ {
		l.Hour[0], l.Hour[1] = l.Hour[0]+tries[i], l.Hour[1]+failures[i]
	}
	l.Stopped, l.Lately = all.Persons, lastHour.Persons
	l.Slow = k.Cause == company.Slow
	l.Nobody = !all.Since.IsZero() && all.PersonsSince >= leastStopped && l.Hour[1] > 0
	switch {
	case k.Availability == company.Unavailable, l.Nobody && all.PersonsSince >= leastTries:
		l.State = down
	case k.Availability == company.Degraded, l.Nobody:
		l.State = troubled
	case l.Tries < leastTries:
		l.State = quiet
		return
	default:
		l.State = well
		return
	}
	if l.Nobody {
		l.Since, l.Lately, l.Slow = all.Since, all.PersonsSince, false
		return
	}
	for i := len(tries) - 1; i >= 0; i-- { // the trouble goes back as long as enough tries fail
		switch {
		case tries[i] == 0:
		case float64(failures[i]) >= troubledShare*float64(tries[i]):
			l.Since = first.Add(time.Duration(i) * span)
		default:
			return
		}
	}
}

// whose returns whose fault the failures are, or -1 if that is not clear.
func (l line) whose() int {
	all := l.Counts[byInstitution] + l.Counts[bySamla]
	for _, who := range []int{byInstitution, bySamla} {
		if all > 0 && float64(l.Counts[who]) >= clearShare*float64(all) {
			return who
		}
	}
	return -1
}

// mostly returns who has caused most failures, persons included; -1: nobody.
func (l line) mostly() int {
	most := -1
	for who, n := range l.Counts {
		if n > 0 && (most < 0 || n > l.Counts[most]) {
			most = who
		}
	}
	return most
}

// causesOf sorts causes, the most frequent first.
func causesOf(words map[string]int) (all []cause) {
	for w, n := range words {
		all = append(all, cause{w, n})
	}
	slices.SortFunc(all, func(a, b cause) int { return cmp.Or(b.N-a.N, strings.Compare(a.Word, b.Word)) })
	return all
}

// bad returns the lines that need a look.
func (s standing) bad() []line {
	i := slices.IndexFunc(s.Lines, func(l line) bool { return l.State > troubled })
	if i < 0 {
		return s.Lines
	}
	return s.Lines[:i]
}
