package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/test/process"
)

// gatewayArgs returns how the gateway of the env's sandbox is reached.
func (w *env) gatewayArgs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(w.banks)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Banks []struct{ Family, BaseURL, ApplicationID, KeyFile, CAFile string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, b := range file.Banks {
		if b.Family == "enablebanking" {
			return []string{"--application-id", b.ApplicationID, "--base-url", b.BaseURL, "--key-file", b.KeyFile, "--ca-file", b.CAFile}
		}
	}
	t.Fatal("the sandbox has no gateway")
	return nil
}

func setup(file string, args ...string) []string {
	return append([]string{"gateway", "enablebanking", "setup", "--file", file, "--public-url", "https://samla.example/"}, args...)
}

const gatewayReturn = "https://samla.example/callback/eu-enable-banking"

// Without an application there is a key, and what to register. The key stays.
func TestGatewaySetup_MakesOneKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "banks.json")
	key := filepath.Join(filepath.Dir(file), "enablebanking.pem")
	var before []byte
	for range 2 {
		out, log, status := process.Run(t, program, setup(file)...)
		if status != 0 || !strings.Contains(out, gatewayReturn+"\n") || !strings.Contains(out, "--application-id") || strings.Contains(out, "PRIVATE") {
			t.Fatalf("exit status %d\n%s%s", status, out, log)
		}
		text, err := os.ReadFile(key)
		if err != nil || !strings.HasPrefix(string(text), "-----BEGIN PRIVATE KEY") || before != nil && string(text) != string(before) {
			t.Fatalf("the key is another one, or none (%v)", err)
		}
		before = text
		if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the key can be read by others: %v (%v)", info.Mode(), err)
		}
		if certificate, err := os.ReadFile(strings.TrimSuffix(key, ".pem") + ".crt"); err != nil || !strings.HasPrefix(string(certificate), "-----BEGIN CERTIFICATE") {
			t.Errorf("no certificate (%v)", err)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is an entry without an application")
	}
	for _, bad := range []string{"samla.example", "https://samla.example/path"} {
		if _, log, status := process.Run(t, program, "gateway", "enablebanking", "setup", "--file", file, "--public-url", bad); status == 0 || !strings.Contains(log, "--public-url") {
			t.Errorf("%s: exit status %d, %s", bad, status, log)
		}
	}
}

