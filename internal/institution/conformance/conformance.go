// Package conformance is the test suite for connectors: it tests what package
// institution specifies, against a bank that a test can control. A connector
// provides a Setup. Only tests import this package.
package conformance

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
)

// Bank is a connector with every verb that the suite tests.
type Bank interface {
	Profile() institution.Profile
	institution.Opener
	institution.Authorizer
	institution.ConsentReader
	institution.Revoker
	institution.Collector
}

// Action is what the person does with the instructions.
type Action int

// The actions.
const (
	Sign        Action = iota // sign as the expected person
	Decline                   // decline in the BankID app
	SignAsOther               // sign as another person
	OpenApp                   // open the app and do nothing else
)

// Setup is an unused bank and the means to control it. Connector and bank share the
// clock.
type Setup struct {
	Bank   Bank
	Person psu.Context // a customer with accounts and transactions; has an IP address
	Now    func() time.Time
	// Advance moves the clock.
	Advance func(time.Duration)
	// Act performs an action of the person with the latest instructions.
	Act    func(t *testing.T, a Action, i consent.Instructions)
	Expect Expect
}

// Expect is the expected behaviour of the bank.
type Expect struct {
	QR             institution.QRKind
	LongestConsent int  // days; the bank shortens longer consents to it
	Accounts       int  // of the person, including cards
	Cards          int  // those of the accounts that are cards
	Pages          int  // minimum for the account with the most pages of transactions
	Pending        bool // the bank has pending transactions
	// Tokens: the tokens are the consent (institution.Completer, Refresher). The bank tells
	// nothing of a consent without them, ends it with the second, and has ended one whose
	// tokens it refuses to replace.
	Tokens bool
	// BindsOrder: BankID lets nobody sign but the person for whom the bank starts an order.
	BindsOrder bool
	// Overtaken is what an order ends with that a second one of the person has ended; "" =
	// AUTHENTICATION_CONFLICT.
	Overtaken consent.FailureCode
}

// Run runs the suite. It calls start once for each test.
func Run(t *testing.T, start func(t *testing.T) Setup) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *session)
	}{
		{"reads everything once the person has signed", readsEverythingOnceSigned},
		{"authorization fails if the person declines", failsAfter(Decline, consent.AuthenticationCancelled)},
		{"authorization fails if another person signs", failsAfter(SignAsOther, consent.AuthenticationMismatch)},
		{"authorization times out if the app is not opened", timesOut(false)},
		{"authorization times out if the person does not sign", timesOut(true)},
		{"two authorizations of one person fail", failsBothOrders},
		{"open recognises a retry", recognisesRetry},
		{"asks for less when it is refused", asksForLess},
		{"consent for one kind of data", grantsOneKind},
		{"consent for one account", grantsOneAccount},
		{"revoked consent", revokes},
		{"unknown consent", reportsUnknownConsent},
		{"expired consent", expires},
		{"unattended reads have a daily limit", limitsUnattendedReads},
		{"open and authorize need the person", needsPerson},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &session{Setup: start(t)})
		})
	}
}
