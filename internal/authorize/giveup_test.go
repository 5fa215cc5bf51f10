package authorize_test

import (
	"errors"
	"testing"

	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/jobs"
	"samla/internal/store"
)

func TestGiveUp_FailsOnlyWhatWaitsForThePerson(t *testing.T) {
	b := newEnv(t)
	pending, authorized := b.watched(), b.run(b.create().ID)
	if err := b.GiveUp(t.Context(), pending.ID); err != nil {
		t.Fatal(err)
	}
	b.checkEnd(b.Consent(pending.ID), consent.Failed, consent.InternalError)
	if n := len(b.dueMessages()); n != 1 {
		t.Errorf("%d messages to the bank", n)
	}
	for _, id := range []consent.ID{pending.ID, authorized.ID} {
		before := b.Consent(id)
		if err := b.GiveUp(t.Context(), id); !errors.Is(err, jobs.ErrKeepTrying) || b.Consent(id).Rev != before.Rev {
			t.Errorf("%s: %v", before.Status, err)
		}
	}
	if err := b.GiveUp(t.Context(), "unknown"); err != nil {
		t.Error(err)
	}
}

// A row that is parked is not handled any more, so time could not end it.
func TestGiveUp_KeepsAConsentWhoseFailureIsNotStored(t *testing.T) {
	b := newEnv(t)
	c := b.watched()
	b.Service.Store = &failing{Store: b.Store, n: 1}
	if err := b.GiveUp(t.Context(), c.ID); !errors.Is(err, jobs.ErrKeepTrying) {
		t.Errorf("the row is parked: %v", err)
	}
}

func TestGiveUp_KeepsAConsentThatIsAuthorizedMeanwhile(t *testing.T) {
	b := newEnv(t)
	c, node := b.watched(), b.service()
	node.Store = &flowtest.Overtaken{Store: b.Store, By: func() { b.asks(c.ID, 1) }}
	if err := node.GiveUp(t.Context(), c.ID); !errors.Is(err, jobs.ErrKeepTrying) {
		t.Errorf("the row is parked: %v", err)
	}
	if c = b.Consent(c.ID); c.Status != consent.Authorized {
		t.Errorf("it is %s", c.Status)
	}
}

// The client would poll for ever otherwise.
func TestEnd_ByTimeOrLastResortNeedsNoSecret(t *testing.T) {
	b := newEnv(t)
	tampered := func() consent.Consent {
		c := b.watched()
		c.Sealed[len(c.Sealed)-1] ^= 1
		b.Write(func(tx store.Tx) (err error) { c, err = tx.PutConsent(t.Context(), c); return err })
		return c
	}
	c := tampered()
	if err := b.GiveUp(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	b.checkEnd(b.Consent(c.ID), consent.Failed, consent.InternalError)
	c = tampered()
	b.Clock.Set(c.AuthorizeBy)
	b.MustRun(b.Handle, string(c.ID))
	b.checkEnd(b.Consent(c.ID), consent.Failed, consent.AuthenticationTimeout)
}
