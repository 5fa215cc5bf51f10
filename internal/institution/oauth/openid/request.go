package openid

import (
	"cmp"
	"errors"
	"maps"
	"time"

	"samla/internal/institution/oauth"
)

// RequestObject is an authorization request that we sign (RFC 9101; FAPI 1 part 2 5.2.2;
// docs/reference/families.md 4.2 step 3). Members that are empty are left out.
type RequestObject struct {
	ClientID     string
	Audience     string // the issuer of the bank
	ResponseType string // "" = "code id_token"
	RedirectURI  string
	Scope        string // "" = "openid accounts"
	State, Nonce oauth.Secret
	Challenge    string // the S256 challenge of the verifier; "" = no PKCE
	Intent       string // the ConsentId, as openbanking_intent_id
	// ACR are the values of acr, of which the id_token must have one (Expected.ACR); empty =
	// none is asked for.
	ACR   []string
	Life  time.Duration  // how long the person can use the link; 0 = 15 minutes; at most 59 minutes
	Extra map[string]any // more claims; they replace ours of the same name
}

// backdate makes nbf earlier than now: a bank whose clock is behind ours would refuse the
// request. With maxLife, exp is at most 60 minutes after nbf (FAPI 1 part 2 5.2.2 no. 13).
const (
	backdate    = time.Minute
	maxLife     = 59 * time.Minute
	defaultLife = 15 * time.Minute
)

// OBIEACR returns the values of acr of OBIE (docs/reference/families.md 4.2 step 3).
func OBIEACR() []string { return []string{"urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"} }

// Sign returns the signed request, the member "request" of the address. Errors: the life is
// too long; the key cannot sign.
func (r RequestObject) Sign(s *oauth.Signer, now time.Time) (oauth.Secret, error) {
	life := cmp.Or(r.Life, defaultLife)
	if life < 0 || life > maxLife {
		return "", errors.New("openid: a request object is valid for at most 59 minutes")
	}
	all := map[string]any{
		"iss": r.ClientID, "client_id": r.ClientID, "aud": r.Audience, "response_type": cmp.Or(r.ResponseType, "code id_token"),
		"redirect_uri": r.RedirectURI, "scope": cmp.Or(r.Scope, "openid accounts"), "state": r.State.Reveal(), "nonce": r.Nonce.Reveal(),
		"iat": now.Unix(), "nbf": now.Add(-backdate).Unix(), "exp": now.Add(life).Unix(),
	}
	if r.Challenge != "" {
		all["code_challenge"], all["code_challenge_method"] = r.Challenge, "S256"
	}
	if r.Intent != "" {
		claims := map[string]any{"openbanking_intent_id": map[string]any{"value": r.Intent, "essential": true}}
		if len(r.ACR) > 0 {
			claims["acr"] = map[string]any{"essential": true, "values": r.ACR}
		}
		all["claims"] = map[string]any{"id_token": claims}
	}
	maps.Copy(all, r.Extra)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == "" })
	return s.Sign(all)
}
