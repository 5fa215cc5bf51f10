package dialogue

import (
	"reflect"
	"slices"
	"time"

	"samla/internal/psu"
)

// Event is an event of the state machine. The types below are the closed set.
type Event interface{ event() }

// Begun is the event that the institution has begun the login.
type Begun struct {
	Session string
	Turn    Turn
}

// Told is the event that the institution said what the turn is.
type Told struct{ Turn Turn }

// Given is the event that the person has given an answer. RequestID is that of its
// handing over.
type Given struct {
	Answer    Answer
	RequestID string
}

// Handed is the event that the institution has taken the answer with this request id and
// said what comes next.
type Handed struct {
	RequestID string
	Turn      Turn
}

// Over is the event that the institution did not take the answer with this request id:
// its question is not open any more. The next turn says what comes.
type Over struct{ RequestID string }

// Resumed is the event that the institution wants the login to go on before more is read.
type Resumed struct{}

// Lost is the event that the institution does not know the session any more.
type Lost struct{}

// Silent is the event that the institution has not answered for too long.
type Silent struct{}

// Ticked is the event that only time has passed.
type Ticked struct{}

func (Begun) event()   {}
func (Told) event()    {}
func (Given) event()   {}
func (Handed) event()  {}
func (Over) event()    {}
func (Resumed) event() {}
func (Lost) event()    {}
func (Silent) event()  {}
func (Ticked) event()  {}

// Apply is the state machine. It returns the state after the event at the time now.
// An event that does not fit, such as news of a login that has ended, changes nothing.
// Errors are those of Given: ErrNotExpected or *InvalidError, with the state unchanged.
func (s State) Apply(e Event, l Limits, now time.Time) (State, error) {
	if g, given := e.(Given); given {
		return s.give(g, now)
	}
	if s.Ended != "" {
		return s, nil
	}
	switch e := e.(type) {
	case Begun:
		if s.Session != "" {
			return s, nil
		}
		s.Session = e.Session
		if e.Session == "" {
			return s.end(Unavailable), nil
		}
		return s.tell(e.Turn, l, now), nil
	case Told:
		if s.Session == "" || s.In() || s.Pending != nil {
			return s, nil // an answer is on its way: what the institution says is older
		}
		return s.tell(e.Turn, l, now), nil
	case Handed:
		if s.Pending == nil || s.Pending.RequestID != e.RequestID {
			return s, nil
		}
		s.Pending = nil
		return s.tell(e.Turn, l, now), nil
	case Over:
		if s.Pending != nil && s.Pending.RequestID == e.RequestID {
			s.Pending = nil
		}
		return s, nil
	case Resumed:
		return s.resume(now), nil
	case Lost:
		return s.end(LoginFailed), nil
	case Silent:
		return s.end(Unavailable), nil
	case Ticked:
		if at, why := l.ends(s); !s.In() && !now.Before(at) {
			return s.end(why), nil
		}
	}
	return s, nil
}

// end ends the login without success.
func (s State) end(why Reason) State {
	s.Ended, s.Pending = why, nil
	return s
}

// tell takes a turn of the institution. A turn that breaks the protocol ends the login:
// the institution is at fault.
func (s State) tell(t Turn, l Limits, now time.Time) State {
	if !t.valid() {
		return s.end(Unavailable)
	}
	q := t.question()
	switch {
	case reflect.DeepEqual(t, s.Turn):
		return s
	case q == "", q == s.Turn.question() && s.Open() == q:
	case q == s.Turn.question() && sameTurn(t, s.Turn):
		return s // it has not noticed the answer yet
	case slices.Contains(s.Asked, q):
		return s.end(Unavailable) // ids of questions are not used again
	default:
		s.Asked = append(slices.Clip(s.Asked), q)
		if t.Device != nil {
			s.Devices++
		}
	}
	if s.Turns++; s.Turns > l.Turns || len(s.Asked) > l.Questions || s.Devices > l.Devices {
		return s.end(Unavailable)
	}
	if place(t) != place(s.Turn) {
		s.Since = now
	}
	switch s.Turn = t; {
	case t.Out != nil:
		return s.end(known(t.Out.Reason))
	case t.In != nil:
		return s.in(*t.In, l, now)
	}
	return s
}

// in takes the turn that the person is in. Another person than the one who was asked is
// never read.
func (s State) in(t In, l Limits, now time.Time) State {
	switch number := psu.Said(t.PersonalNumber); {
	case t.PersonalNumber == "":
	case number == "":
		return s.end(Unavailable)
	case s.Person != "" && !s.Person.Is(number):
		return s.end(Mismatch)
	case s.Person == "" && len(number) == 12:
		s.Person = number
	}
	if s.Logins++; s.Logins > l.Logins {
		return s.end(Unavailable)
	}
	s.InAt = now
	return s
}

// resume makes a login go on whose data was being read. The next turn says what comes.
func (s State) resume(now time.Time) State {
	if !s.In() {
		return s
	}
	s.Turn, s.Began, s.Since = Turn{Wait: &Wait{For: Source}}, now, now
	return s
}

// place is what the time limit of a turn begins again with: the place where the person
// acts, or the question.
func place(t Turn) string {
	if t.Wait != nil {
		return "at " + string(t.Wait.For)
	}
	return t.question()
}

// sameTurn reports whether two turns say the same, whatever their ids.
func sameTurn(a, b Turn) bool {
	a.ID, a.PollAfter, a.Expires = b.ID, b.PollAfter, b.Expires
	return reflect.DeepEqual(a, b)
}

// known returns a reason of the closed set.
func known(r Reason) Reason {
	if slices.Contains(Reasons(), r) {
		return r
	}
	return Failed
}

// Moved reports whether the state differs from an earlier one only in a QR code that
// moves. Such a state is not stored: the next second brings another one.
func (s State) Moved(from State) bool {
	if s.Turn.Wait == nil || from.Turn.Wait == nil {
		return reflect.DeepEqual(s, from)
	}
	wait := *s.Turn.Wait
	wait.QRText, wait.QRImage = from.Turn.Wait.QRText, from.Turn.Wait.QRImage
	s.Turn.Wait, s.Turns = &wait, from.Turns
	same := sameTurn(s.Turn, from.Turn)
	s.Turn = from.Turn
	return same && reflect.DeepEqual(s, from)
}
