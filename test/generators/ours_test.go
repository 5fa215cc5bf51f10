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

// The client in clients/typescript is what the generator makes of the document; it compiles,
// and its tests pass.
func TestClientTypeScript_IsGeneratedAndCompiles(t *testing.T) {
	t.Parallel()
	c := inClient(t)
	made := filepath.Join(t.TempDir(), "api.ts")
	document, err := filepath.Abs("../../internal/api/v20260401/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	c.run(t, "openapi-typescript", document, "--output", made)
	same(t, made, "../../clients/typescript/api.ts", "sh clients/typescript/generate.sh")
	c.run(t, "tsc", "--project", ".")
	if output := c.run(t, "node", "--test", "--test-reporter=tap", "client.test.ts"); !strings.Contains(output, "# fail 0") {
		t.Error(output)
	}
}

// inClient returns a command that runs in a copy of clients/typescript, where the installed
// tools find the types of Node.
func inClient(t *testing.T) command {
	t.Helper()
	dir, err := filepath.Abs(workspace)
	if err != nil {
		t.Fatal(err)
	}
	c := node(t, dir)
	c.dir = filepath.Join(c.dir, "client")
	if err := os.RemoveAll(c.dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(c.dir, os.DirFS("../../clients/typescript")); err != nil {
		t.Fatal(err)
	}
	return c
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
	dir, err := filepath.Abs(workspace)
	if err != nil {
		t.Fatal(err)
	}
	c := command{dir: "../..", path: node(t, dir).path, env: []string{"CGO_ENABLED=0", "API=" + w.Server.URL(), "KEY=" + w.APIKey, "SANDBOX=" + w.Sandbox.URL(), "CA=" + ca}}
	output := c.run(t, "bash", "-euo", "pipefail", "-c", script.String())
	for _, want := range []string{
		`"type":"PSD2_CHECKING_ACCOUNT"`,
		"se-demo-psd2: COMPLETED, 7 products\n", "se-demo: COMPLETED, 3 products\n", "on this device: bankid:///?autostarttoken=",
		"se-demo-psd2: COMPLETED, 1 products\n", // with TypeScript: another person
		w.Server.URL() + "/c/open/", w.Server.URL() + "/permissions/link/",
	} {
		if !strings.Contains(output, want) {
			t.Errorf("%q is not in:\n%s", want, output)
		}
	}
}

var shellRE = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
