// Package conformance is the test suite for connectors: it tests what package
// institution specifies, against a bank that a test can control. A connector
// provides a Setup. Only tests import this package.
package conformance

import (
	"net/url"
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
	Refuse                    // log in on the bank's page, and refuse there
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
	Act func(t *testing.T, a Action, i consent.Instructions)
	// Browse performs an action of the person on a page of the bank, in a browser of its own.
	// It returns the members with which the browser comes back. Nil: the bank has no pages.
	Browse func(t *testing.T, a Action, page string) url.Values
	// CoSign signs a consent as the second person. Nil: one person signs.
	CoSign func(t *testing.T, id consent.RemoteID)
	// Changes is the number of requests until now that can change something at the bank. Nil:
	// they are not counted.
	Changes func() int
	Expect  Expect
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
	// Bearer: reads need a token beside the consent.
	Bearer bool
	// TokenOnly: the token alone says under which consent something is read. Without it nothing
	// is asked.
	TokenOnly bool
	// Forgets: the bank does not know a consent any more that was revoked.
	Forgets bool
	// Repeats: the bank may give a row again on the next page.
	Repeats bool
	// PicksAccounts: which accounts a consent has is only for the person to say, on the page.
	PicksAccounts bool
	// TokenLife is how long the tokens of a consent live, with those that replace them; 0 = as
	// long as the consent.
	TokenLife time.Duration
	// EndsLogin: the tokens of a login can be revoked: those that no consent followed, and
	// those of a consent with it.
	EndsLogin bool
	// Renamed: the bank tells nothing of a consent until the person has come back, and it has
	// another name from then on.
	Renamed bool
	// Timed: the longest consent lasts for a time, less a few minutes, not until the end of a
	// day.
	Timed bool
	// AsksAll: Read returns questions that the consent does not cover.
	AsksAll bool
	// Uncounted: what the bank tells of the consent itself is no read of the day.
	Uncounted bool
	// Silent: while the person is on the page, the bank tells nothing of it that is of use.
	Silent bool
	// Push: BankID is asked by the bank, and we get nothing of it that the person needs.
	Push bool
	// Unexplained: the bank does not say that a person has cancelled.
	Unexplained bool
	// Confirms: a person who has signed on the page has to come back before the consent is
	// valid.
	Confirms bool
	// Unbound: the bank has nothing that binds a code to the session it was given for, such as
	// PKCE. Then only the state, and the browser, protect a session from another's code.
	Unbound bool
	// BindsOrder: BankID lets nobody sign but the person for whom the bank starts an order.
	BindsOrder bool
	// Refused is what the second order of a person ends with at once; "" =
	// AUTHENTICATION_CONFLICT.
	Refused consent.FailureCode
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
		{"authorization fails if the person refuses on the page", failsAfter(Refuse, consent.AuthenticationCancelled)},
		{"the person does not come back", neverComesBack},
		{"reads need the token", needsToken},
		{"a foreign return changes nothing", refusesForeignReturns},
		{"a code of another session is of no use", refusesForeignCode},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, &session{Setup: start(t)})
		})
	}
}
