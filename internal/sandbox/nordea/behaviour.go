package nordea

import "time"

// Rotation is what a refresh does with the refresh token.
type Rotation int

// The kinds. What Nordea does is not documented (docs/reference/families.md 3.4, U).
const (
	// KeepRefreshToken: the answer has the same refresh token again.
	KeepRefreshToken Rotation = iota
	// RotateRefreshToken: the answer has a new one, and the old one is used up.
	RotateRefreshToken
)

// Behaviour is the configuration of a bank: what Nordea's texts leave open or have
// changed over the years.
type Behaviour struct {
	Company     string // company id, also the first segment of its paths
	DisplayName string
	BankID      string // three digits of its Swedish IBANs (docs/reference/banks.md 14.2)

	SkipSignature      bool // SKIP_SIGNATURE_VALIDATION_FOR_SANDBOX is accepted as Signature
	RequireCertificate bool // a client certificate is required; one that is sent is always checked

	MaxMinutes     int  // longest duration: 129600 until July 2023, 259200 since
	MaxMonths      int  // longest max_tx_history
	CardsDecoupled bool // the scopes of cards can be authorised without a redirect
	// CancelledStatus: a login that failed is answered with 200 and the status cancelled,
	// as in the newer files, instead of 400.
	CancelledStatus bool

	AccessLife time.Duration // of access tokens
	Rotation   Rotation
	// RotationGrace is how long after its rotation a refresh token can be used once more,
	// unless the new one has been used; 0: never.
	RotationGrace time.Duration
	// ShortRefresh: the answer to a refresh has neither refresh_token nor expires_in.
	ShortRefresh bool

	PageSize   int // transactions on a page
	DailyLimit int // unattended reads of a resource in 24 hours; RTS art. 36(5)
	Burst      int // calls of an application in a second, beyond which the gateway refuses; 0: no limit
	// FullHistoryFor is how long after the person signed transactions older than 90 days can
	// be read with the person present; 0: as long as the grant lasts.
	FullHistoryFor time.Duration
}

// DefaultBank returns the bank that the sandbox runs unless configured otherwise.
func DefaultBank() Behaviour {
	return Behaviour{
		Company: "se-demo-nordea", DisplayName: "Demo bank (Nordea)", BankID: "300",
		MaxMinutes: 259_200, MaxMonths: 12, AccessLife: time.Hour, Rotation: RotateRefreshToken,
		PageSize: 50, DailyLimit: 4,
	}
}

// Limits that are the same for every bank (docs/reference/families.md 15.1).
const (
	maxSkew        = 5 * time.Minute // of X-Nordea-Originating-Date
	pageLife       = 15 * time.Minute
	pollEvery      = 2 * time.Second
	unattendedDays = 90
	dayLength      = 24 * time.Hour
	defaultMonths  = 2
)
