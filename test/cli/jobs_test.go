package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/collection"
	"samla/internal/store"
	"samla/internal/store/sqlstore"
	"samla/test/process"
)

// TestJobs_ParkedRowIsListedResumedAndDropped parks a row as a server does, then lists,
// resumes and drops it with the command.
func TestJobs_ParkedRowIsListedResumedAndDropped(t *testing.T) {
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
		claim := func() store.Job {
			claimed, err := db.Claim(t.Context(), store.Collections, time.Now(), time.Minute, store.ClaimLimit{Rows: 1})
			if err != nil || len(claimed) != 1 {
				t.Fatalf("claimed %v: %v", claimed, err)
			}
			return claimed[0]
		}
		park := func() {
			if err := db.ParkJob(t.Context(), store.Collections, claim(), now, "the handler panicked"); err != nil {
				t.Fatal(err)
			}
		}
		park()
		command := func(args ...string) string {
			out, log, status := process.Run(t, program, append(args, flags...)...)
			if status != 0 {
				t.Fatalf("%v: exit status %d: %s", args, status, log)
			}
			return out
		}
		if out := command("jobs", "list"); !strings.Contains(out, "collections  "+id+"  1 ") || !strings.Contains(out, "the handler panicked") {
			t.Errorf("printed\n%s", out)
		}
		command("jobs", "resume", "collections", id)
		if out := command("jobs", "list"); strings.Contains(out, id) {
			t.Errorf("after it was resumed:\n%s", out)
		}
		wantFailure(t, "collections has no parked job "+id, append([]string{"jobs", "resume", "collections", id}, flags...)...)
		park()
		if out := command("jobs", "drop", "collections", id); !strings.Contains(out, "Nothing was done. With --yes: The collection ends with the status FAILED.") {
			t.Errorf("printed\n%s", out)
		}
		command("jobs", "drop", "collections", id, "--yes")
		if j := claim(); j.ID != id || j.Attempts <= store.Dropped {
			t.Errorf("a server gets %+v", j)
		}
		wantFailure(t, "collections has no parked job "+id, append([]string{"jobs", "drop", "collections", id, "--yes"}, flags...)...)
		wantFailure(t, "outbox has no parked job "+id, append([]string{"jobs", "resume", "outbox", id}, flags...)...)
		wantFailure(t, `one of ["consents" "collections" "outbox" "dialogues" "webhooks" "schedules"]`, append([]string{"jobs", "resume", "nonsense", id}, flags...)...)
	})
}

// TestCommands_NeedExistingDatabase runs the commands that create no database in a
// directory without one. They must fail and leave the directory as it is.
func TestCommands_NeedExistingDatabase(t *testing.T) {
	t.Parallel()
	dir, master := t.TempDir(), tempPath(t, "master.json")
	if _, log, status := process.Run(t, program, "master-key", master); status != 0 {
		t.Fatal(log)
	}
	for _, args := range [][]string{{"jobs", "list"}, {"jobs", "resume", "outbox", "x"}, {"jobs", "drop", "outbox", "x"},
		{"key", "list", "--master-key-file", master}, {"key", "revoke", "x", "--master-key-file", master}} {
		wantFailure(t, dir+" contains no database", append(args, "--data", dir)...)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the directory contains %v: %v", left, err)
	}
}
