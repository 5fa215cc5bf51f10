package authorize_test

import (
	"testing"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/store"
)

func TestLiving_ByAnyIDOfTheLineage(t *testing.T) {
	b := newEnv(t)
	add := func(c consent.Consent) consent.Consent {
		c.ID, c.ClientID, c.Company = consent.ID(b.IDs.New()), "client", theBank
		if err := b.Store.Write(t.Context(), func(tx store.Tx) error { return tx.AddConsent(t.Context(), c) }); err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := add(consent.Consent{Status: consent.Revoked, Granted: &consent.Scope{}})
	second := add(consent.Consent{Status: consent.Authorized, Granted: &consent.Scope{}, Lineage: first.ID, Renews: first.ID})
	third := add(consent.Consent{Status: consent.Initiated, Lineage: first.ID, Renews: second.ID})
	for _, c := range []consent.Consent{first, second, third} {
		if got, err := authorize.Living(t.Context(), b.Store, c); err != nil || got.ID != second.ID {
			t.Errorf("%s: %s, %v", c.ID, got.ID, err)
		}
	}
}
