package authn

import (
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"samla/internal/clock"
	"samla/internal/lru"
	"samla/internal/uuid7"
)

// It has no store: its keys are read, and stay young by its clock.
func FuzzAuthenticateToken(f *testing.F) {
	const kid, user = "key-1", "user-1"
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: private, KeyID: kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		f.Fatal(err)
	}
	clk := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	a := &Authenticator{clk: clk, ids: uuid7.NewGenerator(clk, rand.Reader), issuer: "issuer", audience: "audience", life: time.Hour,
		signing: &signing{clk: clk}, sessions: lru.New[[32]byte, verifiedToken](clk, tokenCacheSize, tokenCacheAge)}
	a.signing.cached.Store(&keySet{readAt: clk.Now(), public: map[string]ed25519.PublicKey{kid: public}, signer: signer})
	token, _, err := a.IssueToken(f.Context(), "client-1", user)
	if err != nil {
		f.Fatal(err)
	}
	ask := func(token string) (Identity, bool) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Authorization"] = []string{"Bearer " + token}
		id, fault := a.Authenticate(r)
		return id, fault == nil
	}
	if id, valid := ask(token); !valid || id.UserID != user {
		f.Fatalf("its own token is not valid: %+v", id)
	}
	f.Add(token)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if id, valid := ask(token); valid && id.UserID != user {
			t.Errorf("%q is valid for %+v", token, id)
		}
	})
}
