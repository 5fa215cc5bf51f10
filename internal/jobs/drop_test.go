package jobs_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"samla/internal/jobs"
	"samla/internal/store"
)

// A row that was dropped goes to the last resort, and not to its handler, unless the last
// resort cannot settle it: then the handler has it again.
func TestDrop_GoesToTheLastResort(t *testing.T) {
	b := newBench(t)
	settled, kept := b.due(1)[0], b.due(1)[0]
	for _, j := range must(b.store.Claim(t.Context(), store.Consents, start, time.Second, store.ClaimLimit{Rows: 9}))(t) {
		if err := errors.Join(b.store.ParkJob(t.Context(), store.Consents, j, start, "broken"), b.store.DropJob(t.Context(), store.Consents, j.ID, start)); err != nil {
			t.Fatal(err)
		}
	}
	calls := make(chan string, 9)
	b.Register(jobs.Queue{Name: store.Consents, Workers: 2,
		Handle: func(ctx context.Context, id string) error {
			defer func() { calls <- "handled " + id }()
			return b.done(ctx, id)
		},
		LastResort: func(ctx context.Context, id string) error {
			defer func() { calls <- "given up " + id }()
			if !jobs.Dropped(ctx) {
				t.Error("the last resort does not know that the row was dropped")
			}
			if id == kept {
				return jobs.ErrKeepTrying
			}
			return b.done(ctx, id)
		}})
	b.Start(t.Context())
	got := map[string]bool{}
	for range 3 {
		select {
		case call := <-calls:
			got[call] = true
		case <-time.After(time.Minute):
			t.Fatalf("only %v", got)
		}
	}
	if want := map[string]bool{"given up " + settled: true, "given up " + kept: true, "handled " + kept: true}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if jobs.Dropped(t.Context()) {
		t.Error("dropped outside of a handler")
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
