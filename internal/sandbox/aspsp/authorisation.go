package aspsp

import (
	"time"

	"samla/internal/sandbox/bankid"
)

// SCAStatus is scaStatus of the standard (docs/reference/banks.md 4).
type SCAStatus string

// The statuses this bank uses. There is one SCA method, so an authorisation
// begins as scaMethodSelected; it is started when the BankID app was opened.
const (
	MethodSelected SCAStatus = "scaMethodSelected"
	Started        SCAStatus = "started"
	Finalised      SCAStatus = "finalised"
	Failed         SCAStatus = "failed"
)

// Final tells whether an authorisation of this status never changes again.
func (s SCAStatus) Final() bool { return s == Finalised || s == Failed }

// Hint codes of our own, beside BankID's.
const (
	outstanding    = "outstandingTransaction"
	hintMismatch   = "personMismatch"     // another person signed than PSU-ID named
	hintNothing    = "nothingToGrant"     // the signer owns none of the accounts asked for
	hintCancelled  = "cancelled"          // the TPP ended the consent
	hintLost       = "expiredTransaction" // BankID no longer knows the order
	hintInProgress = "alreadyInProgress"  // the order could not start
)

// Authorisation is one authorisation of a consent.
type Authorisation struct {
	ID        string    `json:"id"`
	ConsentID string    `json:"consentId"`
	RequestID string    `json:"requestId"`
	Print     string    `json:"print"`
	Created   time.Time `json:"created"`
	Status    SCAStatus `json:"status"`
	Hint      string    `json:"hint,omitempty"`   // BankID's hintCode or one of ours
	PSUID     string    `json:"psuId,omitempty"`  // whom PSU-ID named
	Signer    string    `json:"signer,omitempty"` // who signed

	Order order `json:"order,omitzero"` // until the authorisation ends
}

// order is what the bank remembers of a BankID order.
type order struct {
	bankid.Order
	Image string `json:"image,omitempty"` // base64 PNG, StaticImage only
}

// The events of an authorisation.
type (
	// Pending: the order waits, with BankID's hintCode.
	Pending struct{ Hint string }
	// Signed: the order is complete.
	Signed struct{ Signer string }
	// Broken: the order failed, or cannot count.
	Broken struct{ Hint string }
)

// SCAEvent is one of the events above.
type SCAEvent interface{ scaEvent() }

func (Pending) scaEvent() {}
func (Signed) scaEvent()  {}
func (Broken) scaEvent()  {}

// Apply returns the authorisation after the event; on a final one it returns
// ErrState and the authorisation unchanged. It is a pure function.
//
//	scaMethodSelected --Pending, app open--> started
//	either --Signed by the right person--> finalised
//	either --Signed by another, Broken--> failed
func (a Authorisation) Apply(e SCAEvent) (Authorisation, error) {
	if a.Status.Final() {
		return a, ErrState
	}
	switch e := e.(type) {
	case Pending:
		a.Hint = e.Hint
		if e.Hint != outstanding {
			a.Status = Started
		}
	case Signed:
		if a.PSUID != "" && a.PSUID != e.Signer {
			a.Status, a.Hint = Failed, hintMismatch
			break
		}
		a.Status, a.Hint, a.Signer = Finalised, "", e.Signer
	case Broken:
		a.Status, a.Hint = Failed, e.Hint
	}
	return a, nil
}
