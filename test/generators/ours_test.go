package generators

import (
	"bytes"
	"os"
	"path/filepath"
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

// The example of clients/go collects from a bank and from an institution that asks for a
// code.
func TestClientGo_Example(t *testing.T) {
	t.Parallel()
	w := suite.Start(t, devserver.Config{})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, w.Sandbox.CAPEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	c := command{dir: "../..", env: []string{"CGO_ENABLED=0", "SAMLA_API=" + w.Server.URL(), "SAMLA_KEY=" + w.APIKey, "SAMLA_SANDBOX=" + w.Sandbox.URL(), "SAMLA_CA=" + ca}}
	output := c.run(t, "go", "run", "./clients/go/example")
	for _, want := range []string{"se-demo-psd2: COMPLETED, 7 products\n", "se-demo: COMPLETED, 3 products\n", "on this device: bankid:///?autostarttoken="} {
		if !bytes.Contains([]byte(output), []byte(want)) {
			t.Errorf("%q is not in:\n%s", want, output)
		}
	}
}
