package source

import (
	"time"
)

// SetLimit changes how many sessions are kept.
func (s *Service) SetLimit(n int) { s.limit = n }

// BreakJournal makes all later writes fail.
func (s *Service) BreakJournal() { _ = s.journal.Close() }

// Touch asks for the turn of every session.
func (s *Service) Touch(now time.Time) {
	for e := s.order.Front(); e != nil; e = e.Next() {
		n := e.Value.(*session)
		_, _ = s.told(n, "", now)
	}
}

// Login is a login without a service, for property tests of the rules.
type Login struct {
	script script
	state  state
}

// NewLogin starts a login.
func NewLogin(company, method, who string, now time.Time) *Login {
	for _, c := range companies() {
		if c.ID == company {
			l := login{Institution: company, LoginMethod: method, PersonalNumber: who, Email: who}
			sc := c.scriptOf(l)
			return &Login{sc, sc.start(now)}
		}
	}
	return nil
}

// Facts are what a test checks of a login.
type Facts struct {
	Ended, In   bool
	Reason      string
	Step, Steps int
	Question    string
	Waits       bool // for the person to act elsewhere
	BankID      bool // waits for BankID
}

// Facts returns the facts of the login.
func (l *Login) Facts() Facts {
	f := Facts{Ended: l.state.ended(), In: !l.state.In.IsZero(), Reason: string(l.state.Reason), Step: l.state.Step, Steps: len(l.script), Question: l.script.question(l.state)}
	f.Waits = !f.Ended && l.script[f.Step].Kind.elsewhere()
	f.BankID = !f.Ended && l.script[f.Step].Kind == stepBankID
	return f
}

// Advance lets time pass.
func (l *Login) Advance(now time.Time) { l.state = l.script.advance(l.state, now) }

// Open is the person acting elsewhere.
func (l *Login) Open(now time.Time) (ok bool) {
	l.state, ok = l.script.opened(l.state, now)
	return ok
}

// Sign is a signature in BankID.
func (l *Login) Sign(signer, expected string, now time.Time) {
	l.state = l.script.signed(l.state, signer, expected, now)
}

// Refuse is a failed order.
func (l *Login) Refuse(hint string) { l.state = l.state.refused(hint) }

// Answer answers a question with a code, a choice or a proof.
func (l *Login) Answer(question, code, choice string, now time.Time) (err error) {
	a := answer{Question: question}
	switch {
	case code == "proof":
		a.Response = &deviceResponse{Body: []byte(`"proof"`)}
	case code == "inputs":
		a.Inputs = map[string]string{inputEmail: "anna@example.com", inputPhone: "070-1740605"}
	case code != "":
		a.Code = &code
	default:
		a.Choice = &choice
	}
	l.state, err = l.script.answer(l.state, a, "proof", now)
	return err
}
