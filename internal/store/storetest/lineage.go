package storetest

import (
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
)

// addLineage adds a row of n consents of which each renews the one before.
func (f fixture) addLineage(n int) []consent.Consent {
	f.Helper()
	var all []consent.Consent
	for i := range n {
		all = append(all, f.addConsent(func(c *consent.Consent) {
			c.Lineage, c.Renews, c.RenewedBy = "", "", ""
			if i > 0 {
				c.Lineage, c.Renews = all[0].ID, all[i-1].ID
			}
		}))
	}
	return all
}

func testLineageConsents(_ *testing.T, f fixture) {
	all := f.addLineage(3)
	f.addLineage(2)
	got, err := f.s.LineageConsents(f.ctx, all[0].LineageID())
	check(f, "lineage", got, err, []consent.Consent{all[2], all[1], all[0]})
	got, err = f.s.LineageConsents(f.ctx, all[1].ID)
	check(f, "by a later one, that one alone", got, err, []consent.Consent{all[1]})
	for _, id := range []consent.ID{"", consent.ID(newID()), "\x00"} {
		got, err = f.s.LineageConsents(f.ctx, id)
		check(f, "no such lineage", len(got), err, 0)
	}
}

func testUnattendedOfLineage(_ *testing.T, f fixture) {
	all := f.addLineage(3)
	var want []time.Time
	for i, c := range all {
		at := start.Add(time.Duration(i+1) * time.Minute)
		f.addCollection(func(k *collection.Collection) { k.ConsentID, k.Attended, k.CreatedAt = c.ID, false, at })
		want = append(want, at)
	}
	got, err := f.s.UnattendedSince(f.ctx, all[0].LineageID(), start)
	check(f, "refreshes of the lineage", got, err, want)
}
