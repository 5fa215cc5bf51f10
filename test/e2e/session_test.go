package e2e

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"samla/internal/fault"
)

// sessionTokens: a session token can be verified with the published keys and the standard
// library only (docs/reference/api.md 1.3).
func sessionTokens(t *testing.T, w *env) {
	user, _ := w.backend.User(t)
	token := strings.TrimPrefix(w.backend.session(t, user).Header.Get("Authorization"), "Bearer ")
	res, err := http.Get(w.Server.URL() + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s %v", res.Status, err)
	}
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X, D string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal("the token does not have three parts")
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Aud, Sub, Jti string
		ClientID           string `json:"client_id"`
		Iat, Nbf, Exp      int64
	}
	decodeJSON(t, parts[0], &header)
	decodeJSON(t, parts[1], &claims)
	verified := false
	for _, k := range set.Keys {
		if k.D != "" || k.Kty != "OKP" || k.Crv != "Ed25519" {
			t.Error("a published key is not an Ed25519 key, or has a private part")
		}
		if k.Kid == header.Kid {
			verified = ed25519.Verify(ed25519.PublicKey(decodeBase64(t, k.X)), []byte(parts[0]+"."+parts[1]), decodeBase64(t, parts[2]))
		}
	}
	if !verified || header.Alg != "EdDSA" {
		t.Errorf("the signature is invalid: %+v", header)
	}
	now := w.clock.Now().Unix()
	if claims.Sub != user || claims.Iss == "" || claims.Aud == "" || claims.Jti == "" || claims.ClientID == "" ||
		claims.Iat > now || claims.Nbf > now || claims.Exp-claims.Iat != 3600 {
		t.Errorf("the claims are %+v", claims)
	}

	forged := w.NoCredential()
	for name, text := range map[string]string{
		"without its signature": parts[0] + "." + parts[1] + ".",
		"with another payload":  parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"`+user+`"}`)) + "." + parts[2],
	} {
		forged.Header.Set("Authorization", "Bearer "+text)
		forged.Do(t, "GET", "/users/"+user, nil).WantProblem(t, fault.Unauthorized)
		t.Log("rejected", name)
	}
}

func decodeBase64(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeJSON(t *testing.T, part string, out any) {
	t.Helper()
	if err := json.Unmarshal(decodeBase64(t, part), out); err != nil {
		t.Fatal(err)
	}
}
