package authn_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/fault"
	"samla/internal/seal"
)

func jwks(t testing.TB, n *node) jose.JSONWebKeySet {
	t.Helper()
	b, err := n.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestIssueToken_SetsClaimsOfContract(t *testing.T) {
	n := newNode(t)
	n.Clock.Advance(300 * time.Millisecond)
	token, expiresAt := n.issue()
	if !expiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("expires at %v", expiresAt)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	set := jwks(t, n)
	if len(set.Keys) != 1 || parsed.Headers[0].KeyID != set.Keys[0].KeyID || !set.Keys[0].IsPublic() {
		t.Fatalf("%+v, %+v", parsed.Headers, set)
	}
	var got map[string]any
	if err := parsed.Claims(set.Keys[0].Key, &got); err != nil {
		t.Fatal(err)
	}
	for claim, want := range map[string]any{
		"iss": "https://samla.test", "sub": n.User.ID, "client_id": n.User.ClientID,
		"iat": float64(start.Unix()), "nbf": float64(start.Unix()), "exp": float64(start.Unix() + 3600),
	} {
		if got[claim] != want {
			t.Errorf("%s is %v, want %v", claim, got[claim], want)
		}
	}
	if got["jti"] == "" || got["aud"] == nil || len(got) != 8 {
		t.Errorf("%v", got)
	}
	var raw map[string]json.RawMessage
	b, _ := n.JWKS(t.Context())
	_ = json.Unmarshal(b, &raw)
	if bytes.Contains(b, []byte(`"d"`)) {
		t.Error("the private key is published")
	}
}

func TestAuthenticate_RefusesTokenFromItsExpiry(t *testing.T) {
	all := nodes(t, t.TempDir(), 2) // the second has not cached the token
	token, expiresAt := all[0].issue()
	all[0].Clock.Set(expiresAt.Add(-time.Nanosecond))
	if got := all[0].withToken(token); got != "" {
		t.Errorf("before: %q", got)
	}
	all[0].Clock.Set(expiresAt)
	for i, n := range all {
		if got := n.withToken(token); got != fault.Unauthorized {
			t.Errorf("node %d: %q", i, got)
		}
	}
}

// forge signs claims as an attacker with the given key could.
func forge(t testing.TB, alg jose.SignatureAlgorithm, key any, kid string, claims any) string {
	t.Helper()
	opts := new(jose.SignerOptions).WithType("JWT")
	if kid != "" {
		opts.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opts)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// private opens the server's own signing key, so that a test can sign claims that
// the server would not.
func private(t testing.TB, n *node) (kid string, key ed25519.PrivateKey) {
	t.Helper()
	keys, err := n.store.SigningKeys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	seed, err := n.Vault.Open(t.Context(), seal.System,
		seal.Place{Table: "signing_keys", Column: "sealed", Row: keys[0].ID}, keys[0].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	key = ed25519.NewKeyFromSeed(seed)
	for _, published := range jwks(t, n).Keys {
		if key.Public().(ed25519.PublicKey).Equal(published.Key) {
			kid = published.KeyID
		}
	}
	return kid, key
}

func TestAuthenticate_RefusesForgedTokens(t *testing.T) {
	n := newNode(t)
	good, _ := n.issue()
	kid, key := private(t, n)
	_, foreign, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public().(ed25519.PublicKey)

	now := start.Unix()
	base := map[string]any{
		"iss": "https://samla.test", "aud": "samla", "sub": n.User.ID, "client_id": n.User.ClientID,
		"iat": now, "nbf": now, "exp": now + 600, "jti": "1",
	}
	with := func(claim string, value any) map[string]any {
		c := maps.Clone(base)
		if c[claim] = value; value == nil {
			delete(c, claim)
		}
		return c
	}
	segment := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	none := segment(map[string]string{"alg": "none", "typ": "JWT", "kid": kid}) + "." + segment(base) + "."
	parts := strings.Split(good, ".")
	flipped := []byte(parts[2])
	flipped[10] ^= 1

	attacks := map[string]string{
		"alg none":                 none,
		"alg none with signature":  none + parts[2],
		"HS256 with public key":    forge(t, jose.HS256, []byte(public), kid, base),
		"HS512 with public key":    forge(t, jose.HS512, append([]byte(public), public...), kid, base),
		"key of another server":    forge(t, jose.EdDSA, foreign, kid, base),
		"unknown kid":              forge(t, jose.EdDSA, key, "s2", base),
		"no kid":                   forge(t, jose.EdDSA, key, "", base),
		"kid with a path":          forge(t, jose.EdDSA, foreign, "../../dev/null", base),
		"another issuer":           forge(t, jose.EdDSA, key, kid, with("iss", "https://other.test")),
		"another audience":         forge(t, jose.EdDSA, key, kid, with("aud", "other")),
		"expired a second ago":     forge(t, jose.EdDSA, key, kid, with("exp", now-1)),
		"expires now":              forge(t, jose.EdDSA, key, kid, with("exp", now)),
		"valid in a minute":        forge(t, jose.EdDSA, key, kid, with("nbf", now+60)),
		"issued in a minute":       forge(t, jose.EdDSA, key, kid, with("iat", now+60)),
		"exp as text":              forge(t, jose.EdDSA, key, kid, with("exp", "tomorrow")),
		"huge":                     forge(t, jose.EdDSA, key, kid, with("pad", strings.Repeat("x", 4<<10))),
		"changed signature":        parts[0] + "." + parts[1] + "." + string(flipped),
		"changed claims":           parts[0] + "." + segment(with("sub", "somebody")) + "." + parts[2],
		"no signature":             parts[0] + "." + parts[1] + ".",
		"two parts":                parts[0] + "." + parts[1],
		"four parts":               good + ".x",
		"five parts, as encrypted": good + ".x.y",
		"noise":                    "....",
	}
	for claim := range base {
		attacks["without "+claim] = forge(t, jose.EdDSA, key, kid, with(claim, nil))
	}
	opts := new(jose.SignerOptions).WithType("JWT")
	opts.EmbedJWK = true
	embedded, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: foreign, KeyID: kid}}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if attacks["embedded key of the attacker"], err = jwt.Signed(embedded).Claims(base).Serialize(); err != nil {
		t.Fatal(err)
	}
	for name, token := range attacks {
		for range 2 { // the second time from the cache, if it is there
			if got := n.withToken(token); got != fault.Unauthorized {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	// forge itself works: the unchanged claims are valid, also with a clock that is
	// a little ahead.
	for name, claims := range map[string]any{"base": base, "nbf": with("nbf", now+5), "list": with("aud", []string{"x", "samla"})} {
		if got := n.withToken(forge(t, jose.EdDSA, key, kid, claims)); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
