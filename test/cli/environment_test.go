package cli

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/test/process"
)

// TestCommands_RemoveTemporaryFiles runs commands without a data directory. They must
// leave no files in the directory for temporary files.
func TestCommands_RemoveTemporaryFiles(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	set := "TMPDIR=" + temporary
	if _, log, status := process.Run(t, "env", set, program, "demo"); status != 0 {
		t.Errorf("exit status %d\n%s", status, log)
	}
	for _, args := range [][]string{{"dev", "--listen", "127.0.0.1:0", "--json"}, {"sandbox", "--listen", "127.0.0.1:0", "--json"}} {
		p := process.Start(t, "env", append([]string{set, program}, args...)...)
		firstLine(t, p, &struct{}{})
		if left, err := os.ReadDir(temporary); err != nil || len(left) == 0 {
			t.Errorf("samla %s has no temporary files while it runs: %v", args[0], err)
		}
		stop(t, p)
	}
	left, err := os.ReadDir(temporary)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range left {
		t.Errorf("%s was not removed", l.Name())
	}
}

// TestServe_ReadsMasterKeyFromEnvironment starts a server with the key in a variable. It
// must be able to open what was sealed with the same key from a file.
func TestServe_ReadsMasterKeyFromEnvironment(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	key := w.createKey(t, nil, "acme")
	master, err := os.ReadFile(w.master)
	if err != nil {
		t.Fatal(err)
	}
	set := "SAMLA_MASTER_KEY=" + base64.StdEncoding.EncodeToString(master)
	store := w.storeFlags(nil)[2:] // without the file
	args := append([]string{"serve", "--listen", "127.0.0.1:0", "--banks", w.banks,
		"--key-dir", filepath.Join(filepath.Dir(w.master), "keys")}, store...)
	p := process.Start(t, "env", append([]string{set, program}, args...)...)
	api, err := p.Address(timeoutContext(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Log.Tail())
	}
	newUser(t, api, key, w.phone, "customer-1")
	stop(t, p)

	for _, bad := range []string{"SAMLA_MASTER_KEY=nonsense", set} {
		more := args
		if bad == set {
			more = append(args, "--master-key-file", w.master) // two keys are ambiguous
		}
		out, log, status := process.Run(t, "env", append([]string{bad, program}, more...)...)
		if status <= 0 || out != "" || !strings.Contains(log, "master") {
			t.Errorf("exit status %d, printed %q, error %q", status, out, log)
		}
		if strings.Contains(log, "nonsense") || strings.Contains(log, set) {
			t.Error("the error contains the key")
		}
	}
}

func TestUsage_ListsCommands(t *testing.T) {
	t.Parallel()
	for group, commands := range map[string][]string{
		"":     {"collect", "users", "demo", "dev", "serve", "sandbox", "key", "jobs", "bank", "bench", "master-key", "version"},
		"key":  {"key create", "key list", "key revoke"},
		"jobs": {"jobs list", "jobs resume", "jobs drop"}, "bank": {"bank list", "bank add", "bank check"}, "bench": {"bench status", "bench page", "bench crowd"},
	} {
		out, log, status := process.Run(t, program, append(strings.Fields(group), "--help")...)
		if status != 0 || log != "" {
			t.Errorf("help of %q: exit status %d, error %q", group, status, log)
		}
		for _, command := range commands {
			if !strings.Contains(out, "\n  "+command+" ") {
				t.Errorf("help of %q does not list %q:\n%s", group, command, out)
			}
		}
	}
	wantFailure(t, "samla --help")
	wantFailure(t, "samla --help", "nonsense")
	wantFailure(t, "'samla dev --help'", "dev", "--nonsense")
	wantFailure(t, "'samla key --help'", "key", "nonsense")
	wantFailure(t, "'samla key revoke --help'", "key", "revoke")
	wantFailure(t, "--log-level", "dev", "--log-level", "loud")
}
