package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/seal/keyset"
	"samla/internal/store/sqlstore"
	"samla/test/process"
)

// killAfter starts a command and kills it after a while, as in a crash.
func killAfter(t *testing.T, d time.Duration, args ...string) {
	t.Helper()
	p := process.Start(t, program, args...)
	time.Sleep(d) // the moment of the kill is what the test varies
	p.Kill()
}

// The commands that write keys and backups are killed at different moments. What is left
// opens, and the next call succeeds.
func TestBackup_KilledAtAnyMomentLeavesUsableState(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	w.createKey(t, nil, "acme")
	flags := w.storeFlags(nil)
	dir := t.TempDir()
	ok := func(args ...string) string {
		t.Helper()
		out, log, status := process.Run(t, program, append(args, flags...)...)
		if status != 0 {
			t.Fatalf("%s: %s", strings.Join(args, " "), log)
		}
		return out
	}
	for i := range 12 {
		d := time.Duration(i*7) * time.Millisecond
		killAfter(t, d, append([]string{"key", "rotate-master"}, flags...)...)
		ok("key", "list")
		path := filepath.Join(dir, d.String())
		killAfter(t, d, append([]string{"backup", path}, flags...)...)
		if _, err := os.Stat(path); err == nil { // it was quick enough
			ok("restore", "--check", path)
		}
	}
	ok("key", "rotate-master")
	path := filepath.Join(dir, "whole")
	var made, checked struct {
		ID   string
		Rows map[string]int64
	}
	if err := json.Unmarshal([]byte(ok("backup", path)), &made); err != nil || made.Rows["clients"] != 1 || made.Rows["api_keys"] != 1 {
		t.Errorf("%+v, %v", made, err)
	}
	if err := json.Unmarshal([]byte(ok("restore", "--check", path)), &checked); err != nil || checked.ID != made.ID {
		t.Errorf("%+v, %v", checked, err)
	}
	// A restore that is killed is repeated; then the API key of the backup is listed.
	into := []string{"--master-key-file", w.master, "--data", filepath.Join(t.TempDir(), "new")}
	for i := range 8 {
		killAfter(t, time.Duration(i*15)*time.Millisecond, append([]string{"restore", path}, into...)...)
	}
	out, log, status := process.Run(t, program, append([]string{"restore", path}, into...)...)
	if status != 0 && !strings.Contains(log, "not empty") { // "not empty": one of those before was quick enough
		t.Fatalf("%s %s", out, log)
	}
	if out, log, status := process.Run(t, program, append([]string{"key", "list"}, into...)...); status != 0 || !strings.Contains(out, "acme") {
		t.Errorf("%s %s", out, log)
	}
	wantFailure(t, "not empty", append([]string{"restore", path}, into...)...)
	wantFailure(t, "exists already", append([]string{"backup", path}, flags...)...)
	wantFailure(t, "whole backup", append([]string{"restore", w.banks}, into...)...)
}

// A server is killed while it wraps data keys again. All of them open, and the next one
// wraps the rest.
func TestServe_KilledDuringRewrapLosesNoKey(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	w.createKey(t, nil, "acme")
	master, err := keyset.LoadMaster(w.master, "")
	if err != nil {
		t.Fatal(err)
	}
	const subjects = 3000
	place := seal.Place{Table: "consents", Column: "sealed", Row: "1"}
	name := func(i int) string { return "subject-" + string(rune('a'+i%26)) + "-" + time.Duration(i).String() }
	withVault := func(do func(s *sqlstore.Store, before, now *keyset.Vault)) {
		t.Helper()
		s, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: filepath.Join(w.dir, "data", "store")})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		before, err := keyset.New(master, s, clock.System()) // wraps as the release before
		if err != nil {
			t.Fatal(err)
		}
		ring, err := keyset.OpenRing(keyset.RingConfig{Dir: filepath.Join(filepath.Dir(w.master), "keys"), Master: master, Clock: clock.System()})
		if err != nil {
			t.Fatal(err)
		}
		do(s, before, keyset.NewEpochs(ring, s, clock.System()))
	}
	sealed := make([][]byte, subjects)
	withVault(func(_ *sqlstore.Store, before, _ *keyset.Vault) {
		for i := range sealed {
			if sealed[i], err = before.Seal(t.Context(), name(i), place, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	})
	left := func() (n int) {
		t.Helper()
		withVault(func(s *sqlstore.Store, _, now *keyset.Vault) {
			for i := range sealed {
				if _, err := now.Open(t.Context(), name(i), place, sealed[i]); err != nil {
					t.Fatal(err)
				}
				wrapped, err := s.DataKey(t.Context(), name(i))
				if err != nil {
					t.Fatal(err)
				}
				if id, _ := seal.EpochOf(wrapped); id == "" {
					n++
				}
			}
		})
		return n
	}
	partly := false
	for i := 0; i < 40; i++ {
		p, _ := w.serve(t, nil)
		time.Sleep(time.Duration(i*3) * time.Millisecond) // the moment of the kill is what the test varies
		p.Kill()
		n := left()
		if partly = partly || n > 0 && n < subjects; n == 0 {
			break
		}
	}
	if n := left(); n != 0 {
		t.Errorf("%d data keys are still under the master key", n)
	}
	t.Logf("killed in the middle: %t", partly)
}
