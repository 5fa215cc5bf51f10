package access_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/store"
)

func TestAClientHasSeveralKeys(t *testing.T) {
	n := nodes(t, 1)[0]
	first, one := n.key(t, "acme")
	second, two := n.key(t, "acme")
	other, _ := n.key(t, "other")
	if first.ClientID != second.ClientID || other.ClientID == first.ClientID {
		t.Errorf("clients %s, %s, %s", first.ClientID, second.ClientID, other.ClientID)
	}
	if one == two || !strings.HasPrefix(one, "samla_") {
		t.Error("secrets are not new ones")
	}
	keys, err := n.ListKeys(t.Context())
	if err != nil || len(keys) != 3 || keys[0].ID != other.ID || keys[2].ID != first.ID {
		t.Fatalf("%v, %v", keys, err)
	}
	if keys[2].Hash != client.HashOf(one) || keys[2].Name != "test" {
		t.Error("not stored by its hash")
	}
}

func TestAGivenSecretIsTakenAsItIs(t *testing.T) {
	n := nodes(t, 1)[0]
	k, secret, err := n.CreateKey(t.Context(), "acme", "dev", "local-key")
	if err != nil || secret != "local-key" {
		t.Fatal(secret, err)
	}
	again, _, err := n.CreateKey(t.Context(), "acme", "dev", "local-key")
	if err != nil || again.ID != k.ID {
		t.Errorf("a second start made another key: %v", err)
	}
	if _, _, err := n.CreateKey(t.Context(), "other", "dev", "local-key"); !errors.Is(err, store.ErrExists) {
		t.Errorf("another client took it: %v", err)
	}
	if err := n.RevokeKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.CreateKey(t.Context(), "acme", "dev", "local-key"); !errors.Is(err, store.ErrExists) {
		t.Errorf("a revoked key came back: %v", err)
	}
	for _, bad := range []string{"with space", "tab\t", "ö", strings.Repeat("x", 256)} {
		if _, _, err := n.CreateKey(t.Context(), "acme", "dev", bad); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := n.CreateKey(t.Context(), "", "dev", ""); err == nil {
		t.Error("a client without a name")
	}
}

func TestRevocationIsHereAtOnceAndEverywhereInFiveSeconds(t *testing.T) {
	all := nodes(t, 2)
	here, there := all[0], all[1]
	k, secret := here.key(t, "acme")
	for _, n := range all {
		if _, f := n.Identify(withKey(secret)); f != nil {
			t.Fatal(f)
		}
	}
	if err := here.RevokeKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if got := codeOf(here.Identify(withKey(secret))); got != fault.Unauthorized {
		t.Errorf("here: %q", got)
	}
	here.clk.Advance(5 * time.Second)
	if got := codeOf(there.Identify(withKey(secret))); got != fault.Unauthorized {
		t.Errorf("there: %q", got)
	}
	if err := here.RevokeKey(t.Context(), "00000000-0000-7000-8000-000000000000"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestKeysAreVerifiedFromMemory(t *testing.T) {
	n := nodes(t, 1)[0]
	_, secret := n.key(t, "acme")
	for _, c := range []struct {
		secret string
		want   fault.Code
	}{{secret, ""}, {"unknown", fault.Unauthorized}} {
		n.store.keyReads = 0
		for range 50 {
			if got := codeOf(n.Identify(withKey(c.secret))); got != c.want {
				t.Fatal(got)
			}
		}
		if n.store.keyReads != 1 {
			t.Errorf("%d reads", n.store.keyReads)
		}
	}
	n.store.keyReads = 0
	if n.Identify(withKey(strings.Repeat("x", 256))); n.store.keyReads != 0 {
		t.Error("a key that cannot be one was looked up")
	}
}

func TestAKeyThatWasUnknownOpensOnceItIsMade(t *testing.T) {
	all := nodes(t, 2)
	for _, n := range all {
		if got := codeOf(n.Identify(withKey("soon"))); got != fault.Unauthorized {
			t.Fatal(got)
		}
	}
	if _, _, err := all[0].CreateKey(t.Context(), "acme", "dev", "soon"); err != nil {
		t.Fatal(err)
	}
	if got := codeOf(all[0].Identify(withKey("soon"))); got != "" {
		t.Errorf("here: %q", got)
	}
	all[0].clk.Advance(5 * time.Second)
	if got := codeOf(all[1].Identify(withKey("soon"))); got != "" {
		t.Errorf("there: %q", got)
	}
}

func TestAStoreThatFailsIsNotTheCallersFault(t *testing.T) {
	n := nodes(t, 1)[0]
	_, secret := n.key(t, "acme")
	broken := errors.New("broken")
	n.store.fail(broken)
	_, f := n.Identify(withKey(secret))
	if codeOfFault(f) != fault.Internal || !errors.Is(f, broken) || strings.Contains(f.Error(), "broken") {
		t.Errorf("got %v", f)
	}
	n.store.fail(nil)
	if got := codeOf(n.Identify(withKey(secret))); got != "" {
		t.Errorf("the failure was remembered: %q", got)
	}
}

func TestKeysOutliveARestart(t *testing.T) {
	dir, clk := t.TempDir(), clock.NewManual(start)
	master := masterOf(t)
	s := open(t, dir)
	before := nodeOn(t, s, master, clk)
	k, secret := before.key(t, "acme")
	u := before.person(t, k.ClientID, "customer-4711")
	token := before.token(t, k.ClientID, u.ID).Token
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after := nodeOn(t, open(t, dir), master, clk)
	if got := codeOf(after.Identify(withKey(secret))); got != "" {
		t.Errorf("key: %q", got)
	}
	if got := codeOf(after.Identify(withToken(token))); got != "" {
		t.Errorf("token: %q", got)
	}
}
