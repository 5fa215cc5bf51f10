package source

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/sandbox/bankid"
)

// state is where a login is in its script. The zero value with Entered set is its start.
type state struct {
	Step    int       `json:"step"`
	Entered time.Time `json:"entered"`         // when the step began
	Asked   int       `json:"asked,omitempty"` // how often the question of this step was asked before
	Wrong   int       `json:"wrong,omitempty"` // wrong answers to it
	Sent    int       `json:"sent,omitempty"`  // codes sent after the first one
	Choice  string    `json:"choice,omitempty"`
	Reason  reason    `json:"reason,omitempty"` // why the login failed; empty: it did not
	In      time.Time `json:"in,omitzero"`      // when it succeeded
	// Signer is who signed with BankID; empty: nobody, or nobody did yet.
	Signer string        `json:"signer,omitempty"`
	Order  *bankid.Order `json:"order,omitempty"` // of the current step
	Opened bool          `json:"opened,omitempty"`
	Email  string        `json:"email,omitempty"` // that the person was asked for
}

// ended reports whether the login is over.
func (s state) ended() bool { return s.Reason != "" || !s.In.IsZero() }

// start returns the state at the first step of a script.
func (sc script) start(now time.Time) state { return sc.settle(state{Entered: now}) }

// next returns the state at the step after the current one, which begins at a time.
func (sc script) next(s state, at time.Time) state {
	return sc.settle(state{Step: s.Step + 1, Entered: at, Choice: s.Choice, Signer: s.Signer, Email: s.Email})
}

// settle skips the steps that do not belong to the person's choice, and takes the last one.
func (sc script) settle(s state) state {
	for sc[s.Step].After != "" && sc[s.Step].After != s.Choice {
		s.Step++
	}
	switch step := sc[s.Step]; step.Kind {
	case stepIn:
		s.In = s.Entered
	case stepOut:
		s.Reason = step.Reason
	}
	return s
}

// fail ends the login.
func (s state) fail(r reason) state { s.Reason, s.Order = r, nil; return s }

// advance returns the state at a time, if the person does nothing.
func (sc script) advance(s state, now time.Time) state {
	for !s.ended() {
		step := sc[s.Step]
		passed := now.Sub(s.Entered)
		switch {
		case step.For > 0 && passed >= step.For:
			s = sc.next(s, s.Entered.Add(step.For))
		case step.Limit > 0 && passed >= step.Limit:
			return s.fail(step.Late)
		default:
			return s
		}
	}
	return s
}

// ordered is the event that BankID started the order of the current step.
func (s state) ordered(o bankid.Order) state { s.Order = &o; return s }

// notScanned is BankID's hint code of an order that nobody opened in 30 seconds.
const notScanned = "startFailed"

// renewed is the event that nobody opened the order of the current step in time, and that
// the institution starts another one.
func (s state) renewed() state { s.Order, s.Asked = nil, s.Asked+1; return s }

// signed is the event that a person signed the order of the current step. expected is who
// had to sign; empty: anybody.
func (sc script) signed(s state, signer, expected string, now time.Time) state {
	if expected != "" && signer != expected {
		return s.fail(mismatch)
	}
	s.Signer = signer
	return sc.next(s, now)
}

// refused is the event that the order of the current step failed or could not be started.
// hint is BankID's hint code or error code (docs/reference/banks.md 12.2, 12.3).
func (s state) refused(hint string) state {
	switch hint {
	case "expiredTransaction", notScanned:
		return s.fail(timedOut)
	case "userCancel", "cancelled":
		return s.fail(cancelled)
	case bankid.AlreadyInProgress:
		return s.fail(conflict)
	}
	return s.fail(loginFailed)
}

// opened is the event that the person did what the current step waits for: opened the link
// of an e-mail, approved in an app, or acted on a page. It reports false if the step waits
// for nothing of this kind.
func (sc script) opened(s state, now time.Time) (state, bool) {
	if s = sc.advance(s, now); s.ended() || !sc[s.Step].Kind.elsewhere() {
		return s, false
	}
	return sc.next(s, now), true
}

