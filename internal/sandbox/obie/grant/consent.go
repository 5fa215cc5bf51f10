// Package grant holds the state machines of a simulated OBIE bank: what a client was
// granted, and how. A consent is authorised by logins, a login ends in a code, a code
// is exchanged for tokens. All functions are pure; package obie keeps the values.
//
// Sources: docs/reference/families.md 4.2, 15.2; RFC 6749, 7636, 8705.
package grant

import (
	"errors"
	"slices"
	"time"
)

// Status is the status of a consent, in the words of version 3.1.11.
type Status string

// The statuses this bank uses. It does not use Revoked: a person who ends access at the
// bank leaves the status as it is (docs/reference/families.md 4.2, 8).
const (
	Awaiting   Status = "AwaitingAuthorisation"
	Authorised Status = "Authorised"
	Rejected   Status = "Rejected"
)

// AwaitWithin is how long a consent waits for its first authorisation; then it is
// rejected (read-write-data-api-profile, "Changes to an Intent's Authorized State").
const AwaitWithin = 30 * time.Minute

// Consent is an account access consent as the bank stores it.
type Consent struct {
	ID          string    `json:"id"`
	Client      string    `json:"client"`
	Permissions []string  `json:"permissions"`
	Expires     time.Time `json:"expires,omitzero"` // ExpirationDateTime; zero: open-ended
	From        time.Time `json:"from,omitzero"`    // TransactionFromDateTime
	To          time.Time `json:"to,omitzero"`      // TransactionToDateTime
	Created     time.Time `json:"created"`
	Status      Status    `json:"status"`
	Updated     time.Time `json:"updated"` // of the status
	Deleted     bool      `json:"deleted,omitempty"`

	// Once authorised:
	Signer   string    `json:"signer,omitempty"`   // personal number, 12 digits
	Accounts []string  `json:"accounts,omitempty"` // ids of the accounts the person chose
	SCA      time.Time `json:"sca,omitzero"`       // time of the last authorisation
	// Generation is that of the tokens and codes that live: all others are dead.
	Generation int `json:"generation,omitempty"`
	// Asked says that the bank wants the person to log in again: reads are refused until
	// new tokens are issued.
	Asked bool `json:"asked,omitempty"`
}

// ErrState is returned for an event that is not possible in the current state.
var ErrState = errors.New("grant: the state does not allow this")

// The events of a consent.
type (
	// Approved says that the person chose accounts and approved: the first time, or
	// again with the same consent.
	Approved struct {
		Person   string
		Accounts []string
	}
	// Refused says that the person refused, or could not be let in.
	Refused struct{}
	// Issued says that a code of the current generation was exchanged: the tokens of the
	// next one are issued.
	Issued struct{}
	// Ended says that the person ended access at the bank.
	Ended struct{}
	// Reauthentication says that the bank wants the person to log in again.
	Reauthentication struct{}
	// Removed says that the client deleted the consent.
	Removed struct{}
	// TimePassed says that the time limits are checked. It never fails.
	TimePassed struct{}
)

// ConsentEvent is one of the events above.
type ConsentEvent interface{ consentEvent() }

func (Approved) consentEvent()         {}
func (Refused) consentEvent()          {}
func (Issued) consentEvent()           {}
func (Ended) consentEvent()            {}
func (Reauthentication) consentEvent() {}
func (Removed) consentEvent()          {}
func (TimePassed) consentEvent()       {}

// Apply returns the consent after the event, or ErrState and the consent unchanged. A
// deleted consent never changes again, and neither does a rejected one.
//
//	AwaitingAuthorisation --Approved--> Authorised --Approved, Issued, Ended, Reauthentication, Refused--> Authorised
//	          '--Refused, TimePassed--> Rejected
//	any but deleted --Removed--> deleted
func (c Consent) Apply(e ConsentEvent, now time.Time) (Consent, error) {
	if _, passed := e.(TimePassed); passed {
		if c.Status == Awaiting && !c.Deleted && now.Sub(c.Created) > AwaitWithin {
			c.Status, c.Updated = Rejected, now
		}
		return c, nil
	}
	if c.Deleted {
		return c, ErrState
	}
	switch e := e.(type) {
	case Approved:
		if c.Status == Rejected || c.Expired(now) || c.Signer != "" && c.Signer != e.Person || len(e.Accounts) == 0 {
			return c, ErrState
		}
		if c.Status == Awaiting {
			c.Status, c.Updated = Authorised, now
		}
		c.Signer, c.Accounts, c.SCA = e.Person, slices.Clone(e.Accounts), now
	case Refused:
		if c.Status == Rejected {
			return c, ErrState
		}
		if c.Status == Awaiting {
			c.Status, c.Updated = Rejected, now
		}
	case Issued:
		if c.Status != Authorised {
			return c, ErrState
		}
		c.Generation++
		c.Asked = false
	case Ended:
		if c.Status != Authorised {
			return c, ErrState
		}
		c.Generation++
	case Reauthentication:
		if c.Status != Authorised {
			return c, ErrState
		}
		c.Asked = true
	case Removed:
		c.Deleted = true
		c.Generation++
	}
	return c, nil
}

// Expired reports whether ExpirationDateTime has passed.
func (c Consent) Expired(now time.Time) bool { return !c.Expires.IsZero() && !now.Before(c.Expires) }

// Open reports whether a client may send the person to authorise the consent.
func (c Consent) Open(now time.Time) bool {
	return !c.Deleted && c.Status != Rejected && !c.Expired(now)
}

// Covers reports whether the person chose the account.
func (c Consent) Covers(account string) bool { return slices.Contains(c.Accounts, account) }

// Has reports whether the consent has one of the permissions.
func (c Consent) Has(permissions ...string) bool {
	return slices.ContainsFunc(permissions, func(p string) bool { return slices.Contains(c.Permissions, p) })
}
