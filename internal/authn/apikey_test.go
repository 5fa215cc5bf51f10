package authn_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/client"
	"samla/internal/fault"
	"samla/internal/flowtest"
	"samla/internal/store"
)

func TestCreateKey_AddsKeysToOneClient(t *testing.T) {
	n := newNode(t)
	first, secret1 := n.createKey("a client")
	second, secret2 := n.createKey("a client")
	other, _ := n.createKey("other")
	if first.ClientID != second.ClientID || other.ClientID == first.ClientID {
		t.Errorf("clients %s, %s, %s", first.ClientID, second.ClientID, other.ClientID)
	}
	if secret1 == secret2 || !strings.HasPrefix(secret1, "samla_") {
		t.Error("the secrets are not new")
	}
	keys, err := n.ListKeys(t.Context())
	if err != nil || len(keys) != 3 || keys[0].ID != other.ID || keys[2].ID != first.ID {
		t.Fatalf("%v, %v", keys, err)
	}
	if keys[2].Hash != client.HashOf(secret1) || keys[2].Name != "test" {
		t.Error("the key is not stored by its hash")
	}
}

func TestCreateKey_AcceptsGivenSecret(t *testing.T) {
	n := newNode(t)
	k, secret, err := n.CreateKey(t.Context(), "acme", "dev", "local-key")
	if err != nil || secret != "local-key" {
		t.Fatal(secret, err)
	}
	again, _, err := n.CreateKey(t.Context(), "acme", "dev", "local-key")
	if err != nil || again.ID != k.ID {
		t.Errorf("the same secret made another key: %v", err)
	}
	if _, _, err := n.CreateKey(t.Context(), "other", "dev", "local-key"); !errors.Is(err, store.ErrExists) {
		t.Errorf("another client got the key: %v", err)
	}
	if err := n.RevokeKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.CreateKey(t.Context(), "acme", "dev", "local-key"); !errors.Is(err, store.ErrExists) {
		t.Errorf("a revoked key is valid again: %v", err)
	}
}

func TestCreateKey_ValidatesSecretAndClient(t *testing.T) {
	n := newNode(t)
	for _, bad := range []string{"with space", "tab\t", "ö", "\xff", strings.Repeat("x", 256)} {
		if _, _, err := n.CreateKey(t.Context(), "acme", "dev", bad); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := n.CreateKey(t.Context(), "", "dev", ""); err == nil {
		t.Error("a client without a name was created")
	}
	if _, _, err := n.CreateKey(t.Context(), "acme", "dev", strings.Repeat("x", 255)); err != nil {
		t.Error(err)
	}
}

func TestRevokeKey_TakesEffectOnOtherNodesWithinFiveSeconds(t *testing.T) {
	all := nodes(t, t.TempDir(), 2)
	here, there := all[0], all[1]
	k, secret := here.createKey("acme")
	for _, n := range all {
		if got := n.withKey(secret); got != "" {
			t.Fatal(got)
		}
	}
	if err := here.RevokeKey(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if got := here.withKey(secret); got != fault.Unauthorized {
		t.Errorf("this node: %q", got)
	}
	here.Clock.Advance(5 * time.Second)
	if got := there.withKey(secret); got != fault.Unauthorized {
		t.Errorf("the other node: %q", got)
	}
	if err := here.RevokeKey(t.Context(), "00000000-0000-7000-8000-000000000000"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestAuthenticate_CachesKnownAndUnknownKeys(t *testing.T) {
	n := newNode(t)
	_, secret := n.createKey("acme")
	for _, c := range []struct {
		secret string
		want   fault.Code
	}{{secret, ""}, {"unknown", fault.Unauthorized}} {
		n.store.keyReads = 0
		for range 50 {
			if got := n.withKey(c.secret); got != c.want {
				t.Fatal(got)
			}
		}
		if n.store.keyReads != 1 {
			t.Errorf("%d reads", n.store.keyReads)
		}
	}
	n.store.keyReads = 0
	if n.withKey(strings.Repeat("x", 256)); n.store.keyReads != 0 {
		t.Error("a key that is too long was looked up")
	}
}

func TestAuthenticate_AcceptsKeyCreatedAfterItWasRefused(t *testing.T) {
	all := nodes(t, t.TempDir(), 2)
	for _, n := range all {
		if got := n.withKey("soon"); got != fault.Unauthorized {
			t.Fatal(got)
		}
	}
	if _, _, err := all[0].CreateKey(t.Context(), "acme", "dev", "soon"); err != nil {
		t.Fatal(err)
	}
	if got := all[0].withKey("soon"); got != "" {
		t.Errorf("this node: %q", got)
	}
	all[0].Clock.Advance(5 * time.Second)
	if got := all[1].withKey("soon"); got != "" {
		t.Errorf("the other node: %q", got)
	}
}

func TestAuthenticate_ReturnsInternalWhenStoreFails(t *testing.T) {
	n := newNode(t)
	_, secret := n.createKey("acme")
	broken := errors.New("broken")
	n.store.fail(broken)
	id, f := n.Authenticate(request("authorization-token", secret))
	if codeOf(id, f) != fault.Internal || !errors.Is(f, broken) || strings.Contains(f.Error(), "broken") {
		t.Errorf("got %v", f)
	}
	n.store.fail(nil)
	if got := n.withKey(secret); got != "" {
		t.Errorf("the failure was cached: %q", got)
	}
}

func TestAuthenticate_AcceptsCredentialsAfterRestart(t *testing.T) {
	dir := t.TempDir()
	b := flowtest.New(t, dir)
	before := nodeOn(t, b)
	_, secret := before.createKey("acme")
	token, _ := before.issue()
	b.Store = flowtest.Open(t, dir)
	after := nodeOn(t, b.Node())
	if got := after.withKey(secret); got != "" {
		t.Errorf("key: %q", got)
	}
	if got := after.withToken(token); got != "" {
		t.Errorf("token: %q", got)
	}
}

func TestKeys_AreInTheAuditLog(t *testing.T) {
	n := newNode(t)
	k, secret := n.createKey("acme")
	for range 2 { // the second time it is revoked already
		if err := n.RevokeKey(t.Context(), k.ID); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := n.Store.UnchainedEntries(t.Context(), 10)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for i, kind := range []audit.Kind{audit.APIKeyCreated, audit.APIKeyRevoked} {
		e := entries[i]
		if e.Kind != string(kind) || e.ClientID != k.ClientID || string(e.Detail) != `{"keyId":"`+k.ID+`"}` || strings.Contains(string(e.Detail), secret) {
			t.Errorf("%+v: %s", e, e.Detail)
		}
	}
}
