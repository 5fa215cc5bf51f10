package dialogue

import (
	"cmp"
	"time"
)

// Limits bound a login. Zero members take the defaults.
type Limits struct {
	Begin   time.Duration // until the institution answers the start of the login; 1 min
	BankID  time.Duration // for BankID; 5 min
	Action  time.Duration // for another app or a page; 5 min
	Email   time.Duration // for the link in an e-mail; 15 min
	Work    time.Duration // of the institution, when the person has nothing to do; 2 min
	Code    time.Duration // for a code; 5 min
	Choice  time.Duration // for a choice of method; 3 min
	Contact time.Duration // for contact details; 10 min
	Input   time.Duration // for other input; 10 min
	Device  time.Duration // for a request of the device; 1 min
	Hand    time.Duration // from an answer until the institution says what comes next; 1 min
	Total   time.Duration // of all turns together, until the person is in; 20 min

	Turns     int // 5000
	Questions int // with requests of the device; 100
	Devices   int // requests of the device; 50
	Logins    int // that follow each other while data is read; 10
}

// WithDefaults returns l with the defaults in place of zero members.
func (l Limits) WithDefaults() Limits {
	l.Begin, l.BankID, l.Action = cmp.Or(l.Begin, time.Minute), cmp.Or(l.BankID, 5*time.Minute), cmp.Or(l.Action, 5*time.Minute)
	l.Email, l.Work = cmp.Or(l.Email, 15*time.Minute), cmp.Or(l.Work, 2*time.Minute)
	l.Code, l.Choice = cmp.Or(l.Code, 5*time.Minute), cmp.Or(l.Choice, 3*time.Minute)
	l.Contact, l.Input = cmp.Or(l.Contact, 10*time.Minute), cmp.Or(l.Input, 10*time.Minute)
	l.Device, l.Hand, l.Total = cmp.Or(l.Device, time.Minute), cmp.Or(l.Hand, time.Minute), cmp.Or(l.Total, 20*time.Minute)
	l.Turns, l.Questions = cmp.Or(l.Turns, 5000), cmp.Or(l.Questions, 100)
	l.Devices, l.Logins = cmp.Or(l.Devices, 50), cmp.Or(l.Logins, 10)
	return l
}

// of returns how long the present part of a login may last, and why the login ends if it
// lasts longer. Each waiting status of docs/reference/api.md 5.7 has its own. Where the
// person has done everything, the institution is at fault.
func (l Limits) of(s State) (time.Duration, Reason) {
	switch t := s.Turn; {
	case s.Session == "":
		return l.Begin, Unavailable
	case t.question() != "" && s.Open() == "":
		return l.Hand, Unavailable
	case t.Device != nil:
		return l.Device, TimedOut
	case t.Ask != nil:
		switch t.Ask.Kind {
		case Method:
			return l.Choice, ChoiceTimedOut
		case Contact:
			return l.Contact, ContactRequired
		case Input:
			return l.Input, InputTimedOut
		}
		return l.Code, TimedOut
	case t.Wait != nil:
		switch t.Wait.For {
		case BankID:
			return l.BankID, TimedOut
		case EmailLink:
			return l.Email, TimedOut
		case App, Page:
			return l.Action, TimedOut
		}
	}
	return l.Work, Unavailable
}

// ends returns when a login that is not done ends if nothing happens, and why.
func (l Limits) ends(s State) (time.Time, Reason) {
	d, why := l.of(s)
	at := s.Since.Add(d)
	if all := s.Began.Add(l.Total); all.Before(at) {
		at = all
	}
	return at, why
}

// The pace of questions about the turn.
const (
	usualPace    = time.Second
	shortestPace = 250 * time.Millisecond
	longestPace  = 10 * time.Second
)

// Pace returns how long to wait before asking for the next turn.
func (t Turn) Pace() time.Duration {
	return min(max(cmp.Or(t.PollAfter, usualPace), shortestPace), longestPace)
}
