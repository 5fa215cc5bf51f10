package collect

import (
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/institution"
)

func TestMatchesAny_ComparesEveryNumber(t *testing.T) {
	a := fact.Account{ID: "r1", IBAN: "SE4550000000058398257466", BBAN: "50000000058398257466"}
	for id, want := range map[string]bool{"r1": true, "SE45 5000 0000 0583 9825 7466": true, "50000000058398257466": true, "r2": false, "": false} {
		if matchesAny(a, []string{id}) != want {
			t.Errorf("%q: want %v", id, want)
		}
	}
	if !matchesAny(a, nil) {
		t.Error("no ids must name everything")
	}
}

func TestHistoryFrom_IsLongOnlyAfterSignature(t *testing.T) {
	now := time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	p := institution.Profile{}.WithDefaults()
	signed := func(ago time.Duration) consent.Consent {
		return consent.Consent{SCAExpiresAt: now.Add(consent.MaxSCAAge - ago)}
	}
	c := collection.Collection{CreatedAt: now, StatusChangedAt: now, Attended: true}
	if got := historyFrom(c, signed(time.Minute), p); got != "2024-04-01" {
		t.Errorf("just signed: from %s", got)
	}
	if got := historyFrom(c, signed(24*time.Hour), p); got != "2026-01-02" {
		t.Errorf("signed yesterday: from %s", got)
	}
	c.Attended = false
	if got := historyFrom(c, signed(time.Minute), p); got != "2026-01-02" {
		t.Errorf("without the person: from %s", got)
	}
}
