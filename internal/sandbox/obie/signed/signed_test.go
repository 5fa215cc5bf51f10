package signed_test

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"
	"time"

	"samla/internal/sandbox/obie/signed"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// RFC 7638 3.1 has the key and its thumbprint.
func TestKeyID_IsThumbprint(t *testing.T) {
	var k jose.JSONWebKey
	const text = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}`
	if err := k.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if id, err := signed.KeyID(k.Key); err != nil || id != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Errorf("%s %v", id, err)
	}
}

// The example of OpenID Connect Core 1.0, A.3 and A.4.
func TestHalfHash(t *testing.T) {
	if got := signed.HalfHash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"); got != "LDktKdoQak3Pk0cnXxCltA" {
		t.Errorf("c_hash %s", got)
	}
	if got := signed.HalfHash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"); got != "77QmUPtjPfzWtF2AnpK9RQ" {
		t.Errorf("at_hash %s", got)
	}
}

// Whatever comes as a request object or an assertion: without a signature of the client it
// is refused, and nothing of it is believed.
func FuzzReadRequest(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	id, err := signed.KeyID(key.Public())
	if err != nil {
		f.Fatal(err)
	}
	keys := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: id}}}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	good, err := jwt.Signed(s).Claims(map[string]any{"iss": "c", "sub": "c", "client_id": "c", "nbf": 1, "exp": 2}).Serialize()
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{good, "", ".", "..", good + "A", "eyJhbGciOiJub25lIn0.e30.", "{}", good[:len(good)/2]} {
		f.Add(text)
	}
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := signed.ReadRequest(text, keys)
		if err != nil && (!errors.Is(err, signed.ErrSignature) || r.ClientID != "") {
			t.Errorf("%v %+v", err, r)
		}
		if err == nil && r.ClientID != "c" {
			t.Errorf("a request that nobody signed: %+v", r)
		}
		if err == nil {
			_ = r.Check("c", "i", true, now)
		}
		signed.AssertionClient(text)
		if _, err := signed.ReadAssertion(text, "c", keys, []string{"a"}, now); err == nil || !errors.Is(err, signed.ErrSignature) && !errors.Is(err, signed.ErrClaims) {
			t.Errorf("assertion: %v", err)
		}
	})
}
