package authorize_test

import (
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
)

// slow is how long a person is on the page of the bank in these tests.
const slow = 10 * time.Minute

// A person takes minutes on the page of the bank. An answer to the exchange after it that
// is lost is repeated all the same.
func TestComplete_RepeatsALostAnswerOfASlowPerson(t *testing.T) {
	for name, typed := range map[string]bool{"in the first browser": false, "with the code of another browser": true} {
		b := newRedirected(t)
		answer := b.bank.onComplete
		b.bank.onComplete = func(n int, r institution.Completion) (institution.Completed, error) {
			if n == 1 {
				return institution.Completed{}, kind(institution.Unreachable)
			}
			return answer(n, r)
		}
		c, state := b.begin()
		b.opens(state, "mine", authorize.ViewGoes)
		b.Clock.Advance(slow)
		if typed {
			code := b.returns(state, "other", "c-1", authorize.ViewShowsCode).Code
			b.Clock.Advance(2 * time.Minute)
			seen, err := b.EnterCode(t.Context(), state, "mine", code)
			b.sees(seen, err, authorize.ViewWorks)
		} else {
			b.returns(state, "mine", "c-1", authorize.ViewWorks)
		}
		if c = b.handled(c.ID); c.Step != consent.StepComplete {
			t.Fatalf("%s: %s %s at %s after a lost answer", name, c.Status, c.Failure, c.Step)
		}
		b.Clock.Set(c.WakeAt)
		if c = b.handled(c.ID); c.Status != consent.Authorized {
			t.Errorf("%s: the consent is %s %s", name, c.Status, c.Failure)
		}
	}
}
