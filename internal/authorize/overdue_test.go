package authorize_test

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// A consent that no worker could handle in time, or whose bank never gives anything to
// sign, ends by the deadline of its opening. The bank is not called after it.
func TestOpening_EndsByItsDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		before   func(*env, consent.Consent) // until the deadline
		messages int                         // to the bank
	}{
		"not handled in time": {before: func(b *env, _ consent.Consent) { b.Clock.Advance(time.Minute) }},
		"opened, not authorized": {messages: 1, before: func(b *env, c consent.Consent) {
			b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
				b.Clock.Advance(12 * time.Second) // it hangs
				return institution.Authorization{}, kind(institution.Unreachable)
			}
			if c = b.look(c.ID); c.Status != consent.Initiated || c.Step != consent.StepAuthorize {
				b.Errorf("before the deadline: %s at %s", c.Status, c.Step)
			}
			b.Clock.Advance(time.Minute - 12*time.Second)
		}},
		"institution removed": {before: func(b *env, c consent.Consent) {
			delete(b.Institutions.(institution.Set), theBank)
			// It may be back meanwhile, or on another node.
			deadline := c.CreatedAt.Add(time.Minute)
			for c = b.look(c.ID); c.WakeAt.Before(deadline) && c.WakeAt.After(b.Clock.Now()); c = b.look(c.ID) {
				b.Clock.Set(c.WakeAt)
			}
			if !c.WakeAt.Equal(deadline) {
				b.Errorf("handled again at %s", c.WakeAt)
			}
			b.Clock.Set(c.WakeAt)
		}},
	} {
		b := newEnv(t)
		c := b.create()
		test.before(b, c)
		opened, started := len(b.bank.opened), len(b.bank.started)
		c = b.look(c.ID)
		if b.checkEnd(c, consent.Failed, consent.BankUnavailable); t.Failed() {
			t.Fatal(name)
		}
		if len(b.bank.opened) != opened || len(b.bank.started) != started {
			t.Errorf("%s: the bank was called after the deadline", name)
		}
		if n := len(b.dueMessages()); n != test.messages {
			t.Errorf("%s: %d messages to the bank, want %d", name, n, test.messages)
		}
	}
}
