package connect_test

import (
	"testing"
	"time"

	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/flow"
)

// The bank may hear of the new order before it hears of the end of the one before. Then the
// new one is begun once more, and only once.
func TestConflict_WithAnOrderThatThePageHasEndedIsTriedOnce(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	first := p.view.Flow.ConsentID
	p.stands(flow.InApp)
	p.begins(connect.ThisDevice)
	second := p.view.Flow.ConsentID
	if second == first || p.Consent(first).Status != consent.Revoked {
		t.Fatalf("the first order is %s", p.Consent(first).Status)
	}
	p.bankSays(consent.FailedWith{Code: consent.AuthenticationConflict})
	p.looks()
	p.in(flow.Opening)
	third := p.view.Flow.ConsentID
	if c := p.Consent(third); third == second || c.Status != consent.Initiated || !p.view.Flow.OnDevice || c.LoginMethod != p.Consent(second).LoginMethod {
		t.Fatalf("begun again is %+v of %+v", c, p.view.Flow)
	}
	p.bankSays(consent.FailedWith{Code: consent.AuthenticationConflict})
	p.looks()
	p.in(flow.Failed)
	if p.view.Flow.ConsentID != third || p.view.Flow.Failure != string(consent.AuthenticationConflict) {
		t.Errorf("%+v", p.view.Flow)
	}
}

// A conflict with an order of somebody else is the person's to solve, and another failure is
// no conflict.
func TestConflict_WithAnotherOrderIsShown(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.bankSays(consent.FailedWith{Code: consent.AuthenticationConflict})
	p.looks()
	p.in(flow.Failed)

	p = b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.did(p.Cancel(t.Context(), p.id, p.key, visitor))
	b.Clock.Advance(2 * time.Minute) // the bank has heard of that
	p.acts(flow.Again{})
	p.begins(connect.OtherDevice)
	p.bankSays(consent.FailedWith{Code: consent.AuthenticationConflict})
	p.looks()
	p.in(flow.Failed)

	p = b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	p.begins(connect.OtherDevice)
	p.stands(flow.InApp)
	p.begins(connect.ThisDevice)
	p.bankSays(consent.FailedWith{Code: consent.AuthenticationFailed})
	p.looks()
	p.in(flow.Failed)
}
