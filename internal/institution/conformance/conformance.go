// Package conformance owns the conformance suite of connectors: what package institution
// promises, tried against a bank that a test can steer. A connector's own tests
// hand it a Setup; nothing else uses it.
package conformance

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
)

// Bank is a connector with every verb the suite tries.
type Bank interface {
	Profile() institution.Profile
	institution.Opener
	institution.Authorizer
	institution.ConsentReader
	institution.Revoker
	institution.Collector
}

// Deed is what the person does with the instructions.
type Deed int

// The deeds.
const (
	Approve  Deed = iota // signs as the expected person
	Cancel               // declines on the phone
	Mismatch             // somebody else signs
	Open                 // opens the app and then does nothing
)

// Setup is one bank that nobody has used yet, and how to steer it. Connector
// and bank share the clock.
type Setup struct {
	Bank   Bank
	Person psu.Context // a customer with accounts and transactions, at an address
	Now    func() time.Time
	// Advance moves the clock.
	Advance func(time.Duration)
	// Act lets the person act on instructions as they were last given.
	Act    func(t *testing.T, d Deed, i consent.Instructions)
	Expect Expect
}

// Expect is what the bank is known to do.
type Expect struct {
	QR             institution.QRKind
	LongestConsent int // days; what the bank shortens a consent to
	Accounts       int // of the person, cards included
	Cards          int // of them told as cards
	Pages          int // at least so many for the person's busiest account
	Pending        bool
}

// Run tries everything. start is called once for each case.
func Run(t *testing.T, start func(t *testing.T) Setup) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *session)
	}{
		{"everything is read once the person has signed", wholeJourney},
		{"the person cancels", ends(Cancel, consent.AuthenticationCancelled)},
		{"somebody else signs", ends(Mismatch, consent.AuthenticationMismatch)},
		{"the app is not opened", lateness(false)},
		{"the person does not sign", lateness(true)},
		{"two authorisations of one person", conflict},
		{"a repeated opening", replay},
		{"a consent for one kind", oneKind},
		{"a consent for one account", oneAccount},
		{"a consent that is withdrawn", withdrawn},
		{"a consent that is unknown", unknown},
		{"a consent past its last day", over},
		{"reads without the person", unattended},
		{"a person who is not known", nobody},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &session{Setup: start(t)})
		})
	}
}
