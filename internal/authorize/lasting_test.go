package authorize_test

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
)

// lasting returns consents whose tokens nothing replaces, and makes the bank answer reads by
// what the returned function is set to.
func (b *redirected) lasting(n int) (all []consent.Consent, refuses *bool) {
	b.Helper()
	refuses = new(bool)
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone, Tokens: &institution.Tokens{Access: "access-1", Until: b.Clock.Now().Add(time.Hour)}}, nil
	}
	onRead := b.bank.onRead
	b.bank.onRead = func(n int) (institution.ConsentInfo, error) {
		if *refuses {
			return institution.ConsentInfo{}, kind(institution.TokenRefused)
		}
		return onRead(n)
	}
	for range n {
		all = append(all, b.authorized())
	}
	return all, refuses
}

// checks runs the check of a consent when it is due, and returns it.
func (b *redirected) checks(id consent.ID) consent.Consent {
	b.Helper()
	b.Clock.Set(b.Consent(id).WakeAt)
	b.MustRun(b.Handle, string(id))
	return b.Consent(id)
}

// A token that nothing replaces is refused: the person has to sign again. One refusal is not
// believed, and a bank is not asked each hour for months.
func TestCheckDaily_EndsWhenALastingTokenIsRefusedTwice(t *testing.T) {
	b := newRedirected(t)
	all, refuses := b.lasting(1)
	c, reads := all[0], b.bank.read
	*refuses = true
	if c = b.checks(c.ID); c.Status != consent.Authorized || c.WakeAt.Sub(b.Clock.Now()) != consent.DenialConfirmedAfter+time.Second || b.secret(c).Denial == nil {
		t.Fatalf("after one refusal %s until %s", c.Status, c.WakeAt)
	}
	*refuses = false // it was nothing
	if c = b.checks(c.ID); c.Status != consent.Authorized || c.WakeAt.Sub(b.Clock.Now()) != 24*time.Hour || b.secret(c).Denial != nil {
		t.Fatalf("after an answer %s until %s", c.Status, c.WakeAt)
	}
	*refuses = true
	b.checks(c.ID)
	if c = b.checks(c.ID); c.Status != consent.Expired || b.bank.read-reads != 4 || len(b.bank.refreshed) != 0 {
		t.Errorf("%s after %d reads", c.Status, b.bank.read-reads)
	}
	if got := b.causes(c.ID); len(got) != 1 || got[0] != consent.CauseNewSignature {
		t.Errorf("ended by %v", got)
	}
}

// A bank that refuses the tokens of many has an outage: they are asked about each hour, and
// no consent ends for a day.
func TestCheckDaily_OutlastsARefusalOfManyLastingTokens(t *testing.T) {
	b := newRedirected(t)
	all, refuses := b.lasting(6)
	*refuses = true
	for _, c := range all {
		b.checks(c.ID)
	}
	if got := b.SuspectedOutages(); len(got) != 1 {
		t.Fatalf("suspected are %q", got)
	}
	for _, c := range all {
		for range 3 {
			if c = b.checks(c.ID); c.Status != consent.Authorized || c.WakeAt.Sub(b.Clock.Now()) != time.Hour {
				t.Fatalf("%s, due in %s", c.Status, c.WakeAt.Sub(b.Clock.Now()))
			}
		}
	}
	b.Clock.Advance(24 * time.Hour)
	for _, c := range all {
		b.MustRun(b.Handle, string(c.ID))
		if c = b.Consent(c.ID); c.Status != consent.Expired {
			t.Errorf("after a day %s", c.Status)
		}
	}
}
