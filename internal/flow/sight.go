package flow

import (
	"slices"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/dialogue"
)

// Sight is how the institution's side stands, as a state of the page.
type Sight struct {
	State    State
	Question string // id of the open question, in an Ask state
	Failure  string // in Failed: a consent.FailureCode or a collection.Status
	Signed   bool   // the person has approved
}

// valid reports whether the institution's side can stand so.
func (s Sight) valid() bool {
	return (s.State.Approving() || s.State == Reading || s.State.Over()) && (s.State == Failed) == (s.Failure != "") &&
		(s.Question == "" || s.State.Asks())
}

// Offer is what the person can sign with, in an app.
type Offer struct {
	Code    bool   // a code to scan
	Token   bool   // a token that opens the app on this device
	Page    bool   // a page of the institution
	Message string // code of BankID's message, such as RFA1; empty: none
}

// state returns the state for what is offered to a person who prefers a device.
func (o Offer) state(onDevice bool) State {
	switch {
	case o.Page:
		return Bank
	case busy(o.Message):
		return InApp
	case o.Token && (onDevice || !o.Code):
		return App
	case o.Code:
		return QR
	}
	return Opening
}

// busy reports whether a message of BankID says that the app is open
// (docs/reference/banks.md 12.2).
func busy(message string) bool {
	return slices.Contains([]string{"RFA9", "RFA15", "RFA15A", "RFA15B", "RFA21", "RFA23", "RFA24", "RFA25"}, message)
}

// OfConsent returns the sight of a consent with what it offers the person now. Signed is
// true once it holds.
func OfConsent(c consent.Consent, o Offer, onDevice bool) Sight {
	switch {
	case c.Status == consent.Authorized:
		return Sight{State: Returned, Signed: true}
	case c.Status == consent.Failed && c.Failure == consent.AuthenticationCancelled, c.Status == consent.Revoked:
		return Sight{State: Cancelled}
	case c.Status == consent.Failed:
		return Sight{State: Failed, Failure: string(c.Failure)}
	case c.Status == consent.Expired:
		return Sight{State: Failed, Failure: string(consent.AuthenticationTimeout)}
	case c.Step == consent.StepChoose:
		return Sight{State: PickAccounts}
	case c.Visit != nil && c.Visit.Stage == consent.StageHeld:
		return Sight{State: Elsewhere}
	case c.Visit != nil && c.Visit.Stage == consent.StageAccepted, c.Step == consent.StepComplete:
		return Sight{State: Returned}
	case c.Status == consent.Initiated:
		return Sight{State: Opening}
	}
	return Sight{State: o.state(onDevice)}
}

// OfCollection returns the sight of a collection, with what its login shows, or nil. A
// BankID login that shows no code any more is in the app; was is the state before.
func OfCollection(c collection.Collection, shown *dialogue.Shown, onDevice bool, was State) Sight {
	switch c.Status.Class() {
	case collection.Success:
		return Sight{State: Done, Signed: true}
	case collection.Failure, collection.UserAction:
		if c.Status == collection.AuthenticationCancelled {
			return Sight{State: Cancelled}
		}
		return Sight{State: Failed, Failure: string(c.Status)}
	}
	switch {
	case c.Status == collection.Collecting, c.Status == collection.Running && c.Mode == collection.Stored:
		return Sight{State: Reading, Signed: true}
	case shown == nil && was != Opening && was.Approving():
		return Sight{State: Returned} // the answer is on its way, or the institution works
	case shown == nil:
		return Sight{State: Opening}
	}
	return ofShown(shown, onDevice, was)
}

func ofShown(s *dialogue.Shown, onDevice bool, was State) Sight {
	asks := func(in State) Sight { return Sight{State: in, Question: s.Question} }
	switch {
	case s.Device != nil:
		return asks(AskDevice)
	case s.Kind == dialogue.Code:
		return asks(AskCode)
	case s.Kind == dialogue.Method:
		return asks(AskChoice)
	case s.Kind == dialogue.Contact:
		return asks(AskContact)
	case s.Kind == dialogue.Input:
		return asks(AskInput)
	case s.For == dialogue.EmailLink:
		return Sight{State: AskEmail}
	case s.URL != "":
		return Sight{State: Bank}
	case s.For != dialogue.BankID:
		return Sight{State: AskWait}
	}
	o := Offer{Code: s.QRText != "" || s.QRImage != "", Token: s.AutoStartToken != ""}
	if !o.Code && (was == QR || was == InApp) {
		return Sight{State: InApp}
	}
	return Sight{State: o.state(onDevice)}
}
