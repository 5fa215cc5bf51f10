package authorize_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/flowtest"
	"samla/internal/journal"
)

// written is a journal in memory.
type written struct {
	mu      sync.Mutex
	records []journal.Record
}

func (w *written) Record(_ context.Context, records ...journal.Record) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, records...)
	return nil
}

// ends reports whether a restore ends the consent by what is written.
func (w *written) ends(id consent.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(journal.Settled(w.records), func(r journal.Record) bool {
		return r.ID == string(id) && (r.Kind == journal.ConsentReplaced || r.Kind == journal.ConsentEnded)
	})
}

// The journal ends a replaced consent once its renewal is authorized, and not because that
// was tried.
func TestRenew_IsInTheJournalWhenItIsAuthorized(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": flowtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			b := newEnvOn(t, database(t))
			kept := &written{}
			b.Service.Journal = kept
			old := b.run(b.create().ID)
			next := b.mustRenew(old.ID)
			b.MustRun(b.Handle, string(next.ID))
			database := &dead{Store: b.Store}
			b.Service.Store = database
			database.now.Store(true)
			for range 5 {
				b.Clock.Advance(time.Second)
				b.Ask(t.Context(), next.ID)
			}
			if len(kept.records) == 0 || kept.ends(old.ID) {
				t.Errorf("without a commit: %+v", kept.records)
			}
			database.now.Store(false)
			if c := b.run(next.ID); c.Status != consent.Authorized || !kept.ends(old.ID) {
				t.Errorf("%s: %+v", c.Status, kept.records)
			}
		})
	}
}
