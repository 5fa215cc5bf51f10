package consent

import (
	"time"

	"samla/internal/psu"
)

// Secret is the part of a consent that is only ever stored sealed: what the
// person told us, what opens the bank, and what the person has to do.
type Secret struct {
	psu.Context // as the consent was asked for

	RemoteID        RemoteID `json:"bank,omitempty"`  // the bank's consentId
	AuthorizationID string   `json:"auth,omitempty"`  // the bank's authorisationId
	StatusLink      string   `json:"link,omitempty"`  // where the bank wants the authorisation read
	Token           string   `json:"token,omitempty"` // bearer token, where a bank gives one

	// OpenSent says that an attempt to open the consent may have reached the bank
	// and was not answered: there may be a consent whose id is not known.
	OpenSent bool `json:"openSent,omitempty"`

	Instructions *Instructions `json:"do,omitempty"` // as the bank last gave them
}

// Instructions tell the person what to do to authorise (AuthInstructions of
// docs/reference/api.md 4.1). Banks differ in what they give; empty members were not given.
type Instructions struct {
	AutoStartToken string      `json:"token,omitempty"`
	QRData         string      `json:"qr,omitempty"`       // text to encode, as of RefreshedAt
	QRImage        string      `json:"image,omitempty"`    // base64 PNG made by the bank
	QRStartToken   string      `json:"qrToken,omitempty"`  // with QRSecret: we compute QRData each second (docs/reference/banks.md 12.5)
	QRSecret       string      `json:"qrSecret,omitempty"` // never leaves this server
	QRStartedAt    time.Time   `json:"qrAt,omitzero"`
	RedirectURL    string      `json:"redirect,omitempty"`
	RefreshedAt    time.Time   `json:"at,omitzero"`
	ExpiresAt      time.Time   `json:"until,omitzero"`
	UserMessage    UserMessage `json:"msg,omitzero"`
}

// UserMessage is a BankID message code and its text in the person's language.
type UserMessage struct {
	Code string `json:"code,omitempty"` // RFAn
	Text string `json:"text,omitempty"`
}
