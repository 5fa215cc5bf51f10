package connect_test

import (
	"encoding/json"
	"slices"
	"testing"

	"samla/internal/authorize"
	"samla/internal/connect"
	"samla/internal/consent"
	"samla/internal/flow"
	"samla/internal/jsontext"
	"samla/internal/store"
)

// lists puts the consent of the flow where the bank has listed accounts, after the login.
func (p *person) lists(accounts ...consent.Account) {
	p.Helper()
	p.bankSays(consent.LoginStarted{}, consent.Brought{}, consent.Exchanged{Login: true, OpenRequestID: "o", RequestID: "r"}, consent.Listed{})
	_, err := store.UpdateConsent(p.Context(), p.Store, p.view.Flow.ConsentID, func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		plain, err := p.Vault.Open(p.Context(), c.UserID, authorize.SecretPlace(c.ID), c.Sealed)
		var secret consent.Secret
		if err == nil {
			err = json.Unmarshal(plain, &secret)
		}
		if err != nil || !secret.Chooses {
			p.Errorf("the person is not asked: %v", err)
		}
		secret.Listed = accounts
		if plain, err = jsontext.Marshal(secret); err == nil {
			c.Sealed, err = p.Vault.Seal(p.Context(), c.UserID, authorize.SecretPlace(c.ID), plain)
		}
		return c, nil, err
	})
	if err != nil {
		p.Fatal(err)
	}
}

func (p *person) picks(rev int64, ids ...string) connect.View {
	p.Helper()
	return p.did(p.ChooseAccounts(p.Context(), p.id, p.key, rev, ids, visitor))
}

// The choice is asked for, and carried to the bank; nothing else is.
func TestConnect_LetsThePersonChooseAccounts(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{list} })
	p.begins(connect.ByPage)
	if got, err := p.Listed(t.Context(), p.view.Flow); err != nil || got != nil {
		t.Errorf("before the login %v, %v", got, err)
	}
	p.lists(consent.Account{ID: "1", Name: "Salary"}, consent.Account{ID: "2"})
	p.looks()
	p.in(flow.PickAccounts)
	if got, err := p.Listed(t.Context(), p.view.Flow); err != nil || len(got) != 2 || got[0].Name != "Salary" {
		t.Errorf("listed %v, %v", got, err)
	}
	seen := p.rev()
	for _, ids := range [][]string{nil, {"3"}} {
		if p.picks(seen, ids...); !p.view.None || p.view.Stale {
			t.Errorf("%v: %+v", ids, p.view)
		}
		p.in(flow.PickAccounts)
	}
	if p.picks(seen-1, "2"); !p.view.Stale || p.view.None {
		t.Error("a choice on another state counts")
	}
	if p.picks(seen, "2"); p.view.None || p.view.Stale {
		t.Fatalf("%+v", p.view)
	}
	if p.view.Flow.State == flow.PickAccounts {
		t.Error("the page asks again")
	}
	if c := p.Consent(p.view.Flow.ConsentID); c.Step != consent.StepOpen || !slices.Equal(c.Requested.AccountIDs, []string{"2"}) {
		t.Errorf("at %s for %v", c.Step, c.Requested.AccountIDs)
	}
	if p.picks(seen, "1"); !p.view.Stale {
		t.Error("the slower of two pages chooses")
	}
	p.looks()
	p.acts(flow.Cancel{})
	p.in(flow.Cancelled)
}

// A bank that lists nothing before the consent has its own way to ask.
func TestConnect_AsksForNoChoiceAtTheOthers(t *testing.T) {
	b := newEnv(t)
	p := b.opens(func(r *connect.LinkRequest) { r.Terms.Companies = []string{page} })
	p.begins(connect.ByPage)
	c := p.Consent(p.view.Flow.ConsentID)
	plain, err := b.Vault.Open(t.Context(), c.UserID, authorize.SecretPlace(c.ID), c.Sealed)
	var secret consent.Secret
	if err != nil || json.Unmarshal(plain, &secret) != nil || secret.Chooses {
		t.Errorf("asked at a bank that lists nothing: %v", err)
	}
}
