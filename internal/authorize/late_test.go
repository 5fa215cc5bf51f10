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
		b.begins(state, "mine")
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

// What the person has brought in time is exchanged, although the handler comes late. A
// consent is not granted by a last look in place of that: it would have no tokens.
func TestComplete_ExchangesAfterTheDeadlineWhatCameInTime(t *testing.T) {
	for name, renews := range map[string]bool{"a consent": false, "a renewal": true} {
		b := newRedirected(t)
		var old consent.Consent
		if renews {
			old = b.authorized()
			b.bank.signed.Store(false)
		}
		c, state := b.beginOf(old.ID)
		b.begins(state, "mine")
		b.bank.signed.Store(true) // the consent is valid at the bank, whatever becomes of the code
		b.Clock.Set(c.AuthorizeBy.Add(-time.Millisecond))
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		b.Clock.Advance(time.Second)
		c = b.handled(c.ID)
		if c.Status != consent.Authorized {
			t.Errorf("%s: %s %s at %s", name, c.Status, c.Failure, c.Step)
		} else if b.secret(c).Tokens.Access != "access-1" {
			t.Errorf("%s: authorized without tokens", name)
		}
	}
}

// At its deadline the consent is valid at the bank, but its person has not come back with
// the code: it is of no use.
func TestLastLook_GrantsNothingWithoutWhatThePersonBrings(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.NamesSigner = true })
	old := b.authorized()
	c, state := b.beginOf(old.ID)
	b.begins(state, "mine")
	b.bank.signed.Store(true)
	b.Clock.Set(c.AuthorizeBy)
	b.checkEnd(b.handled(c.ID), consent.Failed, consent.AuthenticationTimeout)
	if old = b.Consent(old.ID); old.Status != consent.Authorized {
		t.Errorf("the consent before is %s", old.Status)
	}
}

// Nobody asks a silent bank, whatever its page says of its end.
func TestPoll_DoesNotAskASilentBank(t *testing.T) {
	b := newRedirected(t)
	onStart := b.bank.onStart
	b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
		a, err := onStart(r)
		a.Instructions.ExpiresAt = b.Clock.Now().Add(time.Minute)
		return a, err
	}
	c, _ := b.begin()
	b.Clock.Advance(2 * time.Minute)
	for range 3 {
		if _, _, err := b.Poll(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
			t.Fatal(err)
		}
		b.AwaitRefreshes()
		b.Clock.Advance(time.Second)
	}
	if b.bank.read != 0 {
		t.Errorf("%d reads", b.bank.read)
	}
}

// Persons who are on the page of a silent bank take no room from those who are watched.
func TestCreate_SilentConsentsTakeNoRoom(t *testing.T) {
	b := newRedirected(t)
	b.Service = b.nodeWith(authorize.WatchLimits{MaxWaiting: 2})
	for range 5 {
		if c, _ := b.begin(); b.Watches(c.ID) {
			t.Error("a silent consent is watched")
		}
	}
}

// Somebody else has to sign too. That does not make it certain who was the first.
func TestPartlySigned_NeedsThePersonBack(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.SecondSigner = 7 * 24 * time.Hour })
	onStart := b.bank.onStart
	b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
		a, err := onStart(r)
		a.Silent = false
		return a, err
	}
	onRead := b.bank.onRead
	b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
		if b.Clock.Now().After(morning.Add(5 * time.Minute)) {
			b.bank.signed.Store(true)
			return onRead(n)
		}
		return institution.ConsentInfo{State: institution.ConsentPartlySigned}, nil
	}
	c, state := b.begin()
	b.begins(state, "somebody")
	for end := morning.Add(time.Hour); c.Status == consent.AwaitingAuthorization && b.Clock.Now().Before(end); c = b.Consent(c.ID) {
		if !b.Watches(c.ID) {
			b.Clock.Set(c.WakeAt)
			b.MustRun(b.Handle, string(c.ID))
		}
		b.asks(c.ID, 30)
	}
	b.checkEnd(c, consent.Failed, consent.AuthenticationTimeout)
}

// A bank that tells nothing until the person is back may call a consent valid that has no
// tokens yet. At its deadline a renewal is read once more, and not granted by that: nothing
// could be read under it, and the old consent would be gone.
func TestRenewal_OfASilentBankNeedsWhatThePersonBrings(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.NamesSigner = true })
	old := b.authorized()
	c, _ := b.beginOf(old.ID)
	b.bank.signed.Store(true) // the bank calls it valid
	b.Clock.Set(c.AuthorizeBy)
	if c = b.handled(c.ID); c.Status != consent.Failed || c.Failure != consent.AuthenticationTimeout {
		t.Errorf("the renewal is %s %s", c.Status, c.Failure)
	}
	if got := b.Consent(old.ID); got.Status != consent.Authorized {
		t.Errorf("the old consent is %s", got.Status)
	}
}
