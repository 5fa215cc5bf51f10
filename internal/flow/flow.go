// Package flow owns what the connect page is about: the link that a client makes for a
// person, and the flow that it becomes, from the choice of an institution to data
// (docs/reference/api.md 13). Both are pure: (state, event, time) -> state. Package connect
// drives them with the services, package store stores them.
package flow

import (
	"bytes"
	"slices"
	"time"

	"samla/internal/consent"
)

// State is where a person stands on the connect page: what is shown, and whose turn it is.
type State string

// The states.
const (
	Start        State = "START"     // an institution is to be chosen
	Review       State = "REVIEW"    // one is chosen: the person says what is needed, and approves
	Opening      State = "OPENING"   // the institution is being asked
	QR           State = "QR"        // a code to scan
	App          State = "APP"       // an app to open on this device
	InApp        State = "IN_APP"    // the person is in the app
	Bank         State = "BANK"      // a page of the institution to go to
	Elsewhere    State = "ELSEWHERE" // somebody came back in another browser: a short code is to be typed
	Returned     State = "RETURNED"  // the person is back, and the outcome is not known yet
	PickAccounts State = "ACCOUNTS"  // accounts are to be chosen, for the permission that is signed next
	AskCode      State = "ASK_CODE"
	AskChoice    State = "ASK_CHOICE"
	AskContact   State = "ASK_CONTACT"
	AskInput     State = "ASK_INPUT"
	AskEmail     State = "ASK_EMAIL"  // a link in an e-mail
	AskWait      State = "ASK_WAIT"   // something to do in another app
	AskDevice    State = "ASK_DEVICE" // the person's device makes a request
	Reading      State = "READING"
	Done         State = "DONE"
	Failed       State = "FAILED"
	Cancelled    State = "CANCELLED"
	Ended        State = "ENDED" // the person has left, or nobody was there for Idle
)

// States lists them all.
func States() []State {
	return []State{Start, Review, Opening, QR, App, InApp, Bank, Elsewhere, Returned, PickAccounts, AskCode, AskChoice, AskContact, AskInput, AskEmail, AskWait,
		AskDevice, Reading, Done, Failed, Cancelled, Ended}
}

// Asks reports whether the institution asks for something that is typed, chosen or done.
func (s State) Asks() bool {
	return slices.Contains([]State{AskCode, AskChoice, AskContact, AskInput, AskEmail, AskWait, AskDevice}, s)
}

// Approving reports whether the person is approving, so that the institution is asked how
// it stands.
func (s State) Approving() bool {
	return s.Asks() || slices.Contains([]State{Opening, QR, App, InApp, Bank, Elsewhere, Returned, PickAccounts}, s)
}

// Over reports whether nothing goes on: the person can leave or begin again.
func (s State) Over() bool { return s == Done || s == Failed || s == Cancelled }

// Terms are what the client has said in its link. They never change.
type Terms struct {
	Companies    []string  `json:"companies,omitempty"` // that are offered; nil = all that Products allow
	Products     []Product `json:"products,omitempty"`  // nil = all
	Balances     bool      `json:"balances"`
	Transactions bool      `json:"transactions"`
	ValidDays    int       `json:"validDays,omitempty"`   // of a permission; 0 = the longest
	ConsentOnly  bool      `json:"consentOnly,omitempty"` // nothing is read at once
	Silent       bool      `json:"silent,omitempty"`      // the page that frames this one does not get the data
	Purpose      string    `json:"purpose"`               // after "to", in Language
	Language     string    `json:"language"`              // BCP 47, such as sv
	ReturnURL    string    `json:"returnUrl,omitempty"`   // registered by the client
	Origin       string    `json:"origin,omitempty"`      // of the page that frames this one; registered by the client

	// Renews is the consent that is given again; empty: none. Everything else is as it was
	// agreed then: see RenewalOf.
	Renews consent.ID `json:"renews,omitempty"`
}

// Product is a kind of data, by the way in which it is permitted.
type Product string

// The products.
const (
	Accounts Product = "ACCOUNTS" // accounts of a bank, under a consent
	Wealth   Product = "WEALTH"   // whatever an institution has, by a login
)

// Offers reports whether the terms offer a company. psd2 says that it is used by consents.
func (t Terms) Offers(company string, psd2 bool) bool {
	product := Wealth
	if psd2 {
		product = Accounts
	}
	return (len(t.Companies) == 0 || slices.Contains(t.Companies, company)) && (len(t.Products) == 0 || slices.Contains(t.Products, product))
}

const (
	// Idle is how long a flow stays open that nobody looks at.
	Idle = 30 * time.Minute
	// Held is how long a collection is kept going after the person has closed the page.
	Held = 10 * time.Minute
	// Kept is how long links and flows are stored after they were made.
	Kept = 30 * 24 * time.Hour
)

// Flow is one way of a person through the connect page.
type Flow struct {
	ID       string // UUID
	LinkID   string
	ClientID string
	UserID   string
	Key      string // hash of the secret that a browser has to bring
	Terms    Terms

	State    State
	Company  string // chosen; empty in Start
	Method   string // login method of the approval that goes on, or was made last
	OnDevice bool   // the person wants to sign on the device that shows the page

	ConsentID    consent.ID // of the approval; empty for a login by dialogue
	CollectionID string     // that reads, or in which the person logs in
	Question     string     // id of the open question of an Ask state
	Failure      string     // in Failed: a consent.FailureCode or a collection.Status
	Signed       bool       // the person has approved, and it holds

	CreatedAt time.Time
	StateAt   time.Time // when State began
	SeenAt    time.Time // when the person's browser asked last, as far as it is stored

	Sealed []byte // Typed, sealed under the key of the user; empty in Ended

	Rev int64 // grows with every change; the store compares it, and so do the forms of the page
}

// Typed is what the person has typed, or the client knows of the person, so that it need
// not be typed again.
type Typed struct {
	PersonalNumber string `json:"personalNumber,omitempty"` // 12 digits
	Email          string `json:"email,omitempty"`
	UserID         string `json:"userId,omitempty"` // at the institution
}

// Holds reports whether the collection of the flow is kept going at the time now, although
// its person may have closed the page.
func (f Flow) Holds(now time.Time) bool {
	return f.State == Reading && f.CollectionID != "" && now.Before(f.SeenAt.Add(Held))
}

// Same reports whether another flow differs in nothing that an event changes.
func (f Flow) Same(g Flow) bool {
	return f.State == g.State && f.Company == g.Company && f.Method == g.Method && f.OnDevice == g.OnDevice && f.ConsentID == g.ConsentID &&
		f.CollectionID == g.CollectionID && f.Question == g.Question && f.Failure == g.Failure && f.Signed == g.Signed && bytes.Equal(f.Sealed, g.Sealed)
}
