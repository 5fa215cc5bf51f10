package cli

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"samla/test/process"
)

// revokedWithin is how long running servers may still let a revoked key in.
const revokedWithin = 5 * time.Second

// TestKeysWhileServing makes, lists and revokes keys beside a running server.
func TestKeysWhileServing(t *testing.T) {
	t.Parallel()
	overStores(t, func(t *testing.T, store []string) {
		w := newWorld(t)
		first := w.key(t, store, "acme", "--name", "first")
		p, api := w.serve(t, store)
		v := visitor(t, api, first, w.phone, "customer-1")
		second := w.key(t, store, "acme", "--name", "second")
		other := w.key(t, store, "umbrella")
		for key, want := range map[string]int{first: 0, second: 0, other: 404, second + "x": 401} {
			if status := v.status(t.Context(), key); status != want {
				t.Errorf("a key is answered with %d, want %d", status, want)
			}
		}

		list := w.command(t, store, "key", "list")
		for _, secret := range []string{first, second, other} {
			if strings.Contains(list, secret) {
				t.Error("the list shows a key")
			}
		}
		row := regexp.MustCompile(`(?m)^(\S+)\s+acme\s+first\s+\S+\s+-$`).FindStringSubmatch(list)
		if row == nil || !regexp.MustCompile(`(?m)^\S+\s+umbrella\s`).MatchString(list) {
			t.Fatalf("the list is\n%s", list)
		}
		if out := w.command(t, store, "key", "revoke", row[1]); out != "" {
			t.Errorf("printed %q", out)
		}
		revoked := time.Now()
		for v.status(t.Context(), first) != 401 {
			if time.Since(revoked) > revokedWithin {
				t.Fatal("the revoked key is let in")
			}
			time.Sleep(poll)
		}
		if status := v.status(t.Context(), second); status != 0 {
			t.Errorf("the client's other key is answered with %d", status)
		}
		if list = w.command(t, store, "key", "list"); regexp.MustCompile(`first\s+\S+\s+-\n`).MatchString(list) {
			t.Errorf("the list shows the key as not revoked:\n%s", list)
		}
		fails(t, "key", append([]string{"key", "revoke", "01a20326-0000-7000-8000-000000000000"}, w.store(store)...)...)
		stop(t, p)
	})
}

// command runs a command on the world's store and returns what it prints.
func (w *world) command(t *testing.T, store []string, args ...string) string {
	t.Helper()
	out, log, status := process.Run(t, program, append(args, w.store(store)...)...)
	if status != 0 {
		t.Fatalf("samla %s: exit status %d\n%s", strings.Join(args, " "), status, log)
	}
	return out
}
