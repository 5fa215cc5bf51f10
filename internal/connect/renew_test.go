package connect_test

import (
	"context"
	"testing"
	"time"

	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/flow"
	"samla/internal/store"
)

// permitted is a consent at the bank that its person has given for some days.
func (b *env) permitted(days int, transactions bool) consent.Consent {
	b.Helper()
	p := b.opens(func(r *connect.LinkRequest) {
		r.Terms.Companies, r.Terms.ConsentOnly, r.Terms.ValidDays, r.Terms.Transactions = []string{bank}, true, days, transactions
	})
	p.begins(connect.OtherDevice)
	p.signs()
	p.looks()
	p.in(flow.Done)
	return b.Consent(p.view.Flow.ConsentID)
}

// renews opens the link of a renewal.
func (b *env) renews(c consent.Consent) *person {
	b.Helper()
	l, err := b.Renew(b.Context(), connect.Renewal{ClientID: c.ClientID, UserID: c.UserID, Consent: c.ID, Language: "sv", ReturnURL: "https://samla.example/permissions"})
	if err != nil {
		b.Fatal(err)
	}
	f, key, err := b.Open(b.Context(), secretOf(l))
	if err != nil {
		b.Fatal(err)
	}
	p := &person{env: b, id: f.ID, key: key}
	p.looks()
	p.in(flow.Review)
	return p
}

// The number is kept with the permission: it is not asked for, and no other one is taken.
func TestRenew_GivesTheSameAgain(t *testing.T) {
	b := newEnv(t)
	old := b.permitted(30, false)
	b.Clock.Advance(20 * 24 * time.Hour)
	p := b.renews(old)
	if len(p.view.Needs) != 0 || !p.view.Holds {
		t.Errorf("the page asks for %q", p.view.Needs)
	}
	p.did(p.Begin(t.Context(), p.id, p.key, p.rev(), connect.Begin{Kind: connect.OtherDevice, Typed: flow.Typed{PersonalNumber: "198208149297"}}, visitor))
	p.in(flow.Opening)
	c := b.Consent(p.view.Flow.ConsentID)
	if c.Purpose == "" || c.Purpose != old.Purpose || p.view.Flow.Terms.Purpose != old.Purpose {
		t.Errorf("for %q, before for %q", c.Purpose, old.Purpose)
	}
	if c.Renews != old.ID || c.Requested.Transactions || !c.Requested.Balances || c.ExpiresAt.Sub(b.Clock.Now()).Hours() > 31*24 || c.ExpiresAt.Sub(b.Clock.Now()).Hours() < 30*24 {
		t.Errorf("%+v", c)
	}
	again, err := b.consents.Renewable(t.Context(), c.ClientID, c.UserID, c.ID)
	if err != nil || again.PersonalNumber != maja {
		t.Errorf("the number of the old one is %q, %v", again.PersonalNumber, err)
	}
	p.signs()
	p.looks()
	p.in(flow.Done)
	if renewed, err := b.consents.Renewable(t.Context(), c.ClientID, c.UserID, c.ID); err != nil || renewed.PersonalNumber != maja {
		t.Errorf("the number is %q, %v", renewed.PersonalNumber, err)
	}
}

// A person who closes the page and comes back by another link is not stopped by the one that
// is left unsigned; cancelling leaves the old permission.
func TestRenew_TakesThePlaceOfOneThatWaits(t *testing.T) {
	b := newEnv(t)
	old := b.permitted(30, true)
	left, p := b.renews(old), b.renews(old)
	left.begins(connect.OtherDevice)
	p.begins(connect.OtherDevice)
	p.in(flow.Opening)
	left.looks()
	left.in(flow.Cancelled)
	p.did(p.Cancel(t.Context(), p.id, p.key, visitor))
	p.in(flow.Cancelled)
	if got := b.Consent(old.ID); got.Status != consent.Authorized {
		t.Errorf("the old one is %s", got.Status)
	}
}

// What has been withdrawn can be given again; its number was erased and is asked for.
func TestRenew_OfOneThatHasEnded(t *testing.T) {
	b := newEnv(t)
	old := b.permitted(30, true)
	if _, err := b.consents.Revoke(t.Context(), old.ClientID, old.UserID, old.ID); err != nil {
		t.Fatal(err)
	}
	p := b.renews(old)
	if len(p.view.Needs) != 1 || p.view.Holds {
		t.Errorf("the page asks for %q", p.view.Needs)
	}
	p.begins(connect.ThisDevice)
	p.signs()
	p.looks()
	p.in(flow.Done)
}

func TestRenew_RefusesWhatIsNotThePersons(t *testing.T) {
	b := newEnv(t)
	old := b.permitted(30, true)
	other := b.AddUser("other")
	waiting := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{bank} })
	waiting.begins(connect.OtherDevice)
	for code, r := range map[fault.Code]connect.Renewal{
		fault.ConsentNotFound:     {ClientID: other.ClientID, UserID: other.ID, Consent: old.ID},
		fault.ConsentNotRenewable: {ClientID: old.ClientID, UserID: old.UserID, Consent: waiting.view.Flow.ConsentID},
		fault.UserNotFound:        {ClientID: old.ClientID, UserID: b.IDs.New(), Consent: old.ID},
	} {
		if _, err := b.Renew(t.Context(), r); codeOf(err) != code {
			t.Errorf("%v instead of %s", err, code)
		}
	}
}

// What another person has given is not given again with the number of somebody else; the
// page says so, and takes the right one.
func TestRenew_TellsAnotherPerson(t *testing.T) {
	b := newEnv(t)
	b.consents.Mark = func(_ context.Context, number string) (string, error) { return "mark of " + number, nil }
	old := b.permitted(30, true)
	old.Person = "mark of " + maja // the bank, which does not run here, has made sure of it
	b.Write(func(tx store.Tx) error {
		_, err := tx.PutConsent(t.Context(), old)
		return err
	})
	if _, err := b.consents.Revoke(t.Context(), old.ClientID, old.UserID, old.ID); err != nil {
		t.Fatal(err)
	}
	p := b.renews(old)
	press := func(number string) {
		p.did(p.Begin(t.Context(), p.id, p.key, p.rev(), connect.Begin{Kind: connect.OtherDevice, Typed: flow.Typed{PersonalNumber: number}}, visitor))
	}
	press("198208149297")
	p.in(flow.Review)
	if wrong := p.view.Problems; len(wrong) != 1 || wrong[0].Pointer != connect.AtPersonalNumber || wrong[0].Code != fault.NotAllowed || len(p.view.Needs) != 1 {
		t.Errorf("%+v, asks for %q", wrong, p.view.Needs)
	}
	press(maja)
	p.in(flow.Opening)
}
