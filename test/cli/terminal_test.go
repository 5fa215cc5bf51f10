package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/apiclient"
	"samla/internal/foreign"
)

// terminal runs commands of clients with a profile of its own.
type terminal struct {
	*testing.T
	env []string
}

// newTerminal adds a profile for a development server.
func newTerminal(t *testing.T, a devAddresses) *terminal {
	t.Helper()
	v := &terminal{T: t, env: append(os.Environ(), "XDG_CONFIG_HOME="+t.TempDir())}
	key := tempPath(t, "key")
	if err := os.WriteFile(key, []byte(a.APIKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v.ok("profile", "add", "dev", "--server", a.API, "--key-file", key)
	return v
}

// run runs a command and returns what it printed, and its exit status.
func (v *terminal) run(args ...string) (out, log string, status int) {
	v.Helper()
	c := exec.CommandContext(timeoutContext(v.T), program, args...)
	c.Env = v.env
	var o, l strings.Builder
	c.Stdout, c.Stderr = &o, &l
	if err := c.Run(); c.ProcessState == nil {
		v.Fatal(err)
	}
	return o.String(), l.String(), c.ProcessState.ExitCode()
}

// ok is run for a command that must succeed.
func (v *terminal) ok(args ...string) string {
	v.Helper()
	out, log, status := v.run(args...)
	if status != 0 {
		v.Fatalf("samla %s: exit status %d\n%s%s", strings.Join(args, " "), status, out, log)
	}
	return out
}

// json is ok for a command with --json, whose answer it decodes.
func (v *terminal) json(into any, args ...string) {
	v.Helper()
	if err := json.Unmarshal([]byte(v.ok(append(args, "--json")...)), into); err != nil {
		v.Fatal(err)
	}
}

func TestTerminal_WorksWithAServer(t *testing.T) {
	t.Parallel()
	p, a := startDev(t)
	defer stop(t, p)
	v := newTerminal(t, a)
	if out := v.ok("users", "create", "customer-9"); !strings.Contains(out, "customer-9") {
		t.Errorf("%s", out)
	}
	phone := newPhone(t, a.Sandbox, a.SandboxCA)
	var found struct{ UserUUID string }
	v.json(&found, "users", "show", "customer-9")
	u := &user{phone: phone, id: found.UserUUID, token: strings.TrimSpace(v.ok("users", "session", "customer-9")),
		Client: apiclient.Client{Base: a.API, APIKey: a.APIKey, HTTP: &http.Client{Timeout: timeout}}}
	consent, s := u.requestConsent(t)
	u.approve(t, s)
	u.awaitConsent(t, consent, "AUTHORIZED")
	collection, data := u.collect(t, consent)

	for want, args := range map[string][]string{
		consent:                           {"consents", "list", "--user", "customer-9"},
		"AUTHORIZED":                      {"consents", "show", consent, "--user", found.UserUUID},
		"unattended left":                 {"consents", "access", consent, "--user", "customer-9"},
		collection + "  " + demoCompany:   {"collections", "list", "--status", "COMPLETED", "--limit", "1"},
		"Everything was read.":            {"collections", "show", collection},
		"\nPSD2_CREDIT_CARD ":             {"collections", "data", collection},
		demoCompany + "  Demo bank (PSD2": {"companies", "psd2"},
		"collectionId " + collection:      {"events", "--type", "COLLECTION"},
	} {
		if out := v.ok(args...); !strings.Contains(out, want) {
			t.Errorf("samla %s has no %q:\n%s", strings.Join(args, " "), want, out)
		}
	}
	if out := v.ok("collections", "data", collection, "--json"); strings.TrimSpace(out) != strings.TrimSpace(string(data)) {
		t.Error("--json is not what the API answers")
	}
	v.exports(collection)
	if out, log, status := v.run("consents", "show", "none", "--user", "customer-9"); status != 1 || out != "" || !strings.Contains(log, "(CONSENT_NOT_FOUND, HTTP 404)\n  whose turn: ") || !strings.Contains(log, "\n  what to do: ") {
		t.Errorf("exit status %d: %s%s", status, out, log)
	}
	if out := v.ok("consents", "revoke", consent, "--user", "customer-9"); !strings.Contains(out, "REVOKED") {
		t.Errorf("%s", out)
	}
	v.ok("users", "erase", "customer-9", "--yes")
	if _, log, status := v.run("users", "show", "customer-9"); status != 1 || !strings.Contains(log, "USER_NOT_FOUND") {
		t.Errorf("exit status %d: %s", status, log)
	}
}

// exports writes files of a collection and of the lasting accounts: a transaction has the
// same id in both, and others read the files.
func (v *terminal) exports(collection string) {
	v.Helper()
	var accounts []struct{ AccountID, Type string }
	v.json(&accounts, "accounts", "list", "--user", "customer-9")
	if len(accounts) != 3 {
		v.Fatalf("%d accounts", len(accounts))
	}
	var rows []struct{ ID string }
	v.json(&rows, "accounts", "transactions", accounts[0].AccountID)
	first, second := v.TempDir(), v.TempDir()
	v.ok("accounts", "export", "--user", "customer-9", "--out", first, "--format", "ofx,camt053,beancount")
	v.ok("collections", "data", collection, "--user", "customer-9", "--out", second, "--format", "ofx,csv")
	var texts []string
	for _, dir := range []string{first, second} {
		files, err := filepath.Glob(filepath.Join(dir, "*.ofx"))
		if err != nil || len(files) != 1 {
			v.Fatal(files, err)
		}
		text, err := os.ReadFile(files[0])
		if err != nil {
			v.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	shared := 0
	for _, row := range rows {
		if id := "<FITID>" + row.ID + "</FITID>"; strings.Contains(texts[0], id) {
			shared++
			if !strings.Contains(texts[1], id) {
				v.Errorf("%s is not in the files of the collection", row.ID)
			}
		}
	}
	if shared < 100 {
		v.Errorf("%d transactions have their lasting ids", shared)
	}
	if _, log, status := v.run("accounts", "export", "--user", "customer-9", "--out", first, "--format", "ofx"); status != 1 || !strings.Contains(log, "exists already") {
		v.Errorf("a file was replaced: exit status %d %s", status, log)
	}
	ledger, err := filepath.Glob(filepath.Join(first, "*.beancount"))
	if err != nil || len(ledger) != 1 {
		v.Fatal(ledger, err)
	}
	if info, err := os.Stat(ledger[0]); err != nil || info.Mode().Perm() != 0o600 {
		v.Errorf("%v %v", info, err)
	}
	v.Run("beancount", func(t *testing.T) {
		if said := foreign.Tool(t, "beancount", "bean-check", ledger[0]); said != "" {
			t.Error(said)
		}
	})
}
