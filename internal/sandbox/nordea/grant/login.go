// Package grant has the state machines of a bank with Nordea's wire: decoupled logins, visits
// to the bank's page, and grants with their codes and tokens. It is pure: package nordea
// stores the states and serves them.
//
// Source: docs/reference/families.md 3.4, 3.5 and 15.1.
package grant

import (
	"errors"
	"time"

	"samla/internal/sandbox/bankid"
)

// LoginStatus is the status of a decoupled login (docs/reference/families.md 3.4).
type LoginStatus string

// The statuses. Ended is ours: Nordea answers it with an error, or with the status
// cancelled (Behaviour.CancelledStatus).
const (
	Assignment   LoginStatus = "assignment_pending"   // BankID waits for the app
	Confirmation LoginStatus = "confirmation_pending" // the app is open
	Completed    LoginStatus = "completed"            // signed; the code can be used once
	Authorized   LoginStatus = "authorized"           // completed, and the code is used
	Ended        LoginStatus = "ended"
)

// Reason is why a login ended.
type Reason string

// The reasons.
const (
	TimedOut  Reason = "timedOut"
	Cancelled Reason = "cancelled"
	NoBankID  Reason = "noBankID" // BankID refused, such as a blocked one
	Broken    Reason = "broken"   // a technical error of the bank
)

// Login is a decoupled login. It changes only through Apply:
//
//	assignment_pending → confirmation_pending → completed → authorized
//	assignment_pending → completed
//	assignment_pending, confirmation_pending → ended
type Login struct {
	ID      string       `json:"id"`
	App     string       `json:"app"`
	Root    string       `json:"root"` // personal or business
	PSU     string       `json:"psu,omitempty"`
	Company string       `json:"company,omitempty"` // business: the company's number
	Order   bankid.Order `json:"order"`
	Started time.Time    `json:"started"`

	Status    LoginStatus `json:"status"`
	Reason    Reason      `json:"reason,omitempty"` // Ended only
	Person    string      `json:"person,omitempty"` // who signed; from Completed on
	Code      string      `json:"code,omitempty"`   // from Completed on
	CodeUntil time.Time   `json:"codeUntil,omitzero"`
	// Asked is the request that was answered with a choice of agreements, until one is
	// chosen.
	Asked *AuthorizeRequest `json:"asked,omitempty"`
}

// CodeLife is how long both kinds of codes can be used (docs/reference/families.md 15.1, N6).
const CodeLife = 5 * time.Minute

// LoginEvent is something that happens to a login: Opened, Signed, Failed, AgreementsShown or
// CodeUsed.
type LoginEvent interface {
	apply(l Login, now time.Time) (Login, error)
}

// Errors of Login.Apply and Grant.Apply.
var (
	ErrState   = errors.New("grant: not possible in this state")
	ErrCode    = errors.New("grant: the code is unknown, used or expired")
	ErrToken   = errors.New("grant: the token is not valid")
	ErrExpired = errors.New("grant: the token has expired")
)

// Apply returns the login after an event. With an error it returns the login unchanged:
// ErrState, or ErrCode for events that need the code.
func (l Login) Apply(e LoginEvent, now time.Time) (Login, error) {
	next, err := e.apply(l, now)
	if err != nil {
		return l, err
	}
	return next, nil
}

// Pending reports whether the person can still sign.
func (l Login) Pending() bool { return l.Status == Assignment || l.Status == Confirmation }

// Opened is the app's opening by QR code or autostart.
type Opened struct{}

func (Opened) apply(l Login, _ time.Time) (Login, error) {
	if !l.Pending() {
		return l, ErrState
	}
	l.Status = Confirmation
	return l, nil
}

// Signed is the signature of a person. Code is the new code.
type Signed struct{ Person, Code string }

func (e Signed) apply(l Login, now time.Time) (Login, error) {
	if !l.Pending() || e.Person == "" || e.Code == "" {
		return l, ErrState
	}
	l.Status, l.Person, l.Code, l.CodeUntil = Completed, e.Person, e.Code, now.Add(CodeLife)
	l.Order = bankid.Order{}
	return l, nil
}

// Failed is the end of a login without a signature.
type Failed struct{ Reason Reason }

func (e Failed) apply(l Login, _ time.Time) (Login, error) {
	if !l.Pending() {
		return l, ErrState
	}
	l.Status, l.Reason, l.Order = Ended, e.Reason, bankid.Order{}
	return l, nil
}

// AgreementsShown is an authorization of a business that must choose an agreement. The code
// can be used until that.
type AgreementsShown struct {
	Code    string
	Request AuthorizeRequest
}

func (e AgreementsShown) apply(l Login, now time.Time) (Login, error) {
	if !l.Usable(e.Code, now) {
		return l, ErrCode
	}
	e.Request.Code = ""
	l.Asked = &e.Request
	return l, nil
}

// CodeUsed is an authorization.
type CodeUsed struct{ Code string }

func (e CodeUsed) apply(l Login, now time.Time) (Login, error) {
	if !l.Usable(e.Code, now) {
		return l, ErrCode
	}
	l.Status, l.Asked = Authorized, nil
	return l, nil
}

// Usable reports whether the code is that of the login and can be used.
func (l Login) Usable(code string, now time.Time) bool {
	return l.Status == Completed && code != "" && code == l.Code && now.Before(l.CodeUntil)
}