func TestGatewaySetup_WritesAnEntryThatWorks(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	file := filepath.Join(w.dir, "own", "banks.json")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	args := setup(file, w.gatewayArgs(t)...)
	if out, log, status := process.Run(t, program, args...); status != 1 || !strings.Contains(log, "not registered: add "+gatewayReturn) {
		t.Fatalf("exit status %d\n%s%s", status, out, log)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("there is an entry whose persons could not come back")
	}
	stranger := setup(file, append(w.gatewayArgs(t), "--application-id", "00000000-0000-4000-8000-000000000000")...)
	if out, log, status := process.Run(t, program, stranger...); status != 1 || !strings.Contains(log, "OUR_APPLICATION_REJECTED") {
		t.Errorf("another application: exit status %d\n%s%s", status, out, log)
	}

	body := strings.NewReader(`{"redirectUrl":"` + gatewayReturn + `"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.phone.Sandbox+"/sandbox/enablebanking/redirects", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.phone.HTTP.Do(r)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%v, %v", resp, err)
	}
	_ = resp.Body.Close()
	out, log, status := process.Run(t, program, args...)
	if status != 0 || !strings.Contains(out, "of which ") {
		t.Fatalf("exit status %d\n%s%s", status, out, log)
	}
	// Both commands can be run again, in either order, and change no entry that is complete.
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range [][]string{setup(file), {"bank", "add", "eu-enable-banking", "--file", file}} {
		out, log, status = process.Run(t, program, again...)
		if after, err := os.ReadFile(file); status != 0 || err != nil || string(after) != string(before) {
			t.Errorf("%v again: exit status %d, %v\n%s%s%s", again, status, err, out, log, after)
		}
	}
	// What bank add has written is filled in, and what the operator has added stays.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if out, log, status = process.Run(t, program, "bank", "add", "eu-enable-banking", "--file", file); status != 0 || !strings.Contains(out, "/applicationId ") {
		t.Fatalf("bank add: exit status %d\n%s%s", status, out, log)
	}
	added, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(added), `"countries"`, `"noBeta": true, "countries"`, 1)
	if err := os.WriteFile(file, []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, log, status = process.Run(t, program, args...); status != 0 {
		t.Fatalf("setup after bank add: exit status %d\n%s%s", status, out, log)
	}
	if after, err := os.ReadFile(file); err != nil || strings.Count(string(after), "eu-enable-banking") != 1 || !strings.Contains(string(after), `"noBeta": true`) {
		t.Errorf("the entry is\n%s (%v)", after, err)
	}
	if out, log, status = process.Run(t, program, "gateway", "enablebanking", "refresh", file); status != 0 || !strings.HasPrefix(out, "eu-enable-banking: The list has ") {
		t.Errorf("refresh: exit status %d\n%s%s", status, out, log)
	}

	// Its banks are asked alike: one is shown, and the others are named.
	if out, log, status = process.Run(t, program, "bank", "check", file); status != 0 || strings.Count(out, "family enablebanking)") != 1 ||
		!strings.Contains(out, "eu-enable-banking opens ") || !strings.Contains(out, " se-eb-swedbank") {
		t.Errorf("check: exit status %d\n%s%s", status, out, log)
	}
	if out, _, _ = process.Run(t, program, "bank", "check", file, "--company", "se-eb-swedbank"); !strings.HasPrefix(out, "se-eb-swedbank (") || strings.Contains(out, " more, which") {
		t.Errorf("check of one:\n%s", out)
	}

	// What is offered is shown without the gateway.
	stop(t, w.sandbox)
	out, log, status = process.Run(t, program, "gateway", "enablebanking", "list", file)
	if status != 0 || !strings.Contains(out, "\nse-eb-nordea ") || strings.Contains(out, "\nfi-") || strings.Contains(out, "no: ") {
		t.Errorf("list: exit status %d\n%s%s", status, out, log)
	}
	checked, log, status := process.Run(t, program, "bank", "check", file, "--company", "se-eb-nordea", "--headers")
	at := 0
	for _, want := range []string{"se-eb-nordea (", "POST https://", "/enablebanking/auth\n", `"aspsp":{"name":"Nordea","country":"SE"}`, "/enablebanking/sessions\n",
		"/enablebanking/sessions/{session_id}\n", "/enablebanking/accounts/{uid}/", "DELETE https://", "/enablebanking/sessions/{session_id}\n"} {
		i := strings.Index(checked[at:], want)
		if status != 0 || i < 0 {
			t.Fatalf("exit status %d, %q is not shown in its place:\n%s%s", status, want, checked, log)
		}
		at += i
	}
	if out, log, status = process.Run(t, program, "gateway", "enablebanking", "refresh", file); status != 1 || !strings.Contains(log, "eu-enable-banking: ") {
		t.Errorf("refresh without a gateway: exit status %d\n%s%s", status, out, log)
	}
	if again, _, _ := process.Run(t, program, "gateway", "enablebanking", "list", file); !strings.Contains(again, "\nse-eb-nordea ") {
		t.Errorf("the list of before is lost:\n%s", again)
	}
}

// A bank that the file has itself is not offered through the gateway.
func TestGatewayList_ShowsWhichBanksAreDirect(t *testing.T) {
	t.Parallel()
	w := newEnv(t)
	text, err := os.ReadFile(w.banks)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(filepath.Dir(w.banks), "direct.json")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), `"se-demo-nordea"`, `"se-lansforsakringar"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{w.banks: "  yes\n", file: "  no: another entry is this bank, or the gateway has it no more\n"} {
		out, log, status := process.Run(t, program, "gateway", "enablebanking", "list", path)
		if status != 0 || !strings.Contains(out, "se-eb-lansforsakringar") || !strings.HasSuffix(out, want) {
			t.Errorf("exit status %d\n%s%s", status, out, log)
		}
	}
	var all struct {
		Banks []json.RawMessage `json:"banks"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	all.Banks = all.Banks[:1]
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"list", "refresh"} {
		if _, log, status := process.Run(t, program, "gateway", "enablebanking", command, file); status != 1 || !strings.Contains(log, "no entry of the family enablebanking") {
			t.Errorf("%s: exit status %d\n%s", command, status, log)
		}
	}
}
