package grant

import "time"

// Kind is the kind of a token.
type Kind string

// The kinds.
const (
	Client  Kind = "client"  // of client_credentials: for consents only
	Access  Kind = "access"  // for the data of one consent
	Refresh Kind = "refresh" // for new tokens of one consent
)

// Token is a token that the bank issued. The bank stores its hash only.
type Token struct {
	Hash       string    `json:"hash"`
	Kind       Kind      `json:"kind"`
	Client     string    `json:"client"`
	Consent    string    `json:"consent,omitempty"`
	Generation int       `json:"generation,omitempty"`
	Expires    time.Time `json:"expires"`
	// Thumbprint is the SHA-256 of the certificate to which the token is bound (RFC 8705
	// 3), base64url; a refresh token is bound to its client only.
	Thumbprint string `json:"thumbprint,omitempty"`
	// Replaced is when a refresh returned the next refresh token; zero: never.
	Replaced time.Time `json:"replaced,omitzero"`
}

// Lives reports whether the token can be used. consent is that of the token; it is not
// read for a token of a client. grace is how long a refresh token can be used again after
// it was replaced.
func (t Token) Lives(consent Consent, grace time.Duration, now time.Time) bool {
	switch {
	case !now.Before(t.Expires):
		return false
	case t.Kind == Client:
		return true
	case !t.Replaced.IsZero() && now.Sub(t.Replaced) >= grace:
		return false
	}
	return !consent.Deleted && consent.Status == Authorised && consent.Generation == t.Generation && !consent.Expired(now)
}
