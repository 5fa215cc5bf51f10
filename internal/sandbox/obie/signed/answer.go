package signed

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Variant is an answer that a client must refuse (docs/reference/families.md 15.2, O6).
type Variant string

// The variants. Each differs from a right answer in one thing.
const (
	WrongNonce     Variant = "wrongNonce"     // nonce of the id_token
	NoNonce        Variant = "noNonce"        // no nonce in the id_token
	WrongCodeHash  Variant = "wrongCodeHash"  // c_hash
	NoCodeHash     Variant = "noCodeHash"     // no c_hash
	WrongStateHash Variant = "wrongStateHash" // s_hash
	OtherIntent    Variant = "otherIntent"    // openbanking_intent_id
	NoIntent       Variant = "noIntent"       // no openbanking_intent_id
	ExpiredToken   Variant = "expiredToken"   // exp of the id_token
	FutureToken    Variant = "futureToken"    // iat of the id_token is a day ahead
	WrongAudience  Variant = "wrongAudience"  // aud of the id_token
	WrongIssuer    Variant = "wrongIssuer"    // iss of the id_token: the mix-up of two banks
	OtherIssuer    Variant = "otherIssuer"    // member iss beside the code (RFC 9207)
	UnsignedToken  Variant = "unsignedToken"  // alg none
	HMACToken      Variant = "hmacToken"      // alg HS256, keyed with the bank's public key
	UnknownKey     Variant = "unknownKey"     // signed by a key that the bank does not publish
	KnownKeyID     Variant = "knownKeyId"     // the same, under the kid of a key that it publishes
	ChangedToken   Variant = "changedToken"   // a claim changed after the signature
	WrongState     Variant = "wrongState"     // state beside the code
	NoState        Variant = "noState"        // no state beside the code
	ForeignCode    Variant = "foreignCode"    // the code of another session
	NoIDToken      Variant = "noIdToken"      // a code without an id_token
	InQuery        Variant = "inQuery"        // the right answer in the query, where logs see it
)

// Variants returns all variants.
func Variants() []Variant {
	return []Variant{
		WrongNonce, NoNonce, WrongCodeHash, NoCodeHash, WrongStateHash, OtherIntent, NoIntent, ExpiredToken, FutureToken,
		WrongAudience, WrongIssuer, OtherIssuer, UnsignedToken, HMACToken, UnknownKey, KnownKeyID, ChangedToken,
		WrongState, NoState, ForeignCode, NoIDToken, InQuery,
	}
}

// Known reports whether there is such a variant.
func (v Variant) Known() bool { return slices.Contains(Variants(), v) }

// Answer is what the bank sends back through the browser.
type Answer struct {
	Token       IDToken // without the hashes of code and state
	Code        string
	ForeignCode string // the code of another session, for that variant
	State       string
	Issuer      string // member iss beside the code; empty: none
	Key         Key
	OtherKey    Key // a key that the bank does not publish
}

// Redirect returns the address to send the browser to: redirectURI with the answer in its
// fragment. v is the zero value for a right answer.
func (a Answer) Redirect(redirectURI string, v Variant) (string, error) {
	t := a.Token
	t.CodeHash = HalfHash(a.Code)
	if a.State != "" {
		t.StateHash = HalfHash(a.State)
	}
	t.change(v)
	text, err := t.signAs(v, a.Key, a.OtherKey)
	if err != nil {
		return "", err
	}
	q := url.Values{"code": {a.Code}, "id_token": {text}}
	set(q, "state", a.State)
	set(q, "iss", a.Issuer)
	switch v {
	case WrongState:
		q.Set("state", a.State+"0")
	case NoState:
		q.Del("state")
	case OtherIssuer:
		q.Set("iss", t.Issuer+"-other")
	case ForeignCode:
		q.Set("code", a.ForeignCode)
	case NoIDToken:
		q.Del("id_token")
	case InQuery:
		return appendQuery(redirectURI, q), nil
	}
	return redirectURI + "#" + q.Encode(), nil
}

// ErrorRedirect returns the address that tells a client of an error (RFC 6749 4.2.2.1).
func ErrorRedirect(redirectURI, code, description, state, issuer string) string {
	q := url.Values{"error": {code}}
	set(q, "error_description", description)
	set(q, "state", state)
	set(q, "iss", issuer)
	return redirectURI + "#" + q.Encode()
}

func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

func appendQuery(redirectURI string, q url.Values) string {
	if strings.Contains(redirectURI, "?") {
		return redirectURI + "&" + q.Encode()
	}
	return redirectURI + "?" + q.Encode()
}

// change makes the claims wrong.
func (t *IDToken) change(v Variant) {
	switch v {
	case WrongNonce:
		t.Nonce += "0"
	case NoNonce:
		t.Nonce = ""
	case WrongCodeHash:
		t.CodeHash = HalfHash(t.CodeHash)
	case NoCodeHash:
		t.CodeHash = ""
	case WrongStateHash:
		t.StateHash = HalfHash(t.StateHash)
	case OtherIntent:
		t.Intent += "0"
	case NoIntent:
		t.Intent = ""
	case ExpiredToken:
		t.Expires, t.IssuedAt = shift(t.Expires, -time.Hour), shift(t.IssuedAt, -time.Hour)
	case FutureToken:
		t.Expires, t.IssuedAt = shift(t.Expires, 24*time.Hour), shift(t.IssuedAt, 24*time.Hour)
	case WrongAudience:
		t.Audience += "-other"
	case WrongIssuer:
		t.Issuer += "-other"
	}
}

func shift(d jwt.NumericDate, by time.Duration) jwt.NumericDate {
	return *jwt.NewNumericDate(d.Time().Add(by))
}

func (t IDToken) signAs(v Variant, key, other Key) (string, error) {
	switch v {
	case UnsignedToken:
		return unsigned(key.ID, t)
	case HMACToken:
		public, err := x509.MarshalPKIXPublicKey(key.private.Public())
		if err != nil {
			return "", fmt.Errorf("signed: %w", err)
		}
		return serialise(jose.HS256, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), key.ID, t)
	case UnknownKey:
		return t.Sign(other)
	case KnownKeyID:
		return t.Sign(Key{ID: key.ID, private: other.private})
	case ChangedToken:
		text, err := t.Sign(key)
		if err != nil {
			return "", err
		}
		t.AuthTime = shift(t.AuthTime, -time.Second)
		payload, err := json.Marshal(t)
		parts := strings.Split(text, ".")
		parts[1] = base64.RawURLEncoding.EncodeToString(payload)
		return strings.Join(parts, "."), err
	}
	return t.Sign(key)
}

// unsigned returns the claims as an unsecured JWT (RFC 7519 6), which no library offers to
// write.
func unsigned(id string, claims any) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "none", "kid": id})
	if err != nil {
		return "", fmt.Errorf("signed: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("signed: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload) + ".", nil
}
