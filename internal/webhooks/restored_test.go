package webhooks_test

import (
	"encoding/json"
	"errors"
	"testing"

	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/webhook"
	"samla/internal/webhooks"
)

// confidential opens what is confidential of an endpoint.
func (b *env) confidential(id string) (c webhook.Confidential) {
	b.Helper()
	e, err := b.Store.WebhookEndpoint(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	plain, err := b.Vault.Open(b.Context(), seal.System, webhooks.Place(id), e.Sealed)
	if err != nil || json.Unmarshal(plain, &c) != nil {
		b.Fatal(err)
	}
	return c
}

// A secret that was rotated after the backup may be known to somebody else: the restored
// endpoint has neither it nor the one before, also if it was paused.
func TestPauseRestored_EndsOldSecrets(t *testing.T) {
	b := newEnv(t, t.TempDir())
	for _, paused := range []bool{false, true} {
		e := b.endpoint("http://127.0.0.1:9/")
		if _, err := b.service.Rotate(t.Context(), b.User.ClientID, e.ID, false, nil); err != nil {
			t.Fatal(err)
		}
		if paused {
			if _, err := b.service.Pause(t.Context(), b.User.ClientID, e.ID); err != nil {
				t.Fatal(err)
			}
		}
		before := b.confidential(e.ID)
		if before.Previous == "" {
			t.Fatal("no second secret")
		}
		if err := b.service.PauseRestored(t.Context(), e.ID); err != nil {
			t.Fatal(err)
		}
		after := b.confidential(e.ID)
		if after.Current == before.Current || after.Current == before.Previous || after.Previous != "" || after.URL != before.URL {
			t.Errorf("paused %t: a secret of before is valid", paused)
		}
		if now, err := b.Store.WebhookEndpoint(t.Context(), e.ID); err != nil || now.State != webhook.Paused || now.Reason != webhook.Restored {
			t.Errorf("paused %t: %s %s, %v", paused, now.State, now.Reason, err)
		}
	}
	gone := b.endpoint("http://127.0.0.1:9/")
	if err := b.service.DeleteRestored(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"delete": b.service.DeleteRestored(t.Context(), gone.ID), "pause": b.service.PauseRestored(t.Context(), gone.ID)} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
