package authorize_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
)

const (
	salary = "SE4550000000058398257466"
	buffer = "50000000001"
)

// listing is a bank that lists accounts after the login.
type listing struct {
	*redirected
	asked  int
	onList func() ([]consent.Account, error)
}

func newListing(t *testing.T) *listing {
	b := &listing{redirected: newRedirected(t)}
	b.onList = func() ([]consent.Account, error) {
		return []consent.Account{{ID: salary, Name: "Salary"}, {ID: buffer, Name: "Buffer"}}, nil
	}
	b.bank.onComplete = func(n int, _ institution.Completion) (institution.Completed, error) {
		if n == 1 {
			return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1")}, nil
		}
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone}, nil
	}
	b.bank.lister = b
	b.change(func(p *institution.Profile) { p.LoginFirst, p.ListsAccounts = true, true })
	return b
}

func (b *listing) ListAccounts(_ context.Context, r institution.OpenRequest) ([]consent.Account, error) {
	if b.asked++; r.Token != "access-1" {
		b.Errorf("listed with the token %q", r.Token)
	}
	return b.onList()
}

// logsIn returns a consent whose person has logged in, and is asked to choose if chooses.
func (b *listing) logsIn(chooses bool) (c consent.Consent, state string) {
	b.Helper()
	r := b.request()
	r.Chooses, r.ReturnTo, r.ReturnsHere = chooses, publicURL+"/c/flow", true
	c, err := b.Create(b.Context(), r, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.handled(c.ID)
	c, state = b.waiting(c.ID)
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	return b.handled(c.ID), state
}

func (b *listing) choose(c consent.Consent, ids ...string) (bool, error) {
	return b.ChooseAccounts(b.Context(), c.ClientID, c.UserID, c.ID, ids)
}

// The person logs in, chooses, and signs the consent for what they have chosen.
func TestChoose_OpensTheConsentForTheChosenAccounts(t *testing.T) {
	b := newListing(t)
	c, state := b.logsIn(true)
	if c.Step != consent.StepChoose || len(b.bank.opened) != 0 {
		t.Fatalf("at %s, %d consents opened", c.Step, len(b.bank.opened))
	}
	if seen := b.opens(state, "mine", authorize.ViewChooses); seen.Leads != publicURL+"/c/flow" {
		t.Errorf("the browser is led to %q", seen.Leads)
	}
	b.opens(state, "other", authorize.ViewUnknown)
	list, err := b.Accounts(t.Context(), c.ClientID, c.UserID, c.ID)
	if err != nil || len(list) != 2 || list[1] != (consent.Account{ID: buffer, Name: "Buffer"}) {
		t.Errorf("listed %+v, %v", list, err)
	}
	if c = b.handled(c.ID); c.Step != consent.StepChoose || !c.WakeAt.Equal(c.AuthorizeBy) || b.asked != 1 {
		t.Errorf("at %s until %v after %d lists", c.Step, c.WakeAt, b.asked)
	}
	for _, ids := range [][]string{nil, {}, {"SE0000000000000000000000"}, {buffer, "another"}} {
		if _, err := b.choose(c, ids...); !errors.Is(err, authorize.ErrNoChoice) {
			t.Errorf("%v: %v", ids, err)
		}
	}
	if chosen, err := b.choose(c, buffer); err != nil || !chosen {
		t.Fatal(chosen, err)
	}
	if chosen, err := b.choose(c, salary); err != nil || chosen {
		t.Errorf("a second choice: %v, %v", chosen, err)
	}
	c = b.handled(c.ID)
	if len(b.bank.opened) != 1 || !slices.Equal(b.bank.opened[0].Scope.AccountIDs, []string{buffer}) || b.asked != 1 {
		t.Fatalf("%s: opened %+v", c.Step, b.bank.opened)
	}
	if secret := b.secret(c); secret.Listed != nil {
		t.Error("the list is kept")
	}
	_, second := b.waiting(c.ID)
	b.begins(second, "mine")
	b.returns(second, "mine", "c-2", authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Authorized || !slices.Equal(c.Scope().AccountIDs, []string{buffer}) {
		t.Errorf("%s for %v", c.Status, c.Scope().AccountIDs)
	}
	if list, err := b.Accounts(t.Context(), c.ClientID, c.UserID, c.ID); err != nil || list != nil {
		t.Errorf("at the end %v, %v", list, err)
	}
}

// Nobody else's choice counts.
func TestChoose_BelongsToTheUser(t *testing.T) {
	b := newListing(t)
	c, _ := b.logsIn(true)
	if _, err := b.ChooseAccounts(t.Context(), c.ClientID, "another", c.ID, []string{buffer}); fault.CodeOf(err) != fault.ConsentNotFound {
		t.Error(err)
	}
	if list, err := b.Accounts(t.Context(), "another", c.UserID, c.ID); fault.CodeOf(err) != fault.ConsentNotFound {
		t.Error(list, err)
	}
}

// A consent that does not ask for the choice goes on without it.
func TestChoose_IsOnlyForWhoAsks(t *testing.T) {
	b := newListing(t)
	if c, _ := b.logsIn(false); len(b.bank.opened) != 1 || b.asked != 0 {
		t.Errorf("at %s: %d consents opened, %d lists", c.Step, len(b.bank.opened), b.asked)
	}
}

// A list that cannot be had is asked for again; then the consent fails, and says why.
func TestChoose_AsksForTheListAgain(t *testing.T) {
	for kind, want := range map[institution.ErrorKind]consent.FailureCode{institution.Unreachable: consent.BankUnavailable, institution.PersonRefused: consent.Rejected} {
		b := newListing(t)
		b.onList = func() ([]consent.Account, error) { return nil, &institution.Error{Kind: kind, NotSent: true} }
		c, _ := b.logsIn(true)
		for tries := 0; c.Status.Pending() && tries < 100; tries++ {
			if c.Step != consent.StepOpen || !c.WakeAt.After(b.Clock.Now()) {
				t.Fatalf("%s: at %s", kind, c.Step)
			}
			b.Clock.Advance(c.WakeAt.Sub(b.Clock.Now()))
			c = b.handled(c.ID)
		}
		if c.Failure != want || kind.Transient() != (b.asked > 2) || len(b.bank.opened) != 0 {
			t.Errorf("%s: %s after %d lists", kind, c.Failure, b.asked)
		}
	}
	b := newListing(t)
	list := b.onList
	b.onList = func() ([]consent.Account, error) {
		return nil, &institution.Error{Kind: institution.Busy, NotSent: true}
	}
	c, _ := b.logsIn(true)
	b.onList = list
	b.Clock.Advance(c.WakeAt.Sub(b.Clock.Now()))
	if c = b.handled(c.ID); c.Step != consent.StepChoose {
		t.Errorf("at %s", c.Step)
	}
}

// Who does not choose is out of time, and what the login has given ends at the bank.
func TestChoose_EndsWithItsTime(t *testing.T) {
	b := newListing(t)
	c, _ := b.logsIn(true)
	b.Clock.Advance(c.AuthorizeBy.Sub(b.Clock.Now()) + time.Second)
	if c = b.handled(c.ID); c.Failure != consent.AuthenticationTimeout {
		t.Fatalf("%s %s", c.Status, c.Failure)
	}
	if messages := b.dueMessages(); len(messages) != 1 {
		t.Errorf("%d messages to the bank", len(messages))
	}
	if chosen, err := b.choose(c, buffer); err != nil || chosen {
		t.Errorf("chosen too late: %v, %v", chosen, err)
	}
}
