package authorize_test

import (
	"net/url"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// A bank that makes sure who signs cannot do so without a number.
func TestReturn_NobodyIsNamedWithoutANumber(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.NamesSigner = true })
	r := b.request()
	r.PSU.PersonalNumber = ""
	c, err := b.Create(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.MustRun(b.Handle, string(c.ID))
	_, state := b.waiting(c.ID)
	b.begins(state, "first")
	b.returns(state, "second", "c-1", authorize.ViewShowsCode)
}

// Anybody may bring a refusal, so it never counts as the person who came back.
func TestReturn_ARefusalGrantsNothing(t *testing.T) {
	b := newRedirected(t)
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		return institution.Completed{State: institution.AuthorizationPending}, nil
	}
	c, state := b.begin()
	b.begins(state, "first")
	seen, err := b.Return(t.Context(), theBank, state, "first", consent.InQuery, url.Values{"error": {"access_denied"}, "state": {state}})
	b.sees(seen, err, authorize.ViewWorks)
	b.bank.signed.Store(true)
	if c = b.handled(c.ID); c.Status != consent.AwaitingAuthorization {
		t.Errorf("the consent is %s", c.Status)
	}
}

// A token makes a bank's refusal before it forgotten.
func TestAccess_ATokenTakesBackADenial(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	b.bank.onRefresh = func(n int, _ institution.Access) (institution.Tokens, error) {
		if n == 2 {
			return *b.tokens("2"), nil
		}
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	for _, refused := range []string{"access-1", "access-1", "access-2"} {
		_, _, err := b.Access(t.Context(), b.Consent(c.ID), refused)
		if err != nil && institution.KindOf(err) != institution.Unreachable {
			t.Error(err)
		}
		b.Clock.Advance(2 * consent.DenialConfirmedAfter)
	}
	if n := len(b.bank.refreshed); n != 3 {
		t.Errorf("%d requests", n)
	}
}

// A bank that cannot be reached has not given a token: an outage goes on.
func TestAccess_NoAnswerEndsNoOutage(t *testing.T) {
	b := newRedirected(t)
	down := false
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		if down {
			return institution.Tokens{}, &institution.Error{Kind: institution.Unreachable, NotSent: true}
		}
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	var all []consent.Consent
	for range 6 {
		all = append(all, b.authorized())
	}
	for _, c := range all {
		_, _, _ = b.Access(t.Context(), b.Consent(c.ID), "access-1")
	}
	down = true
	b.Clock.Advance(6 * time.Minute)
	_, _, _ = b.Access(t.Context(), b.Consent(all[0].ID), "access-1")
	down = false
	_, _, _ = b.Access(t.Context(), b.Consent(all[0].ID), "access-1")
	before := len(b.bank.refreshed)
	if _, _, err := b.Access(t.Context(), b.Consent(all[1].ID), "access-1"); err == nil || len(b.bank.refreshed) != before {
		t.Errorf("%v, asked %d times in an outage", err, len(b.bank.refreshed)-before)
	}
}

// A consent that is due before the grant is asked for again stays due.
func TestAccess_ADenialDelaysNothing(t *testing.T) {
	b := newRedirected(t)
	c := b.authorized()
	soon := b.Clock.Now().Add(time.Minute)
	if _, err := store.UpdateConsent(t.Context(), b.Store, c.ID, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		c.WakeAt = soon
		return c, nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) {
		return institution.Tokens{}, kind(institution.ConsentGone)
	}
	_, _, _ = b.Access(t.Context(), b.Consent(c.ID), "access-1")
	if got := b.Consent(c.ID).WakeAt; !got.Equal(soon) {
		t.Errorf("due at %s instead of %s", got, soon)
	}
}
