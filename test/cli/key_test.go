package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/test/process"
)

// revocationDelay is how long running servers may accept a revoked key.
const revocationDelay = 5 * time.Second

// TestKey_WorksWhileServerRuns creates, lists and revokes keys while a server is running.
func TestKey_WorksWhileServerRuns(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, store []string) {
		w := newEnv(t)
		first := w.createKey(t, store, "acme", "--name", "first")
		p, api := w.serve(t, store)
		v := newUser(t, api, first, w.phone, "customer-1")
		second := w.createKey(t, store, "acme", "--name", "second")
		other := w.createKey(t, store, "umbrella")
		for key, want := range map[string]int{first: 0, second: 0, other: 404, second + "x": 401} {
			if status := v.status(t.Context(), key); status != want {
				t.Errorf("status %d with a key, want %d", status, want)
			}
		}

		list := w.run(t, store, "key", "list")
		for _, secret := range []string{first, second, other} {
			if strings.Contains(list, secret) {
				t.Error("the list contains a key")
			}
		}
		row := regexp.MustCompile(`(?m)^(\S+)\s+acme\s+first\s+\S+ \S+ UTC\s+-$`).FindStringSubmatch(list)
		if row == nil || !regexp.MustCompile(`(?m)^\S+\s+umbrella\s`).MatchString(list) {
			t.Fatalf("the list is\n%s", list)
		}
		if out := w.run(t, store, "key", "revoke", row[1]); out != "" {
			t.Errorf("printed %q", out)
		}
		revoked := time.Now()
		for began := revoked; v.status(t.Context(), first) != 401; began = time.Now() {
			if began.Sub(revoked) > revocationDelay { // however long the request took
				t.Fatal("the revoked key is accepted")
			}
			time.Sleep(pollInterval)
		}
		if status := v.status(t.Context(), second); status != 0 {
			t.Errorf("status %d with the client's other key", status)
		}
		if list = w.run(t, store, "key", "list"); regexp.MustCompile(`first\s+\S+ \S+ UTC\s+-\n`).MatchString(list) {
			t.Errorf("the list shows the key as not revoked:\n%s", list)
		}
		wantFailure(t, "no API key with id 01a20326", append([]string{"key", "revoke", "01a20326-0000-7000-8000-000000000000"}, w.storeFlags(store)...)...)
		stop(t, p)
	})
}

// run runs a command on the env's store and returns what it prints.
func (w *env) run(t *testing.T, store []string, args ...string) string {
	t.Helper()
	out, log, status := process.Run(t, program, append(args, w.storeFlags(store)...)...)
	if status != 0 {
		t.Fatalf("samla %s: exit status %d\n%s", strings.Join(args, " "), status, log)
	}
	return out
}
