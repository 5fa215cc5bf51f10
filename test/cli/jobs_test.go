package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/test/process"
)

// TestJobs_ParkedRowIsListedAndResumed parks a row as a server does, then lists and resumes
// it with the command.
func TestJobs_ParkedRowIsListedAndResumed(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, flags []string) {
		dir := filepath.Join(t.TempDir(), "data")
		dsn := filepath.Join(dir, "store")
		if len(flags) > 0 {
			dsn = flags[len(flags)-1]
		}
		flags = append([]string{"--data", dir}, flags...)
		db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		const id = "0195f0c0-0000-7000-8000-00000000c011"
		now := time.Now()
		if err := db.Write(t.Context(), func(tx store.Tx) error {
			return tx.AddCollection(t.Context(), collection.Collection{ID: id, ClientID: "c", Status: collection.Running, CreatedAt: now, WakeAt: now})
		}); err != nil {
			t.Fatal(err)
		}
		if err := db.ParkJob(t.Context(), store.Collections, store.Job{ID: id, Attempts: 20}, now, "the handler panicked"); err != nil {
			t.Fatal(err)
		}
		command := func(args ...string) string {
			out, log, status := process.Run(t, program, append(args, flags...)...)
			if status != 0 {
				t.Fatalf("%v: exit status %d: %s", args, status, log)
			}
			return out
		}
		if out := command("jobs", "list"); !strings.Contains(out, "collections  "+id+"  20 ") || !strings.Contains(out, "the handler panicked") {
			t.Errorf("printed\n%s", out)
		}
		command("jobs", "resume", "collections", id)
		if out := command("jobs", "list"); strings.Contains(out, id) {
			t.Errorf("after it was resumed:\n%s", out)
		}
		wantFailure(t, "not found", append([]string{"jobs", "resume", "collections", id}, flags...)...)
		wantFailure(t, "unknown queue", append([]string{"jobs", "resume", "nonsense", id}, flags...)...)
	})
}
