package openid_test

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/oauth/oauthtest"
	"samla/internal/institution/oauth/openid"
)

// docs/reference/families.md 15, O19.
func TestKeys_AreReadAgainOnceForAnUnknownKey(t *testing.T) {
	b := newBank(t)
	older, newer := oauthtest.Key(t, "ES256"), oauthtest.Key(t, "ES256")
	b.publish(older)
	v := b.verifier(t)
	check := func(when, id string, want openid.Fault, reads int32) {
		t.Helper()
		key := older
		if id == "k2" {
			key = newer
		}
		_, err := v.IDToken(t.Context(), sign(t, key, "ES256", id, b.now()), expected)
		if (err == nil) != (want == "") || err != nil && !isFault(err, want) || b.reads.Load() != reads {
			t.Errorf("%s: %v, read %d times, want %d", when, err, b.reads.Load(), reads)
		}
	}
	check("the first token", "k1", "", 1)
	check("the second", "k1", "", 1)
	check("an unknown key in the same minute", "k9", openid.UnknownKey, 1)
	b.Clock.Advance(time.Minute)
	b.publish(older, newer)
	check("a new key", "k2", "", 2)
	for range 20 {
		check("a key that nobody has", "k9", openid.UnknownKey, 2)
	}
	b.Clock.Advance(time.Minute)
	for range 20 {
		check("the same in the next minute", "k9", openid.UnknownKey, 3)
	}
	b.Clock.Advance(59 * time.Minute)
	check("before the set is an hour old", "k2", "", 3)
	b.Clock.Advance(time.Minute)
	check("after an hour", "k2", "", 4)
}

func TestKeys_SurviveAnOutage(t *testing.T) {
	b := newBank(t)
	ec := oauthtest.Key(t, "ES256")
	b.publish(ec)
	v := b.verifier(t)
	verify := func(id string) error {
		_, err := v.IDToken(t.Context(), sign(t, ec, "ES256", id, b.now()), expected)
		return err
	}
	b.down.Store(true)
	if err := verify("k1"); institution.KindOf(err) != institution.Unreachable || err == nil {
		t.Errorf("before there is a set: %v", err)
	}
	b.down.Store(false)
	if err := verify("k1"); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	b.down.Store(true)
	b.Clock.Advance(2 * time.Hour)
	before := b.reads.Load()
	for range 5 {
		if err := verify("k1"); err != nil {
			t.Errorf("during an outage: %v", err)
		}
		if err := verify("k9"); institution.KindOf(err) != institution.Unreachable || err == nil {
			t.Errorf("an unknown key during an outage: %v", err)
		}
	}
	if n := b.reads.Load() - before; n != 1 {
		t.Errorf("tried %d times in a minute", n)
	}
	b.Clock.Advance(23 * time.Hour)
	if err := verify("k1"); institution.KindOf(err) != institution.Unreachable || err == nil {
		t.Errorf("after a day: %v", err)
	}
}

func TestKeys_AreReadOnceForConcurrentTokens(t *testing.T) {
	b := newBank(t)
	ec := oauthtest.Key(t, "ES256")
	b.publish(ec)
	v, token := b.verifier(t), sign(t, ec, "ES256", "k1", good())
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := v.IDToken(t.Context(), token, expected); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := b.reads.Load(); n != 1 {
		t.Errorf("read %d times", n)
	}
}

func TestKeys_LeaveOutWhatCannotBeUsed(t *testing.T) {
	b := newBank(t)
	ec := oauthtest.Key(t, "ES256")
	b.publish(ec)
	v := b.verifier(t)
	token := sign(t, ec, "ES256", "k1", good())
	if _, err := v.IDToken(t.Context(), token, expected); err != nil {
		t.Fatal(err)
	}
	x, y := coordinates(t, ec)
	good := fmt.Sprintf(`{"kty":"EC","crv":"P-256","kid":"k1","x":%q,"y":%q}`, x, y)
	weak := base64.RawURLEncoding.EncodeToString(new(big.Int).Lsh(big.NewInt(3), 1000).Bytes())
	for name, c := range map[string]struct {
		set  string
		want bool
	}{
		"beside keys of other kinds": {`{"keys":[{"kty":"XYZ"},{"kty":"oct","k":"AAAA","kid":"k1"},{},{"kty":"RSA","n":"` + weak + `","e":"AQAB","kid":"k1"},` + good + `]}`, true},
		"for encryption":             {`{"keys":[` + good[:len(good)-1] + `,"use":"enc"}]}`, false},
		"of another algorithm":       {`{"keys":[` + good[:len(good)-1] + `,"alg":"ES384"}]}`, false},
		"not on the curve":           {fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","x":%q,"y":%q}]}`, y, x), false},
		"a secret":                   {`{"keys":[{"kty":"oct","k":"AAAA","kid":"k1"}]}`, false},
		"none":                       {`{"keys":[]}`, false},
		"no set":                     {`{}`, false},
		"no JSON":                    {`<html>`, false},
		"too many":                   {`{"keys":[` + strings.Repeat(`{},`, 100) + good + `]}`, false},
		"a hundred":                  {`{"keys":[` + strings.Repeat(`{},`, 99) + good + `]}`, true},
		"twice":                      {`{"keys":[],"keys":[` + good + `]}`, false},
	} {
		b.set.Store(c.set)
		fresh := openid.NewKeys(b.Endpoint(t, "/jwks"), b.Clock)
		_, err := b.verifier(t, func(o *openid.Config) { o.Keys = fresh }).IDToken(t.Context(), token, expected)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if noSet := strings.HasPrefix(name, "no ") || name == "twice" || name == "too many"; err != nil && isFault(err, openid.UnknownKey) == noSet {
			t.Errorf("%s: a set of no use and a key that is not in it look alike: %v", name, err)
		}
	}
}
