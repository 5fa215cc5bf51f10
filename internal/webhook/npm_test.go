package webhook_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"samla/internal/webhook"
)

// npmVerifier is the public verifier for JavaScript, of this version.
const npmVerifier = "standardwebhooks@1.0.0"

const npmScript = `const { Webhook } = require('standardwebhooks');
const { secret, body, headers } = JSON.parse(process.argv[2]);
new Webhook(secret).verify(body, headers);
try { new Webhook(secret).verify(body + ' ', headers); process.exit(2); } catch (e) {}`

// The verifier of Standard Webhooks for JavaScript accepts what is signed.
func TestSign_NpmVerifierAccepts(t *testing.T) {
	if testing.Short() {
		t.Skip("installs a package")
	}
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s on this machine", program)
		}
	}
	dir := t.TempDir()
	install := exec.Command("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, npmVerifier)
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm cannot install %s: %v\n%s", npmVerifier, err, out)
	}
	script := filepath.Join(dir, "verify.js")
	if err := os.WriteFile(script, []byte(npmScript), 0o600); err != nil {
		t.Fatal(err)
	}
	old, fresh, body := newSecret(t, 1), newSecret(t, 2), []byte(`{"eventId":"e"}`)
	h := http.Header{}
	if err := webhook.Sign(h, []webhook.Secret{old, fresh}, "e", time.Now(), body); err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for name, values := range h {
		headers[name] = values[0]
	}
	for _, s := range []webhook.Secret{old, fresh} {
		in, _ := json.Marshal(map[string]any{"secret": s.Reveal(), "body": string(body), "headers": headers})
		if out, err := exec.Command("node", script, string(in)).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
