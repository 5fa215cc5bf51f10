package access_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/access"
	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/session"
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

func TestTokensCarryTheClaimsOfTheContract(t *testing.T) {
	n := nodes(t, 1)[0]
	u := n.person(t, "client", "customer-4711")
	n.clk.Advance(300 * time.Millisecond)
	s := n.token(t, "client", u.ID)
	if s.UserID != u.ID || !s.ExpiresAt.Equal(start.Add(time.Hour)) {
		t.Errorf("%+v", s)
	}
	parsed, err := jwt.ParseSigned(s.Token, []jose.SignatureAlgorithm{jose.EdDSA})
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
		"iss": "https://samla.test", "sub": u.ID, "client_id": "client",
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

func TestATokenEndsOnTheSecond(t *testing.T) {
	all := nodes(t, 2) // the second one never saw the token before
	u := all[0].person(t, "client", "customer-4711")
	s := all[0].token(t, "client", u.ID)
	all[0].clk.Set(s.ExpiresAt.Add(-time.Nanosecond))
	if got := codeOf(all[0].Identify(withToken(s.Token))); got != "" {
		t.Errorf("before: %q", got)
	}
	all[0].clk.Set(s.ExpiresAt)
	for i, n := range all {
		if got := codeOf(n.Identify(withToken(s.Token))); got != fault.Unauthorized {
			t.Errorf("node %d: %q", i, got)
		}
	}
}

// forge signs claims as an attacker could who has the given key.
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

// private opens the server's own signing key, so that a test can sign claims the
// server would not.
func private(t testing.TB, n *node) (kid string, key ed25519.PrivateKey) {
	t.Helper()
	keys, err := n.store.SigningKeys(t.Context())
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	seed, err := n.vault.Open(t.Context(), seal.System,
		seal.Place{Table: "signing_keys", Column: "sealed", Row: keys[0].ID}, keys[0].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	return keys[0].ID, ed25519.NewKeyFromSeed(seed)
}

func TestForgedTokensOpenNothing(t *testing.T) {
	n := nodes(t, 1)[0]
	u := n.person(t, "client", "customer-4711")
	good := n.token(t, "client", u.ID).Token
	kid, key := private(t, n)
	_, stranger, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	public := key.Public().(ed25519.PublicKey)

	now := start.Unix()
	base := map[string]any{
		"iss": "https://samla.test", "aud": "samla", "sub": u.ID, "client_id": "client",
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
		"key of another server":    forge(t, jose.EdDSA, stranger, kid, base),
		"unknown kid":              forge(t, jose.EdDSA, key, "s2", base),
		"no kid":                   forge(t, jose.EdDSA, key, "", base),
		"kid with a path":          forge(t, jose.EdDSA, stranger, "../../dev/null", base),
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
	embedded, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: stranger, KeyID: kid}}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if attacks["key of the attacker inside"], err = jwt.Signed(embedded).Claims(base).Serialize(); err != nil {
		t.Fatal(err)
	}
	for name, token := range attacks {
		for range 2 { // the second time from memory, if it got there
			if id, f := n.Identify(withToken(token)); codeOfFault(f) != fault.Unauthorized {
				t.Errorf("%s: %+v, %v", name, id, f)
			}
		}
	}
	// The forger's own hand is steady: the unchanged claims do open, and a clock
	// that is a little ahead does no harm.
	for name, claims := range map[string]any{"base": base, "nbf": with("nbf", now+5), "list": with("aud", []string{"x", "samla"})} {
		if _, f := n.Identify(withToken(forge(t, jose.EdDSA, key, kid, claims))); f != nil {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestConcurrentFirstStartsShareOneSigningKey(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		s, clk, master := open(t, dsn), clock.NewManual(start), masterOf(t)
		all := make([]*node, 8)
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() { all[i] = nodeOn(t, s, master, clk) })
		}
		wg.Wait()
		keys, err := s.SigningKeys(t.Context())
		if err != nil || len(keys) != 1 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		u := all[0].person(t, "client", "customer-4711")
		for _, maker := range all {
			token := maker.token(t, "client", u.ID).Token
			for _, n := range all {
				if got := codeOf(n.Identify(withToken(token))); got != "" {
					t.Fatal(got)
				}
			}
		}
	})
}

