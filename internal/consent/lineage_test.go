package consent_test

import (
	"slices"
	"testing"
	"time"

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

func TestReplaced_EndsAnAuthorizedOneAndKeepsTheStatusOfAnother(t *testing.T) {
	now := start.Add(time.Hour)
	for _, test := range []struct {
		c     consent.Consent
		want  consent.Status
		legal bool
	}{
		{of("1", consent.Authorized, true), consent.Revoked, true},
		{of("1", consent.Expired, true), consent.Expired, true},
		{of("1", consent.Revoked, true), consent.Revoked, true},
		{of("1", consent.Revoked, false), consent.Revoked, false}, // revoked while it waited
		{of("1", consent.Failed, false), consent.Failed, false},
		{of("1", consent.Initiated, false), consent.Initiated, false},
		{of("1", consent.AwaitingAuthorization, false), consent.AwaitingAuthorization, false},
		{consent.Consent{ID: "1", Status: consent.Authorized, Granted: &consent.Scope{}, CollectionID: "c"}, consent.Authorized, false},
		{consent.Consent{ID: "1", Status: consent.Revoked, Granted: &consent.Scope{}, RenewedBy: "2"}, consent.Revoked, false},
	} {
		after, err := test.c.Apply(consent.Replaced{By: "next"}, now)
		if (err == nil) != test.legal || after.Status != test.want || test.legal && after.RenewedBy != "next" {
			t.Errorf("%s, authorized %t: %+v, %v", test.c.Status, test.c.WasAuthorized(), after, err)
		}
		if ended := after.Status != test.c.Status; ended != after.RevokedAt.Equal(now) {
			t.Errorf("%s: revoked at %s", test.c.Status, after.RevokedAt)
		}
	}
	if _, err := of("1", consent.Authorized, true).Apply(consent.Replaced{}, now); err == nil {
		t.Error("replaced by nothing")
	}
}

func TestShortened_OnlyToALaterMomentBeforeTheEnd(t *testing.T) {
	c := of("1", consent.Authorized, true)
	c.ExpiresAt = start.AddDate(0, 0, 90)
	for days, legal := range map[int]bool{89: true, 1: true, 0: false, -1: false, 90: false, 91: false} {
		until := start.AddDate(0, 0, days)
		after, err := c.Apply(consent.Shortened{Until: until}, start)
		if (err == nil) != legal || legal != after.ExpiresAt.Equal(until) && legal {
			t.Errorf("%d days: %s, %v", days, after.ExpiresAt, err)
		}
	}
}

func TestWarnAt_IsAheadOfTheEndAndInTheSecondHalf(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct{ validity, ahead, want time.Duration }{
		{180 * day, 7 * day, 173 * day}, {90 * day, 30 * day, 60 * day}, {14 * day, 7 * day, 7 * day},
		{7 * day, 7 * day, 84 * time.Hour}, {day, 7 * day, 12 * time.Hour}, {180 * day, 400 * day, 90 * day},
	} {
		c := of("1", consent.Authorized, true)
		c.StatusChangedAt, c.ExpiresAt = start, start.Add(test.validity)
		if at := c.WarnAt(test.ahead); !at.Equal(start.Add(test.want)) {
			t.Errorf("valid for %s, %s ahead: after %s, want %s", test.validity, test.ahead, at.Sub(start), test.want)
		}
	}
}

// Once for each end: however time passes and the bank shortens the validity, no end is
// told twice, and none that was reached with time to tell is left out.
func TestWarning_OnceForEachEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := of("1", consent.Authorized, true)
		c.StatusChangedAt, c.ExpiresAt = start, start.Add(time.Duration(rapid.IntRange(1, 200*24).Draw(t, "hours"))*time.Hour)
		told, now := map[int64]int{}, start
		for now.Before(c.ExpiresAt) {
			if next := c.WarnAt(consent.WarnAhead); c.WarnsNow(consent.WarnAhead, now) {
				told[c.ExpiresAt.Unix()]++
				c, _ = c.Apply(consent.Warning{}, now)
			} else if next.IsZero() != (told[c.ExpiresAt.Unix()] == 1) {
				t.Fatalf("told %d times of %s, next at %s", told[c.ExpiresAt.Unix()], c.ExpiresAt, next)
			}
			if rapid.Bool().Draw(t, "shortens") {
				c, _ = c.Apply(consent.Shortened{Until: now.Add(time.Duration(rapid.IntRange(-10, 4000).Draw(t, "until")) * time.Hour)}, now)
			}
			step := 10 * time.Hour
			if at := c.WarnAt(consent.WarnAhead); at.After(now) && at.Sub(now) < step {
				step = at.Sub(now) // the row is due then
			}
			now = now.Add(step)
			if told[c.ExpiresAt.Unix()] > 1 {
				t.Fatalf("told %d times", told[c.ExpiresAt.Unix()])
			}
		}
	})
}

func TestAccountsSince_NamesTheDifference(t *testing.T) {
	with := func(ids ...string) consent.Consent { return consent.Consent{Granted: &consent.Scope{AccountIDs: ids}} }
	for _, test := range []struct {
		before, now    consent.Consent
		added, missing []string
	}{
		{with(iban1), with(iban1), nil, nil},
		{with(iban1), with(iban2), []string{iban2}, []string{iban1}},
		{with(iban1), with(iban1, iban2), []string{iban2}, nil},
		{with(iban1, iban2), with(iban2), nil, []string{iban1}},
		{with(), with(iban1), nil, nil}, {with(iban1), with(), nil, nil}, {consent.Consent{}, with(iban1), nil, nil},
	} {
		got := test.now.AccountsSince(test.before)
		if !slices.Equal(got.Added, test.added) || !slices.Equal(got.Missing, test.missing) || got.Empty() != (test.added == nil && test.missing == nil) {
			t.Errorf("%v after %v: %+v", test.now.Granted, test.before.Granted, got)
		}
	}
}
