package authn_test

import (
	"crypto"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"samla/internal/authn"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/session"
)

func TestNew_MakesOneSigningKeyOnConcurrentStarts(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		b := flowtest.New(t, database)
		all := make([]*node, 8)
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() { all[i] = nodeOn(t, b.Node()) })
		}
		wg.Wait()
		keys, err := b.Store.SigningKeys(t.Context())
		if err != nil || len(keys) != 1 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, issuer := range all {
			token, _ := issuer.issue()
			for _, n := range all {
				if got := n.withToken(token); got != "" {
					t.Fatal(got)
				}
			}
		}
	})
}

// The first keys of two installations have the same row id, and another kid.
func TestSigningKeys_AreNamedByTheirThumbprint(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		n := newNode(t)
		for _, key := range jwks(t, n).Keys {
			sum, err := key.Thumbprint(crypto.SHA256)
			if err != nil || key.KeyID != base64.RawURLEncoding.EncodeToString(sum) || seen[key.KeyID] {
				t.Errorf("%v: kid %q of the key %v", err, key.KeyID, key.Key)
			}
			seen[key.KeyID] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d keys", len(seen))
	}
}

// A session that an earlier release opened goes on: its kid is the id of the row.
func TestSigningKeys_AcceptTokensOfEarlierReleases(t *testing.T) {
	n := newNode(t)
	_, key := private(t, n)
	token := forge(t, jose.EdDSA, key, "s1", map[string]any{
		"iss": "https://samla.test", "aud": "samla", "sub": n.User.ID, "client_id": n.User.ClientID,
		"iat": start.Unix(), "nbf": start.Unix(), "exp": start.Unix() + 600, "jti": "1",
	})
	if got := n.withToken(token); got != "" {
		t.Error(got)
	}
}

func TestNew_ReturnsErrDecryptionForWrongMasterKey(t *testing.T) {
	n := newNode(t)
	other, err := keyset.NewMaster()
	if err != nil {
		t.Fatal(err)
	}
	c := config(n.store, n.Env)
	if c.Vault, err = keyset.New(other, n.store, n.Clock); err != nil {
		t.Fatal(err)
	}
	if _, err := authn.New(t.Context(), c); !errors.Is(err, seal.ErrDecryption) {
		t.Errorf("got %v", err)
	}
}

// Two nodes over two months: each accepts every token that the other issues, and a
// key set that a client cached five minutes before has the key already.
func TestSigningKeys_RotateWithoutGap(t *testing.T) {
	all := nodes(t, t.TempDir(), 2)
	clk := all[0].Clock
	published := jwks(t, all[1])
	seen := map[string]bool{}
	type issued struct {
		token   string
		expires time.Time
	}
	var tokens []issued
	for i := 0; clk.Now().Before(start.AddDate(0, 0, 65)); i++ {
		token, expires := all[i%2].issue()
		tokens = append(tokens, issued{token, expires})
		parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
		if err != nil {
			t.Fatal(err)
		}
		kid := parsed.Headers[0].KeyID
		seen[kid] = true
		if len(published.Key(kid)) != 1 {
			t.Fatalf("%s signs at %v and was not published before", kid, clk.Now())
		}
		published = jwks(t, all[i%2])
		for _, issued := range tokens {
			want := fault.Code("")
			if !clk.Now().Before(issued.expires) {
				want = fault.Unauthorized
			}
			if got := all[(i+1)%2].withToken(issued.token); got != want {
				t.Fatalf("at %v: %q, want %q", clk.Now(), got, want)
			}
		}
		if len(tokens) > 10 {
			tokens = tokens[5:]
		}
		if i%8 == 0 {
			clk.Advance(11 * time.Hour) // longer than the lifetime of a token
			published = jwks(t, all[i%2])
		}
		clk.Advance(session.JWKSMaxAge)
	}
	if len(seen) != 3 {
		t.Errorf("%d keys signed in 65 days", len(seen))
	}
}

func TestSigningKeys_StayUsableWhileStoreFails(t *testing.T) {
	n := newNode(t)
	token, _ := n.issue()
	n.store.fail(errors.New("down"))
	n.Clock.Advance(10 * time.Minute) // longer than every cache
	if got := n.withToken(token); got != "" {
		t.Errorf("got %q", got)
	}
}

// The token may be signed with a key that another node has made since: while the
// store fails, nobody can say that it is invalid.
func TestAuthenticate_ReturnsInternalForUnknownKeyOfStaleKeySet(t *testing.T) {
	n := newNode(t)
	_, key := private(t, n)
	token := forge(t, jose.EdDSA, key, "s2", map[string]any{})
	if got := n.withToken(token); got != fault.Unauthorized {
		t.Errorf("store works: %q", got)
	}
	down := errors.New("down")
	n.store.fail(down)
	n.Clock.Advance(session.ViewMaxAge)
	if got := n.withToken(token); got != fault.Internal {
		t.Errorf("store fails: %q", got)
	}
	if got := n.withToken("a.b.c"); got != fault.Unauthorized {
		t.Errorf("not a token: %q", got)
	}
	n.store.fail(nil)
	n.Clock.Advance(time.Second)
	if got := n.withToken(token); got != fault.Unauthorized {
		t.Errorf("store works again: %q", got)
	}
}
