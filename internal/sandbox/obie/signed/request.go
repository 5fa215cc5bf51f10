// Package signed reads and writes the signed messages of a simulated OBIE bank: request
// objects and assertions of clients, id_tokens and keys of the bank (FAPI 1 Advanced).
//
// Sources: docs/reference/families.md 4.2, 15.2; OpenID Connect Core 1.0; RFC 7523.
package signed

import (
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// algorithms are those that the bank accepts (FAPI 1 Advanced 8.6, without ES256).
var algorithms = []jose.SignatureAlgorithm{jose.PS256}

// skew is how far a client's clock may differ.
const skew = time.Minute

// maxRequestLife is the longest time from nbf to exp of a request object.
const maxRequestLife = time.Hour

var (
	// ErrSignature is returned for a message that its client did not sign: nothing in it
	// can be believed.
	ErrSignature = errors.New("signed: the signature is not one of the client's")
	// ErrClaims is wrapped by the errors about a message that its client signed and that
	// breaks a rule. Their texts contain nothing of the message.
	ErrClaims = errors.New("signed: a claim is wrong")
)

// ruleError is an error about a claim. It unwraps to ErrClaims.
type ruleError string

func (e ruleError) Error() string { return string(e) }
func (ruleError) Unwrap() error   { return ErrClaims }

// Request is what a request object asks for.
type Request struct {
	Issuer          string          `json:"iss"`
	Audience        jwt.Audience    `json:"aud"`
	ClientID        string          `json:"client_id"`
	ResponseType    string          `json:"response_type"`
	ResponseMode    string          `json:"response_mode"`
	Scope           string          `json:"scope"`
	RedirectURI     string          `json:"redirect_uri"`
	State           string          `json:"state"`
	Nonce           string          `json:"nonce"`
	Challenge       string          `json:"code_challenge"`
	ChallengeMethod string          `json:"code_challenge_method"`
	NotBefore       jwt.NumericDate `json:"nbf"`
	Expires         jwt.NumericDate `json:"exp"`
	Claims          struct {
		IDToken struct {
			Intent struct {
				Value     string `json:"value"`
				Essential bool   `json:"essential"`
			} `json:"openbanking_intent_id"`
			ACR struct {
				Values []string `json:"values"`
			} `json:"acr"`
		} `json:"id_token"`
	} `json:"claims"`
}

// ACRs are the classes of authentication that the bank offers, the best first.
var ACRs = []string{"urn:openbanking:psd2:sca", "urn:openbanking:psd2:ca"}

// ReadRequest verifies that one of the client's keys signed the request object and
// returns what it asks for. The error is ErrSignature. It says nothing about the claims:
// Check does.
func ReadRequest(text string, keys jose.JSONWebKeySet) (Request, error) {
	var r Request
	if err := read(text, keys, &r); err != nil {
		return Request{}, ErrSignature
	}
	return r, nil
}

// read verifies a JWT of a client whose header names one of the keys.
func read(text string, keys jose.JSONWebKeySet, claims any) error {
	token, err := jwt.ParseSigned(text, algorithms)
	if err != nil {
		return err
	}
	if len(token.Headers) != 1 || token.Headers[0].KeyID == "" {
		return ErrSignature
	}
	found := keys.Key(token.Headers[0].KeyID)
	if len(found) != 1 {
		return ErrSignature
	}
	return token.Claims(found[0].Key, claims)
}

// Check returns an error that wraps ErrClaims if a claim breaks a rule of
// docs/reference/families.md 4.2, step 3. It does not check the redirect URI and the
// consent, which only the bank knows. pkce: a challenge is required.
func (r Request) Check(client, issuer string, pkce bool, now time.Time) error {
	notBefore, expires := r.NotBefore.Time(), r.Expires.Time()
	scopes := fields(r.Scope)
	switch {
	case r.Issuer != client || r.ClientID != client:
		return ruleError("iss and client_id must be the client")
	case !r.Audience.Contains(issuer):
		return ruleError("aud must be the issuer of the bank")
	case r.NotBefore == 0 || r.Expires == 0:
		return ruleError("nbf and exp are required")
	case expires.Sub(notBefore) > maxRequestLife:
		return ruleError("exp must be at most 60 minutes after nbf")
	case now.Before(notBefore.Add(-skew)):
		return ruleError("nbf has not come yet")
	case !now.Before(expires):
		return ruleError("exp has passed")
	case r.ResponseType != "code id_token":
		return ruleError("response_type must be code id_token")
	case r.ResponseMode != "" && r.ResponseMode != "fragment":
		return ruleError("response_mode must be fragment")
	case !slices.Contains(scopes, "openid") || !slices.Contains(scopes, "accounts"):
		return ruleError("scope must contain openid and accounts")
	case r.Nonce == "":
		return ruleError("nonce is required")
	case r.Claims.IDToken.Intent.Value == "" || !r.Claims.IDToken.Intent.Essential:
		return ruleError("openbanking_intent_id must be an essential claim with a value")
	case r.ACR() == "":
		return ruleError("no acr that this bank offers")
	}
	switch {
	case r.Challenge == "" && pkce:
		return ruleError("code_challenge is required")
	case r.Challenge == "" && r.ChallengeMethod != "", r.Challenge != "" && r.ChallengeMethod != "S256":
		return ruleError("code_challenge_method must be S256")
	case r.Challenge != "" && len(r.Challenge) != 43:
		return ruleError("code_challenge is not a SHA-256 in base64url")
	}
	return nil
}

// ACR is the best class that the client accepts and the bank offers; the client accepts
// any if it names none.
func (r Request) ACR() string {
	wanted := r.Claims.IDToken.ACR.Values
	for _, offered := range ACRs {
		if len(wanted) == 0 || slices.Contains(wanted, offered) {
			return offered
		}
	}
	return ""
}
