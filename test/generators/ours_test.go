package generators

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"samla/internal/devserver"
)

// The client in clients/go is what the generator makes of the document, as `go generate
// ./clients/go` does.
func TestClientGo_IsGenerated(t *testing.T) {
	t.Parallel()
	c := command{dir: "../../clients/go", env: []string{"CGO_ENABLED=0"}}
	made := filepath.Join(t.TempDir(), "api.go")
	if _, output, err := c.try(t, "go", "tool", "-modfile=../../test/generators/go/go.mod", "oapi-codegen", "-config", "oapi.yaml", "-o", made,
		"../../internal/api/v20260401/openapi.json"); err != nil {
		skipIfLacking(t, output)
		t.Fatal(output)
	}
	same(t, made, "../../clients/go/api.go", "go generate ./clients/go")
}

func same(t *testing.T, made, kept, make string) {
	t.Helper()
	a, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s is not what the generator makes of the document: %s", kept, make)
	}
}

// The commands of docs/quick-start.md work as they stand, one after the other; what starts
// the server and names its addresses is done by the test.
func TestQuickStart_Works(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/quick-start.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for i, block := range shellRE.FindAllStringSubmatch(string(page), -1) {
		if i >= 2 { // the first two start the server and set its addresses
			script.WriteString(block[1])
		}
	}
	w := suite.Start(t, devserver.Config{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, w.Sandbox.CAPEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	c := command{dir: "../..", env: []string{"CGO_ENABLED=0", "API=" + w.Server.URL(), "KEY=" + w.APIKey, "SANDBOX=" + w.Sandbox.URL(), "CA=" + ca}}
	output := c.run(t, "bash", "-euo", "pipefail", "-c", script.String())
	for _, want := range []string{
		`"type":"PSD2_CHECKING_ACCOUNT"`,
		"se-demo-psd2: COMPLETED, 7 products\n", "se-demo: COMPLETED, 3 products\n", "on this device: bankid:///?autostarttoken=",
		w.Server.URL() + "/c/open/",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not in:\n%s", want, output)
		}
	}
}

var shellRE = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
