package consent

import (
	"time"

	"samla/internal/psu"
)

// Secret is the part of a consent that is stored sealed: the context of the person,
// the ids and the token at the bank, and the instructions.
type Secret struct {
	psu.Context // of the request for the consent

	RemoteID        RemoteID `json:"bank,omitempty"`  // consentId at the bank
	AuthorizationID string   `json:"auth,omitempty"`  // authorisationId at the bank
	StatusLink      string   `json:"link,omitempty"`  // institution.Authorization.StatusLink
	Token           string   `json:"token,omitempty"` // bearer token; empty if the bank issues none

	// OpenSent: a request to open the consent may have reached the bank, but there
	// was no response. The bank may have a consent whose id is not known here.
	OpenSent bool `json:"openSent,omitempty"`

	Instructions *Instructions `json:"do,omitempty"` // the first ones of the authorization

	StartedAt time.Time `json:"started,omitzero"`  // when the authorization began to wait, or when another one was decided on
	Renewed   int       `json:"renewed,omitempty"` // authorizations that were started after the first
	Expired   bool      `json:"over,omitempty"`    // the authorization ended unscanned, and no other one has started yet
	Outdated  bool      `json:"old,omitempty"`     // Instructions are of an authorization before this one

	// Way is the person's way to the page of the institution; nil if there is none. Exchange
	// is what came back by it and is not finished.
	Way      *Way      `json:"way,omitempty"`
	Exchange *Exchange `json:"exchange,omitempty"`
	// LoginDone: the person has logged in before the consent is opened, where the
	// institution wants that.
	LoginDone bool `json:"loginDone,omitempty"`
	// Chooses: the person chooses the accounts, where the bank lists them before the consent
	// is opened. Listed are those, until the person has chosen.
	Chooses bool      `json:"chooses,omitempty"`
	Listed  []Account `json:"listed,omitempty"`
	// Silent: the bank tells nothing until the person comes back.
	Silent bool `json:"silent,omitempty"`
	// Signer is the personal number of who has signed; empty if the institution did not say.
	Signer psu.Number `json:"signer,omitempty"`
	// Judged: whether it is known who has given the authorized consent (Consent.Person) was
	// decided. False in those that an older version has stored.
	Judged bool `json:"judged,omitempty"`
	// PartlySigned: the person has signed, and somebody else has to.
	PartlySigned bool `json:"partly,omitempty"`

	Tokens     Tokens      `json:"tokens,omitzero"`
	Refreshing *Refreshing `json:"refreshing,omitempty"` // a worker replaces Tokens
	Denial     *Denial     `json:"denial,omitempty"`     // the bank has refused to
	// Refused: the bank has refused a collection an access token that nothing replaces, or
	// that it had just given.
	Refused *Denial `json:"refused,omitempty"`

	// ReadsPerDay is how often the bank lets the authorized consent be read in a day
	// without the person, if that is less than the law allows; else 0.
	ReadsPerDay int `json:"reads,omitempty"`
}

// Instructions are what the person needs to authorize the consent (AuthInstructions
// of docs/reference/api.md 4.1). Members that the bank does not give are empty.
type Instructions struct {
	AutoStartToken string      `json:"token,omitempty"`
	QRData         string      `json:"qr,omitempty"`       // text of the QR code, as of RefreshedAt
	QRImage        string      `json:"image,omitempty"`    // PNG image in base64, made by the bank
	QRStartToken   string      `json:"qrToken,omitempty"`  // with QRSecret: QRData is computed each second (docs/reference/banks.md 12.5)
	QRSecret       string      `json:"qrSecret,omitempty"` // never leaves this server
	QRStartedAt    time.Time   `json:"qrAt,omitzero"`
	RedirectURL    string      `json:"redirect,omitempty"` // of the bank; the person is shown an address of ours that leads there
	Start          string      `json:"start,omitempty"`    // address of ours that leads to RedirectURL
	RefreshedAt    time.Time   `json:"at,omitzero"`
	ExpiresAt      time.Time   `json:"until,omitzero"`
	UserMessage    UserMessage `json:"msg,omitzero"`
}

// Usable reports whether there is anything that the person can act on.
func (i Instructions) Usable() bool {
	return i.AutoStartToken != "" || i.QRData != "" || i.QRImage != "" || i.QRSecret != "" || i.RedirectURL != "" || i.Start != ""
}

// IsOrder reports whether there is data of a BankID order, which runs out unless it is
// scanned or opened in time.
func (i Instructions) IsOrder() bool { return i.AutoStartToken != "" || i.HasCode() }

// HasCode reports whether there is a code to scan.
func (i Instructions) HasCode() bool { return i.QRData != "" || i.QRImage != "" || i.QRSecret != "" }

// UserMessage is a BankID message code and its text in the person's language.
type UserMessage struct {
	Code string `json:"code,omitempty"` // RFAn
	Text string `json:"text,omitempty"`
}
