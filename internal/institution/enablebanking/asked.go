package enablebanking

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// asked is what a consent was opened for. Until the person has signed there is no session:
// its text is the id of the consent.
type asked struct {
	Request      string    `json:"request,omitempty"` // which asked for it: no two consents have one id
	Balances     bool      `json:"balances,omitempty"`
	Transactions bool      `json:"transactions,omitempty"`
	Accounts     []string  `json:"accounts,omitempty"` // numbers; none = those that the person shares
	Until        time.Time `json:"until"`              // end of the session
}

// askedPrefix begins an id that is no session's.
const askedPrefix = "asked."

// validityMargin is left of the most that a session can last: the gateway's clock may be
// behind ours.
const validityMargin = 10 * time.Minute

// askedBy returns what is asked for. The session ends with the last day that was requested,
// or when the longest session at the bank does.
func (b *Bank) askedBy(r institution.OpenRequest) asked {
	a := asked{Request: r.RequestID, Balances: r.Scope.Balances, Transactions: r.Scope.Transactions, Accounts: r.Scope.AccountIDs}
	year, month, day := r.ValidUntil.UTC().Date()
	a.Until = time.Date(year, month, day, 23, 59, 59, 0, time.UTC)
	longest := b.clock.Now().UTC().Add(time.Duration(b.entry().Validity)*time.Second - validityMargin).Truncate(time.Second)
	if a.Until.After(longest) {
		a.Until = longest
	}
	return a
}

func (a asked) id() (consent.RemoteID, error) {
	text, err := json.Marshal(a)
	return consent.RemoteID(askedPrefix + base64.RawURLEncoding.EncodeToString(text)), err
}

// askedIn returns what the consent of an id was opened for, and reports whether the id is
// that of a consent without a session.
func askedIn(id consent.RemoteID) (asked, bool) {
	encoded, ok := strings.CutPrefix(string(id), askedPrefix)
	if !ok {
		return asked{}, false
	}
	var a asked
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || json.Unmarshal(text, &a) != nil || a.Until.IsZero() {
		return asked{}, false
	}
	return a, true
}
