package enablebanking

import (
	"errors"
	"time"
)

// Status is the status of a session (docs/reference/families.md 11.1, step 6).
type Status string

// The statuses.
const (
	Pending    Status = "PENDING_AUTHORIZATION"
	Returned   Status = "RETURNED_FROM_BANK"
	Authorized Status = "AUTHORIZED"
	Expired    Status = "EXPIRED"
	Closed     Status = "CLOSED"
	Revoked    Status = "REVOKED"
	Cancelled  Status = "CANCELLED"
	Invalid    Status = "INVALID"
)

// Final reports whether a session of this status never changes again.
func (s Status) Final() bool { return s != Pending && s != Returned && s != Authorized }

const (
	// loginTime is how long a person has, from POST /auth (a choice).
	loginTime = 15 * time.Minute
	// codeTime is how long a code can be exchanged (a choice).
	codeTime = 10 * time.Minute
)

// access is what the application asks for, and what its session covers.
type access struct {
	ValidUntil   time.Time               `json:"valid_until"`
	Accounts     []accountIdentification `json:"accounts,omitempty"`
	Balances     bool                    `json:"balances"`
	Transactions bool                    `json:"transactions"`
}

// bankName names a bank.
type bankName struct {
	Name    string `json:"name"`
	Country string `json:"country"`
}

// login is an authorization and the session that comes of it.
type login struct {
	ID        string    `json:"id"` // authorization_id
	Created   time.Time `json:"created"`
	Status    Status    `json:"status"`
	Bank      bankName  `json:"bank"`
	PSUType   string    `json:"psuType"`
	PSUIDHash string    `json:"psuIdHash"`
	Access    access    `json:"access"`
	State     string    `json:"state"`
	Return    string    `json:"return"` // redirect_url
	// Named is the personal number of the credentials; empty: any person logs in.
	Named string `json:"named,omitempty"`

	Code   string    `json:"code,omitempty"`
	CodeAt time.Time `json:"codeAt,omitzero"`
	Person string    `json:"person,omitempty"`
	Shared []string  `json:"shared,omitempty"` // ids of the accounts that the person shares

	Session    string            `json:"session,omitempty"` // session_id
	UIDs       map[string]string `json:"uids,omitempty"`    // by the id of the account
	Authorized time.Time         `json:"authorized,omitzero"`
	Ended      time.Time         `json:"ended,omitzero"`
}

// errState is returned for an event that is not possible in the current state.
var errState = errors.New("enablebanking: the state does not allow this")

// The events of a login.
type (
	// approved: the person logged in and shares accounts. The browser takes the code back.
	approved struct {
		code, person string
		shared       []string
	}
	// cancelled: the person refused.
	cancelled struct{}
	// broken: the login failed otherwise.
	broken struct{}
	// exchanged: the application has exchanged the code.
	exchanged struct {
		session string
		uids    map[string]string
	}
	// closed: the application has ended the session.
	closed struct{}
	// revoked: the person has ended it at the bank.
	revoked struct{}
	// elapsed: time has passed.
	elapsed struct{}
)

// apply returns the login after an event, or errState. It changes nothing.
func (l login) apply(event any, now time.Time) (login, error) {
	was := l.Status
	switch e := event.(type) {
	case approved:
		if was != Pending {
			return l, errState
		}
		l.Status, l.Code, l.CodeAt, l.Person, l.Shared = Returned, e.code, now, e.person, e.shared
	case cancelled:
		if was != Pending {
			return l, errState
		}
		l.Status = Cancelled
	case broken:
		if was != Pending {
			return l, errState
		}
		l.Status = Invalid
	case exchanged:
		if was != Returned {
			return l, errState
		}
		l.Status, l.Session, l.UIDs, l.Authorized = Authorized, e.session, e.uids, now
	case closed:
		if was != Authorized {
			return l, errState
		}
		l.Status = Closed
	case revoked:
		if was != Authorized {
			return l, errState
		}
		l.Status = Revoked
	case elapsed:
		switch {
		case was == Pending && !now.Before(l.Created.Add(loginTime)), was == Returned && !now.Before(l.CodeAt.Add(codeTime)):
			l.Status = Invalid
		case was == Authorized && !now.Before(l.Access.ValidUntil):
			l.Status = Expired
		}
	default:
		return l, errState
	}
	if l.Status.Final() && !was.Final() {
		l.Ended = now
	}
	return l, nil
}
