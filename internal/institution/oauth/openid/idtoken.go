// Package openid is what the connectors need of OpenID Connect and FAPI 1 as a client, on
// top of package oauth: the keys of a server, the check of the tokens that it signs
// (id_token, and the secured answer of JARM), and our signed request objects
// (docs/reference/families.md 4.2).
package openid

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"samla/internal/institution/oauth"
)

// Expected is what we know of the request that an id_token answers.
type Expected struct {
	Nonce oauth.Secret // must be in the token
	// Refreshed says that the token came with a refresh. Such a token need not repeat the
	// nonce, which need not be known any more: it is compared where both are there
	// (OpenID Connect Core 12.2).
	Refreshed bool
	// Code is the code that came with the token: its hash must be in the token. Empty for a
	// token of the token endpoint, which TLS protects.
	Code oauth.Secret
	// State is ours. If its hash is in the token, it must be right.
	State oauth.Secret
	// StateHash demands that hash (FAPI 1 part 2, 5.2.3: s_hash).
	StateHash bool
	Access    oauth.Secret // an access token that came with it; at_hash must be right if it is there
	Intent    string       // the ConsentId that openbanking_intent_id must have; "" = not checked
	// ACR are the values of acr that were asked for as essential: the token must have one of
	// them (OpenID Connect Core 5.5.1.1; FAPI 1 part 1 5.2.3). Empty = not checked.
	ACR []string
	// Subject is the sub of an earlier token of the same login; "" = not checked
	// (OpenID Connect Core 3.3.3.6, 12.2).
	Subject string
}

// IDToken is an id_token that was accepted.
type IDToken struct {
	Subject string
	// RefreshUntil is refresh_token_expires_at (docs/reference/families.md 4.2); zero = not said.
	RefreshUntil time.Time
	AuthTime     time.Time // when the person logged in; zero = not said
	ACR          string
}

// maxAge is how old an id_token may be: the person comes back with it at once, and a token
// of the token endpoint is new.
const maxAge = time.Hour

// IDToken checks an id_token (OpenID Connect Core 3.1.3.7, 3.3.2.11, FAPI 1 part 2 5.2.2.1).
// Errors: *institution.Error: of kind SCARequired with a Fault as its cause, or that
// of reading the keys.
func (v *Verifier) IDToken(ctx context.Context, token oauth.Secret, e Expected) (IDToken, error) {
	c, err := v.open(ctx, "id_token", token)
	if err != nil {
		return IDToken{}, err
	}
	if fault := e.check(c, v.c.Clock.Now()); fault != "" {
		return IDToken{}, refuse("id_token", fault)
	}
	return IDToken{
		Subject: c.text("sub"), ACR: c.text("acr"),
		RefreshUntil: oauth.Moment(c["refresh_token_expires_at"]), AuthTime: oauth.Moment(c["auth_time"]),
	}, nil
}

func (e Expected) check(c claims, now time.Time) Fault {
	_, hasStateHash := c["s_hash"]
	_, hasAccessHash := c["at_hash"]
	issued := oauth.Moment(c["iat"])
	switch {
	case issued.IsZero() || now.Sub(issued) > maxAge:
		return NotYet
	case !e.nonceIs(oauth.Secret(c.text("nonce"))):
		return WrongNonce
	case e.Code != "" && !hashIs(c, "c_hash", e.Code):
		return WrongCode
	case (hasStateHash || e.StateHash) && !hashIs(c, "s_hash", e.State):
		return WrongState
	case hasAccessHash && e.Access != "" && !hashIs(c, "at_hash", e.Access):
		return WrongAccess
	case e.Intent != "" && c.text("openbanking_intent_id") != e.Intent:
		return WrongIntent
	case c.text("sub") == "", e.Subject != "" && c.text("sub") != e.Subject:
		return WrongSubject
	case len(e.ACR) > 0 && !slices.Contains(e.ACR, c.text("acr")):
		return WrongACR
	}
	return ""
}

func (e Expected) nonceIs(nonce oauth.Secret) bool {
	return e.Nonce.Is(nonce) || e.Refreshed && (e.Nonce == "" || nonce == "")
}

// hashIs reports whether a member is the left half of the SHA-256 of a value in base64url.
// All allowed algorithms have SHA-256 (OpenID Connect Core 3.3.2.11).
func hashIs(c claims, member string, value oauth.Secret) bool {
	sum := sha256.Sum256([]byte(value.Reveal()))
	return oauth.Secret(base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])).Is(oauth.Secret(c.text(member)))
}