func (k stepKind) elsewhere() bool { return k == stepMail || k == stepApp || k == stepPage }

func (k stepKind) asks() bool { return k >= stepCode && k <= stepDevice }

// question returns the id of the open question; empty: none is open.
func (sc script) question(s state) string {
	if s.ended() || !sc[s.Step].Kind.asks() {
		return ""
	}
	return "q" + strconv.Itoa(s.Step+1) + "-" + strconv.Itoa(s.Asked+1)
}

// answer returns the state after an answer. proof is what a device has got if it made its
// request. Errors: QUESTION_OVER and BAD_REQUEST, with the state that is reached by time.
func (sc script) answer(s state, a answer, proof string, now time.Time) (state, error) {
	s = sc.advance(s, now)
	if !a.valid() {
		return s, badRequest("an answer has a question, and one of code, choice, inputs and response")
	}
	if open := sc.question(s); open == "" || a.Question != open {
		return s, questionOver()
	}
	step := sc[s.Step]
	switch {
	case !a.fits(step, s):
		return s, badRequest("the answer does not fit the question")
	case a.Choice != nil && *a.Choice == resend:
		s.Asked, s.Sent = s.Asked+1, s.Sent+1
		return s, nil
	case a.Choice != nil:
		s.Choice = *a.Choice
	case a.Response != nil && !strings.Contains(string(a.Response.Body), proof):
		return s.fail(loginFailed), nil
	case a.Code != nil && *a.Code != codeOf(s.Sent), a.Inputs != nil && !filledIn(step.Inputs, a.Inputs):
		if s.Asked, s.Wrong = s.Asked+1, s.Wrong+1; s.Wrong >= step.Attempts {
			return s.fail(step.Lost), nil
		}
		return s, nil
	}
	if email := a.Inputs[inputEmail]; email != "" {
		s.Email = email
	}
	return sc.next(s, now), nil
}

// valid reports whether an answer names a question and has one answer to it.
func (a answer) valid() bool {
	members := 0
	for _, has := range []bool{a.Code != nil, a.Choice != nil, a.Inputs != nil, a.Response != nil} {
		if has {
			members++
		}
	}
	return a.Question != "" && members == 1
}

// fits reports whether an answer has the member that the step asks for.
func (a answer) fits(st step, s state) bool {
	switch {
	case a.Choice != nil:
		return slices.ContainsFunc(st.choices(s, text{}), func(c choice) bool { return c.ID == *a.Choice })
	case a.Code != nil:
		return st.Kind == stepCode
	case a.Inputs != nil:
		return st.Kind == stepContact || st.Kind == stepInput
	}
	return st.Kind == stepDevice && json.Valid(a.Response.Body)
}

// choices returns the choices of a question.
func (st step) choices(s state, say text) []choice {
	switch {
	case st.Kind == stepChoice:
		return []choice{{bySMS, say.bySMS}, {byApp, say.byApp}}
	case st.Kind == stepCode && s.Sent+1 < codesSent:
		return []choice{{resend, say.resend}}
	}
	return nil
}

// codeOf returns the code that is valid after a number of RESENDs: 123456, 234561, 345612.
func codeOf(sent int) string {
	const digits = "123456"
	at := sent % len(digits)
	return digits[at:] + digits[:at]
}

// filledIn reports whether all inputs are there. Only the form of an e-mail is checked, and
// that a phone number has digits.
func filledIn(wanted []string, got map[string]string) bool {
	for _, key := range wanted {
		value := strings.TrimSpace(got[key])
		switch key {
		case inputEmail:
			name, host, found := strings.Cut(value, "@")
			if !found || name == "" || !strings.Contains(host, ".") {
				return false
			}
		case inputPhone:
			if digits := strings.Trim(value, "+0123456789 -"); digits != "" || len(value) < 7 {
				return false
			}
		default:
			if value == "" {
				return false
			}
		}
	}
	return true
}
