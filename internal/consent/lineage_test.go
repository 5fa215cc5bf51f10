package consent_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/consent"
)

// of returns a consent of a lineage whose first one is "1".
func of(id consent.ID, s consent.Status, signed bool) consent.Consent {
	c := consent.Consent{ID: id, Status: s}
	if id != "1" {
		c.Lineage, c.Renews = "1", "1"
	}
	if signed {
		c.Granted = &consent.Scope{}
	}
	return c
}

func TestLineageID_IsTheFirstConsent(t *testing.T) {
	if id := of("1", consent.Authorized, true).LineageID(); id != "1" {
		t.Error(id)
	}
	if id := of("2", consent.Authorized, true).LineageID(); id != "1" {
		t.Error(id)
	}
}

func TestLiving_OfEveryKindOfLineage(t *testing.T) {
	for name, test := range map[string]struct {
		lineage []consent.Consent
		want    consent.ID
	}{
		"alone":                        {[]consent.Consent{of("1", consent.Authorized, true)}, "1"},
		"never authorized":             {[]consent.Consent{of("1", consent.Failed, false)}, "1"},
		"pending":                      {[]consent.Consent{of("1", consent.Initiated, false)}, "1"},
		"renewed":                      {[]consent.Consent{of("1", consent.Revoked, true), of("2", consent.Authorized, true)}, "2"},
		"renewal pending":              {[]consent.Consent{of("1", consent.Authorized, true), of("2", consent.AwaitingAuthorization, false)}, "1"},
		"expired, renewal pending":     {[]consent.Consent{of("1", consent.Expired, true), of("2", consent.Initiated, false)}, "1"},
		"renewal failed":               {[]consent.Consent{of("1", consent.Authorized, true), of("2", consent.Failed, false)}, "1"},
		"expired, renewal failed":      {[]consent.Consent{of("1", consent.Expired, true), of("2", consent.Failed, false)}, "1"},
		"renewed, and withdrawn":       {[]consent.Consent{of("1", consent.Revoked, true), of("2", consent.Revoked, true)}, "2"},
		"renewed, withdrawn, one more": {[]consent.Consent{of("1", consent.Revoked, true), of("2", consent.Revoked, true), of("3", consent.Revoked, false)}, "2"},
	} {
		slices.Reverse(test.lineage)
		if got, ok := consent.Living(test.lineage); !ok || got.ID != test.want {
			t.Errorf("%s: %q, %t", name, got.ID, ok)
		}
	}
	if _, ok := consent.Living(nil); ok {
		t.Error("an empty lineage has one")
	}
}

// Whatever a lineage is: where one works, a working one is chosen, and never one that
// was not authorized before one that was. The order of the list has no effect.
func TestLiving_IsTheBestOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) consent.Consent {
			s := rapid.SampledFrom(consent.Statuses()).Draw(t, "status")
			signed := s == consent.Authorized || s == consent.Expired || s == consent.Revoked && rapid.Bool().Draw(t, "signed")
			return of(consent.ID(rapid.StringMatching(`[1-9]`).Draw(t, "id")), s, signed)
		}), 1, 6, func(c consent.Consent) consent.ID { return c.ID }).Draw(t, "lineage")
		got, _ := consent.Living(all)
		mixed, _ := consent.Living(rapid.Permutation(all).Draw(t, "mixed"))
		if got.ID != mixed.ID {
			t.Fatalf("%s and %s", got.ID, mixed.ID)
		}
		for _, c := range all {
			better := c.Status == consent.Authorized && got.Status != consent.Authorized || c.WasAuthorized() && !got.WasAuthorized()
			newer := c.Status == got.Status && c.WasAuthorized() && c.ID > got.ID && c.Status == consent.Authorized
			if better || newer {
				t.Fatalf("%+v instead of %+v", got, c)
			}
		}
	})
}

func TestPendingRenewal_IsOneThatRenews(t *testing.T) {
	for _, test := range []struct {
		c    consent.Consent
		want bool
	}{
		{of("1", consent.Initiated, false), false}, {of("2", consent.Initiated, false), true},
		{of("2", consent.AwaitingAuthorization, false), true}, {of("2", consent.Failed, false), false}, {of("2", consent.Authorized, true), false},
	} {
		if _, ok := consent.PendingRenewal([]consent.Consent{of("1", consent.Authorized, true), test.c}); ok != test.want {
			t.Errorf("%s %s: %t", test.c.ID, test.c.Status, ok)
		}
	}
}
