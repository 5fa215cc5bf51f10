package aspsp

import (
	"time"

	"samla/internal/sandbox/bankid"
)

// SCAStatus is scaStatus of the standard (docs/reference/banks.md 4).
type SCAStatus string

// The statuses this bank uses. There is one SCA method, so an authorisation begins as
// scaMethodSelected. It becomes started when the BankID app is opened.
const (
	MethodSelected SCAStatus = "scaMethodSelected"
	Started        SCAStatus = "started"
	Finalised      SCAStatus = "finalised"
	Failed         SCAStatus = "failed"
)

// Final reports whether an authorisation of this status never changes again.
func (s SCAStatus) Final() bool { return s == Finalised || s == Failed }

// Hint codes. Those without a counterpart in BankID are personMismatch and
// nothingToGrant.
const (
	hintOutstanding    = "outstandingTransaction"
	hintMismatch       = "personMismatch"     // another person signed than the one in PSU-ID
	hintNothingToGrant = "nothingToGrant"     // the signer owns none of the requested accounts
	hintCancelled      = "cancelled"          // the TPP ended the consent
	hintOrderLost      = "expiredTransaction" // BankID no longer knows the order
	hintInProgress     = "alreadyInProgress"  // the order could not start
)

// Authorisation is one authorisation of a consent.
type Authorisation struct {
	ID          string    `json:"id"`
	ConsentID   string    `json:"consentId"`
	RequestID   string    `json:"requestId"`
	Fingerprint string    `json:"print"`
	Created     time.Time `json:"created"`
	Status      SCAStatus `json:"status"`
	Hint        string    `json:"hint,omitempty"`   // BankID's hintCode or one of ours
	PSUID       string    `json:"psuId,omitempty"`  // the person in PSU-ID
	Signer      string    `json:"signer,omitempty"` // the person who signed

	Order order `json:"order,omitzero"` // until the authorisation ends
}

// order is what the bank stores of a BankID order.
type order struct {
	bankid.Order
	Image string `json:"image,omitempty"` // base64 PNG, StaticImage only
}

// The events of an authorisation.
type (
	// OrderPending says that the order is pending, with BankID's hintCode.
	OrderPending struct{ Hint string }
	// OrderSigned says that the order is complete.
	OrderSigned struct{ Signer string }
	// OrderFailed says that the order failed, or its result cannot be used.
	OrderFailed struct{ Hint string }
)

// SCAEvent is one of the events above.
type SCAEvent interface{ scaEvent() }

func (OrderPending) scaEvent() {}
func (OrderSigned) scaEvent()  {}
func (OrderFailed) scaEvent()  {}

// Apply returns the authorisation after the event; on a final one it returns
// ErrState and the authorisation unchanged. It is a pure function.
//
//	scaMethodSelected --OrderPending, app open--> started
//	either --OrderSigned by the person in PSU-ID, or without PSU-ID--> finalised
//	either --OrderSigned by another person, OrderFailed--> failed
func (a Authorisation) Apply(e SCAEvent) (Authorisation, error) {
	if a.Status.Final() {
		return a, ErrState
	}
	switch e := e.(type) {
	case OrderPending:
		a.Hint = e.Hint
		if e.Hint != hintOutstanding {
			a.Status = Started
		}
	case OrderSigned:
		if a.PSUID != "" && a.PSUID != e.Signer {
			a.Status, a.Hint = Failed, hintMismatch
			break
		}
		a.Status, a.Hint, a.Signer = Finalised, "", e.Signer
	case OrderFailed:
		a.Status, a.Hint = Failed, e.Hint
	}
	return a, nil
}
