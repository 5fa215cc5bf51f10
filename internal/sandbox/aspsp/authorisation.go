package aspsp

import (
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/oauth"
)

// SCAStatus is scaStatus of the standard (docs/reference/banks.md 4).
type SCAStatus string

// The statuses. An authorisation with one SCA method that the TPP shows begins as
// scaMethodSelected and becomes started when the BankID app is opened; one with several
// methods begins as received, and so does one on the bank's page.
const (
	SCAReceived      SCAStatus = "received"
	PSUIdentified    SCAStatus = "psuIdentified"
	PSUAuthenticated SCAStatus = "psuAuthenticated"
	MethodSelected   SCAStatus = "scaMethodSelected"
	Started          SCAStatus = "started"
	Unconfirmed      SCAStatus = "unconfirmed"
	Finalised        SCAStatus = "finalised"
	Failed           SCAStatus = "failed"
	// AuthenticationStarted is not in the standard: one bank's own word between received
	// and started (docs/reference/families.md 2.6).
	AuthenticationStarted SCAStatus = "authenticationStarted"
)

// Final reports whether an authorisation of this status never changes again.
func (s SCAStatus) Final() bool { return s == Finalised || s == Failed }

// Hint codes. Those without a counterpart in BankID are personMismatch, nothingToGrant and
// those of the bank's page.
const (
	hintOutstanding    = "outstandingTransaction"
	hintMismatch       = "personMismatch"     // another person signed than the one in PSU-ID
	hintNothingToGrant = "nothingToGrant"     // the signer owns none of the requested accounts
	hintCancelled      = "cancelled"          // the TPP ended the consent
	hintOrderLost      = "expiredTransaction" // BankID no longer knows the order
	hintInProgress     = "alreadyInProgress"  // the order could not start
	hintLate           = "expired"            // the person did not come to the page, or the TPP did not confirm
	hintUnconfirmed    = "wrongConfirmation"  // the confirmation code is wrong
	hintSameSigner     = "sameSigner"         // the second signature is of the first signer
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
	Method      string    `json:"method,omitempty"` // id of the chosen SCA method; empty: not chosen

	Order order     `json:"order,omitzero"` // until the authorisation ends
	Page  *pageSide `json:"page,omitempty"` // if the person signs on the bank's page
}

// order is what the bank stores of a BankID order.
type order struct {
	bankid.Order
	Image string `json:"image,omitempty"` // base64 PNG, StaticImage only
}

// pageSide is what the bank stores of an authorisation on its page.
type pageSide struct {
	Visit       string    `json:"visit"` // id of the visit, a secret of the browser
	Until       time.Time `json:"until"` // when the authorisation fails if it has not ended
	RedirectURI string    `json:"redirectUri"`
	NokURI      string    `json:"nokUri,omitempty"`
	State       string    `json:"state,omitempty"` // that the browser brought
	// Request is the authorization request, if the person came by OAuth2.
	Request  *oauth.Request `json:"request,omitempty"`
	Granted  *Access        `json:"granted,omitempty"` // from the approval on
	Code     string         `json:"code,omitempty"`    // the confirmation code, from the approval on
	ReturnTo string         `json:"returnTo,omitempty"`
	Seen     bool           `json:"-"` // psuAuthenticated was read
}

// The events of an authorisation.
type (
	// MethodChosen says that the TPP or the bank has chosen an SCA method.
	MethodChosen struct{ Method string }
	// OrderPending says that the order is pending, with BankID's hintCode.
	OrderPending struct{ Hint string }
	// OrderSigned says that the order is complete.
	OrderSigned struct{ Signer string }
	// OrderFailed says that the order failed, or its result cannot be used.
	OrderFailed struct{ Hint string }
	// PageReached says that the person has reached a step of the bank's page.
	PageReached struct{ Status SCAStatus }
	// PageApproved says that the person approved on the bank's page. Confirm says that
	// the TPP must confirm it.
	PageApproved struct {
		Signer  string
		Granted Access
		Confirm bool
	}
	// Confirmed says that the TPP has confirmed.
	Confirmed struct{}
)

// SCAEvent is one of the events above.
type SCAEvent interface{ scaEvent() }

func (MethodChosen) scaEvent() {}
func (OrderPending) scaEvent() {}
func (OrderSigned) scaEvent()  {}
func (OrderFailed) scaEvent()  {}
func (PageReached) scaEvent()  {}
func (PageApproved) scaEvent() {}
func (Confirmed) scaEvent()    {}

// Apply returns the authorisation after the event; if the event is not possible it returns
// ErrState and the authorisation unchanged. It is a pure function.
//
//	received, psuIdentified --MethodChosen--> scaMethodSelected
//	scaMethodSelected --OrderPending, app open--> started
//	either --OrderSigned by the person in PSU-ID, or without PSU-ID--> finalised
//	received --PageReached--> psuIdentified or authenticationStarted --> psuAuthenticated --> started
//	any of these --PageApproved--> finalised, or unconfirmed --Confirmed--> finalised
//	any that is not final --OrderSigned by another person, OrderFailed--> failed
func (a Authorisation) Apply(e SCAEvent) (Authorisation, error) {
	if a.Status.Final() {
		return a, ErrState
	}
	switch e := e.(type) {
	case MethodChosen:
		if a.Status != SCAReceived && a.Status != PSUIdentified {
			return a, ErrState
		}
		a.Status, a.Method = MethodSelected, e.Method
	case OrderPending:
		if a.Page != nil {
			return a, ErrState
		}
		a.Hint = e.Hint
		if e.Hint != hintOutstanding {
			a.Status = Started
		}
	case OrderSigned:
		if a.Page != nil {
			return a, ErrState
		}
		if a.PSUID != "" && a.PSUID != e.Signer {
			a.Status, a.Hint = Failed, hintMismatch
			break
		}
		a.Status, a.Hint, a.Signer = Finalised, "", e.Signer
	case OrderFailed:
		a.Status, a.Hint = Failed, e.Hint
	case PageReached:
		if a.Page == nil || rank(e.Status) <= rank(a.Status) {
			return a, ErrState
		}
		a.Status = e.Status
	case PageApproved:
		if a.Page == nil || a.Status == Unconfirmed {
			return a, ErrState
		}
		page := *a.Page
		page.Granted = &e.Granted
		a.Page, a.Signer, a.Status, a.Hint = &page, e.Signer, Finalised, ""
		if e.Confirm {
			a.Status = Unconfirmed
		}
	case Confirmed:
		if a.Status != Unconfirmed {
			return a, ErrState
		}
		a.Status = Finalised
	}
	return a, nil
}

// rank is the order in which the statuses of an authorisation on the page follow.
func rank(s SCAStatus) int {
	switch s {
	case PSUIdentified, AuthenticationStarted:
		return 1
	case PSUAuthenticated:
		return 2
	case Started:
		return 3
	case Unconfirmed, Finalised, Failed:
		return 4
	}
	return 0 // received, scaMethodSelected
}
