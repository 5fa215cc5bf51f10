package authorize

import (
	"slices"
	"sync"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// denials counts how often each bank has refused refresh tokens lately, on this node. A
// bank that refuses those of many persons at once has an outage: it is asked seldom, and no
// consent ends by what it says, until it gives a token again. After a day it is believed.
type denials struct {
	mu    sync.Mutex
	banks map[string]*denialCount
}

type denialCount struct {
	denied, given []refreshAnswer // in the last denialWindow, oldest first; the last one about each consent
	outage        time.Time       // since when; zero = none
	believed      bool            // the last outage was longer than denialPatience, and no token was given since
}

// refreshAnswer is a bank's answer about the tokens of a consent.
type refreshAnswer struct {
	of consent.ID
	at time.Time
}

const (
	denialWindow = 15 * time.Minute
	// denialOutage consents that are refused in the window, and more than are given tokens, are
	// an outage. Each counts once: a collection asks again for each part that it reads.
	denialOutage   = 5
	denialPause    = 5 * time.Minute // between two questions in an outage
	denialPatience = 24 * time.Hour
	mostCounted    = 1024
)

func newDenials() *denials { return &denials{banks: map[string]*denialCount{}} }

// check returns an error while a bank is not asked.
func (d *denials) check(company string, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.banks[company]
	if n == nil || !n.out(now) || len(n.denied) == 0 || !now.Before(n.denied[len(n.denied)-1].at.Add(denialPause)) {
		return nil
	}
	return &institution.Error{Kind: institution.Unreachable, NotSent: true}
}

// suspected lists the banks that have an outage.
func (d *denials) suspected(now time.Time) (companies []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, n := range d.banks {
		if n.out(now) {
			companies = append(companies, id)
		}
	}
	return companies
}

// record counts an answer, and reports whether there is an outage, and whether it begins
// with it. An error that is no refusal of the token is not counted.
func (d *denials) record(company string, of consent.ID, now time.Time, denied bool) (outage, begins bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.banks[company]
	if n == nil {
		n = &denialCount{}
		d.banks[company] = n
	}
	if !denied {
		n.given, n.outage, n.believed = counted(n.given, of, now), time.Time{}, false
		return false, false
	}
	n.denied = counted(n.denied, of, now)
	given := recent(n.given, now)
	if many := recent(n.denied, now); n.outage.IsZero() && !n.believed && len(many) >= denialOutage && len(many) > len(given) {
		n.outage, begins = now, true
	}
	return n.out(now), begins
}

// out reports whether there is an outage that is not older than denialPatience.
func (n *denialCount) out(now time.Time) bool {
	if !n.outage.IsZero() && now.Sub(n.outage) > denialPatience {
		n.outage, n.believed = time.Time{}, true
	}
	return !n.outage.IsZero()
}

func counted(answers []refreshAnswer, of consent.ID, now time.Time) []refreshAnswer {
	answers = slices.DeleteFunc(answers, func(a refreshAnswer) bool { return a.of == of })
	answers = append(answers, refreshAnswer{of, now})
	return answers[max(0, len(answers)-mostCounted):]
}

func recent(answers []refreshAnswer, now time.Time) []refreshAnswer {
	for len(answers) > 0 && now.Sub(answers[0].at) > denialWindow {
		answers = answers[1:]
	}
	return answers
}
