package bankpage

import (
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/persona"
)

// login is the state of a visit. Its methods are pure; they return the next state.
type login struct {
	ID      string        `json:"id"`
	Until   time.Time     `json:"until"` // Visit.Until
	Step    Step          `json:"step"`
	Browser string        `json:"browser,omitempty"` // hash of the cookie of the browser that logs in
	Named   string        `json:"named,omitempty"`   // who was named at the start; empty: any person
	Began   time.Time     `json:"began,omitzero"`    // when the first order of this browser started
	Tries   int           `json:"tries,omitempty"`   // orders started
	Order   *bankid.Order `json:"order,omitempty"`   // at Sign
	Hint    string        `json:"hint,omitempty"`    // BankID's hint code of a pending order
	Problem problem       `json:"problem,omitempty"` // why the page is at Start again
	Person  string        `json:"person,omitempty"`  // who signed
	Outcome Outcome       `json:"outcome,omitempty"` // at Ended
	// ReturnTo is where the browser goes at Ended; empty: it stays.
	ReturnTo string `json:"returnTo,omitempty"`
	Leaves   bool   `json:"leaves,omitempty"` // the person closed the browser: it does not go there
}

// problem is why a login is at Start again.
type problem string

// The problems.
const (
	busy          problem = "busy"          // BankID has cancelled an earlier order of the person too
	interrupted   problem = "interrupted"   // another order cancelled this one
	invalidNumber problem = "invalidNumber" // not a personal number
)

// signWithin is how long the page renews orders that nobody scans, from the first one.
const signWithin = 3 * time.Minute

// begun is the event that a browser started an order for a person.
func (l login) begun(browser, named string, o bankid.Order, now time.Time) login {
	if l.Browser != browser {
		l.Began, l.Browser = now, browser
	}
	l.Step, l.Named, l.Order, l.Hint, l.Problem = Sign, named, &o, "outstandingTransaction", ""
	l.Tries++
	return l
}

// again is the event that the page goes back to its start.
func (l login) again(p problem) login {
	l.Step, l.Order, l.Hint, l.Problem = Start, nil, "", p
	return l
}

// in is the event that another browser goes on with the login.
func (l login) in(browser string) login { l.Browser = browser; return l }

// signed is the event that a person signed the order. required is Visit.PersonalNumber. The
// outcome is empty if the person goes on to decide.
func (l login) signed(person, required string) (login, Outcome) {
	l.Person, l.Order, l.Hint = person, nil, ""
	if required != "" && person != required || l.Named != "" && person != l.Named {
		return l, WrongPerson
	}
	l.Step = Choose
	h, _ := persona.HabitOf(person)
	switch h.Page {
	case persona.PageRefuses:
		return l, Refused
	case persona.PageNotEligible:
		return l, NotEligible
	case persona.PageFails:
		return l, Failed
	case persona.PageLeaves:
		l.Leaves = true
		return l, Approved
	case persona.PageApproves:
		return l, Approved
	}
	return l, ""
}

// endOf returns the outcome of an order that failed with this hint code
// (docs/reference/banks.md 12.2), or reports that the page starts another order or goes
// back to its start.
func (l login) endOf(hint string, now time.Time) (o Outcome, renew bool) {
	switch hint {
	case "userCancel":
		return Refused, false
	case "startFailed":
		if now.Sub(l.Began) < signWithin {
			return "", true
		}
		return TimedOut, false
	case "expiredTransaction":
		return TimedOut, false
	case "cancelled":
		return "", false
	}
	return Failed, false
}

// ended is the event that the bank knows the decision.
func (l login) ended(o Outcome, returnTo string) login {
	l.Step, l.Order, l.Hint, l.Problem, l.Outcome, l.ReturnTo = Ended, nil, "", "", o, returnTo
	return l
}