func TestAWrongMasterKeyIsFoundAtStart(t *testing.T) {
	n := nodes(t, 1)[0]
	other, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	v, err := keyset.New(other, n.store, n.clk)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := access.New(t.Context(), config(n.store, v, n.clk)); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("got %v", err)
	}
}

// Two nodes over some months: whatever one signs the other lets in, and the
// set that was served five minutes before already had the key.
func TestKeysRotateWithoutAGap(t *testing.T) {
	all := nodes(t, 2)
	clk := all[0].clk
	u := all[0].person(t, "client", "customer-4711")
	served := jwks(t, all[1])
	seen := map[string]bool{}
	type minted struct {
		token   string
		expires time.Time
	}
	var alive []minted
	for i := 0; clk.Now().Before(start.AddDate(0, 0, 65)); i++ {
		s := all[i%2].token(t, "client", u.ID)
		alive = append(alive, minted{s.Token, s.ExpiresAt})
		parsed, err := jwt.ParseSigned(s.Token, []jose.SignatureAlgorithm{jose.EdDSA})
		if err != nil {
			t.Fatal(err)
		}
		kid := parsed.Headers[0].KeyID
		seen[kid] = true
		if len(served.Key(kid)) != 1 {
			t.Fatalf("%s signs at %v and was not published before", kid, clk.Now())
		}
		served = jwks(t, all[i%2])
		for _, m := range alive {
			want := fault.Code("")
			if !clk.Now().Before(m.expires) {
				want = fault.Unauthorized
			}
			if got := codeOf(all[(i+1)%2].Identify(withToken(m.token))); got != want {
				t.Fatalf("at %v: %q, want %q", clk.Now(), got, want)
			}
		}
		if len(alive) > 10 {
			alive = alive[5:]
		}
		if i%8 == 0 {
			clk.Advance(11 * time.Hour) // a pause longer than any token lives
			served = jwks(t, all[i%2])
		}
		clk.Advance(session.JWKSMaxAge)
	}
	if len(seen) != 3 {
		t.Errorf("%d keys signed in 65 days", len(seen))
	}
}

func TestAStoreThatIsDownClosesNoSession(t *testing.T) {
	n := nodes(t, 1)[0]
	u := n.person(t, "client", "customer-4711")
	s := n.token(t, "client", u.ID)
	n.store.fail(errors.New("down"))
	n.clk.Advance(10 * time.Minute) // past every age
	if got := codeOf(n.Identify(withToken(s.Token))); got != "" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkIdentifySession(b *testing.B) {
	n := nodes(b, 1)[0]
	u := n.person(b, "client", "customer-4711")
	r := withToken(n.token(b, "client", u.ID).Token)
	b.ReportAllocs()
	for b.Loop() {
		if _, f := n.Identify(r); f != nil {
			b.Fatal(f)
		}
	}
}

func BenchmarkIdentifyKey(b *testing.B) {
	n := nodes(b, 1)[0]
	_, secret := n.key(b, "acme")
	r := withKey(secret)
	b.ReportAllocs()
	for b.Loop() {
		if _, f := n.Identify(r); f != nil {
			b.Fatal(f)
		}
	}
}

func FuzzIdentifySession(f *testing.F) {
	n := nodes(f, 1)[0]
	u := n.person(f, "client", "customer-4711")
	good := n.token(f, "client", u.ID).Token
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		r := request()
		r.Header["Authorization"] = []string{"Bearer " + token}
		if id, fault := n.Identify(r); fault == nil && id.UserID != u.ID {
			t.Errorf("%q opened %+v", token, id)
		}
	})
}
