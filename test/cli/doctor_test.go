package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/seal/keyset"
	"samla/test/process"
)

// A whole installation is well, also while the server runs; each thing that is spoiled is
// named, with what to do.
func TestDoctor_NamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	onStores(t, func(t *testing.T, flags []string) {
		w := newEnv(t)
		examine := func(args ...string) (states map[string]string, do string, status int) {
			t.Helper()
			out, log, status := process.Run(t, program, append(append([]string{"doctor", "--json", "--least-free", "0"}, w.storeFlags(flags)...), args...)...)
			var report []struct{ Name, State, Found, Do string }
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatalf("%v\n%s%s", err, out, log)
			}
			states = map[string]string{}
			for _, c := range report {
				states[c.Name] = c.State
				do += c.Do
			}
			return states, do, status
		}
		if states, do, status := examine("--banks", w.banks); status != 0 || strings.Contains(do, "mend") {
			t.Errorf("before the first start: exit status %d, %v, %s", status, states, do)
		}
		server, api := w.serve(t, flags)
		if states, do, status := examine("--banks", w.banks); status != 0 || states["public URL"] != "warning" || !strings.Contains(do, "--public-url") {
			t.Errorf("without a public URL: exit status %d, %v, %s", status, states, do)
		}
		const gateway = "eu-enable-banking"
		states, do, status := examine("--banks", w.banks, "--public-url", api)
		if status == 0 || states["public URL"] != "ok" || states[gateway+" returns"] != "failed" || !strings.Contains(do, "register the address") {
			t.Errorf("an address that is not registered: exit status %d, %v, %s", status, states, do)
		}
		w.register(t, api+"/callback/"+gateway)
		states, do, status = examine("--banks", w.banks, "--public-url", api)
		if status != 0 || do != "" || states["schema"] != "ok" || states["keys of the database"] != "ok" || states["se-demo-psd2 QWAC"] != "ok" || states["se-demo reached"] != "ok" || states["settings"] != "ok" || states[gateway+" returns"] != "ok" || states["se-demo-oauth returns"] != "skipped" {
			t.Errorf("exit status %d, %v, %s", status, states, do)
		}
		states, do, status = examine("--banks", w.banks, "--public-url", api, "--least-free", "9000000000000")
		if onDisk := flags == nil; status != 0 || (states["disk"] == "warning") != onDisk || (do == "make room, or shorten --keep-data") != onDisk {
			t.Errorf("a full disk: exit status %d, %v, %s", status, states, do)
		}
		stop(t, server)
		stop(t, w.sandbox)
		if states, do, status := examine("--banks", w.banks); status == 0 || states["se-demo reached"] != "failed" || !strings.Contains(do, "firewall") {
			t.Errorf("exit status %d, %v, %s", status, states, do)
		}
		if states, _, status := examine("--banks", w.banks, "--no-reach"); status != 0 || states["institutions reached"] != "skipped" {
			t.Errorf("exit status %d, %v", status, states)
		}
		other := tempPath(t, "other.json")
		f, err := os.OpenFile(filepath.Clean(other), os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			err = keyset.GenerateMaster(f)
			_ = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if states, _, status := examine("--banks", w.banks, "--no-reach", "--master-key-file", other); status == 0 || states["keys of the database"] != "failed" {
			t.Errorf("another key: exit status %d, %v", status, states)
		}
		if states, _, status := examine("--banks", tempPath(t, "none.json"), "--no-reach"); status == 0 || states["banks file"] != "failed" {
			t.Errorf("no banks file: exit status %d, %v", status, states)
		}
	})
}

// register registers an address of return with the gateway of the sandbox.
func (w *env) register(t *testing.T, address string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"redirectUrl": address})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.phone.HTTP.Post(w.phone.Sandbox+"/sandbox/enablebanking/redirects", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("the gateway answers %s", answer.Status)
	}
}
