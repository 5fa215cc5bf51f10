package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"samla/internal/availability"
	"samla/internal/collection"
	"samla/internal/store"
)

// released are the beginnings of the SHA-256 of the migrations that a release has. A
// database that it has made was made by these texts: one that is changed makes two forms of
// the same schema.
var released = map[string]string{
	"00001_start.sql":           "32b3879195772f5a",
	"00002_jobs.sql":            "b62fcb9f2d23bc20",
	"00003_lists.sql":           "1a56d1339418f66a",
	"00004_product_form.sql":    "a885e33f85b6f633",
	"00005_claims.sql":          "62f8d46f73ad4668",
	"00006_support.sql":         "f92f29efb71dea76",
	"00007_packed_products.sql": "6edb4990fe7007b4",
	"00008_dialogues.sql":       "99e992978ffafbc9",
	"00009_events.sql":          "5ce588af8824f5fd",
	"00010_webhooks.sql":        "fa5ada0d6433c220",
	"00011_lineage.sql":         "09900860b402e022",
	"00012_plans.sql":           "60bf45f7ac1ef23a",
	"00013_accounts.sql":        "d3bacbdbdee5f614",
	"00014_feed.sql":            "c913c5515af17458",
	"00015_audit_chain.sql":     "4c515a07c97e052a",
	"00016_epochs.sql":          "53be4a829524982a",
	"00017_mapping.sql":         "9b5d62d8825ea7f1",
	"00018_availability.sql":    "928a24838ec671ad",
}

func TestMigrations_StayAsReleased(t *testing.T) {
	for name, want := range released {
		text, err := migrations.ReadFile("migrations/" + name)
		if sum := sha256.Sum256(text); err != nil || hex.EncodeToString(sum[:8]) != want {
			t.Errorf("%s is not as it was released (%x, %v): add a migration in its place", name, sum[:8], err)
		}
	}
}

// The release before this one counts calls by cause, in the same rows, and may still run
// beside it: each reads what the other has counted.
func TestAvailability_IsSharedWithTheReleaseBefore(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		hour := availability.HourOf(began)
		for i, cause := range []availability.Cause{availability.Served, availability.ByPerson, availability.ByInstitution} {
			execute(t, s, `INSERT INTO availability_calls (company, hour, cause, bucket, calls) VALUES ($1, $2, $3, $4, $5)`,
				"se-a", micros(hour), string(cause), int64(3), int64(1)<<i)
		}
		if err := s.Write(t.Context(), func(tx store.Tx) error {
			return tx.AddAvailability(t.Context(), []availability.Call{{Company: "se-a", Start: hour, Bucket: 3, Calls: 8}}, nil)
		}); err != nil {
			t.Fatal(err)
		}
		counted := func() int64 {
			hours, err := s.AvailabilityHours(t.Context(), hour)
			if err != nil || len(hours) != 1 {
				t.Fatalf("%+v, %v", hours, err)
			}
			return hours[0].Latency[3]
		}
		if n := counted(); n != 1+2+8 {
			t.Errorf("%d answered calls", n)
		}
		if err := s.Write(t.Context(), func(tx store.Tx) error {
			return tx.FoldAvailability(t.Context(), hour.Add(time.Hour), hour.Add(time.Hour))
		}); err != nil {
			t.Fatal(err)
		}
		if n := counted(); n != 1+2+8 {
			t.Errorf("%d answered calls, folded", n)
		}
		if calls, err := one(t.Context(), s.q, column[string], `SELECT calls FROM availability_hours WHERE company = $1`, "se-a"); err != nil || calls != "{}" {
			t.Errorf("calls by cause are %q, %v", calls, err)
		}
	})
}

// The release before does not start any more once this one has sent persons to pages of
// institutions.
func TestRaiseOldest_IsForGood(t *testing.T) {
	each(t, func(t *testing.T, s *Store) {
		if raised, err := s.RaiseOldest(t.Context(), VisitsMigration-1); err != nil || raised {
			t.Errorf("news of a database that nobody has used: %v, %v", raised, err)
		}
		add(t, s, collection.Collection{ID: "c-1", Status: collection.Completed})
		for i, want := range []bool{true, false} {
			if raised, err := s.RaiseOldest(t.Context(), VisitsMigration); err != nil || raised != want {
				t.Errorf("the %d. time: %v, %v", i+1, raised, err)
			}
		}
		if raised, err := s.RaiseOldest(t.Context(), epochsMigration); err != nil || raised {
			t.Errorf("an older one: %v, %v", raised, err)
		}
		if oldest, err := one(t.Context(), s.q, column[int64], `SELECT MAX(oldest) FROM schema_support`); err != nil || oldest != VisitsMigration {
			t.Errorf("binaries from %d on, %v", oldest, err)
		}
	})
}
