package openid_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/oauthtest"
	"samla/internal/institution/oauth/openid"
)

const (
	issuer = "https://bank.example"
	us     = "client-1"
	intent = "aac-71f0"
	code   = oauth.Secret("code-1")
	state  = oauth.Secret("state-1")
	nonce  = oauth.Secret("nonce-1")
)

var noon = oauthtest.Noon

// bank signs tokens with its keys, and publishes them.
type bank struct {
	*oauthtest.Server
	set   atomic.Value // string: the document
	reads atomic.Int32
	down  atomic.Bool
	keys  *openid.Keys
}

func newBank(t testing.TB) *bank {
	t.Helper()
	b := &bank{}
	b.Server = oauthtest.Start(t, func(w http.ResponseWriter, _ *http.Request) {
		b.reads.Add(1)
		if b.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, b.set.Load().(string))
	})
	b.keys = openid.NewKeys(b.Endpoint(t, "/jwks"), b.Clock)
	return b
}

// publish replaces the key set by the public keys of some signers, named k1, k2 and so on.
func (b *bank) publish(signers ...crypto.Signer) {
	var set jose.JSONWebKeySet
	for i, s := range signers {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: s.Public(), KeyID: "k" + string(rune('1'+i)), Use: "sig"})
	}
	document, err := json.Marshal(set)
	if err != nil {
		panic(err)
	}
	b.set.Store(string(document))
}

func (b *bank) verifier(t testing.TB, change ...func(*openid.Config)) *openid.Verifier {
	t.Helper()
	c := openid.Config{Keys: b.keys, Issuer: issuer, ClientID: us, Clock: b.Clock}
	for _, f := range change {
		f(&c)
	}
	v, err := openid.NewVerifier(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// half is the hash of a value as the RFCs have it, computed another way than the product's.
func half(s oauth.Secret) string {
	h := sha256.New()
	h.Write([]byte(s.Reveal()))
	return strings.TrimRight(base64.URLEncoding.EncodeToString(h.Sum(nil)[:16]), "=")
}

// good are the claims of a token that answers our request.
func good() map[string]any {
	return map[string]any{
		"iss": issuer, "aud": us, "sub": "person-1", "exp": noon.Unix() + 300, "iat": noon.Unix(), "nonce": nonce.Reveal(),
		"c_hash": half(code), "s_hash": half(state), "openbanking_intent_id": intent, "acr": "urn:openbanking:psd2:sca",
	}
}

// with returns the claims with changes; nil removes one.
func with(changes map[string]any) map[string]any {
	c := good()
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// now returns good claims of the present time.
func (b *bank) now() map[string]any {
	return with(map[string]any{"iat": b.Clock.Now().Unix(), "exp": b.Clock.Now().Unix() + 60})
}

var expected = openid.Expected{Nonce: nonce, Code: code, State: state, StateHash: true, Intent: intent, ACR: openid.OBIEACR()}

func sign(t testing.TB, key crypto.Signer, algorithm, id string, claims map[string]any) oauth.Secret {
	t.Helper()
	s, err := oauth.NewSigner(key, algorithm, id)
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// handmade makes a token of a header and claims as they are, with a signature over both.
func handmade(header, claims string, signature func(text string) []byte) oauth.Secret {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	return oauth.Secret(text + "." + base64.RawURLEncoding.EncodeToString(signature(text)))
}

// byHMAC signs with a shared secret: RFC 7515's HS256.
func byHMAC(secret []byte) func(string) []byte {
	return func(text string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
}

// coordinates returns x and y of a P-256 key in base64url.
func coordinates(t testing.TB, key crypto.Signer) (x, y string) {
	t.Helper()
	point, err := key.Public().(*ecdsa.PublicKey).Bytes() // 4, x, y (SEC 1 2.3.3)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:])
}

func isFault(err error, want openid.Fault) bool {
	var f openid.Fault
	return errors.As(err, &f) && f == want
}

// byKey signs with P-256: RFC 7515's ES256.
func byKey(t testing.TB, key crypto.Signer) func(string) []byte {
	return func(text string) []byte {
		sum := sha256.Sum256([]byte(text))
		r, s, err := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
}
