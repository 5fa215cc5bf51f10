// Package built finds the third-party tools of tools/go.mod for tests.
package built

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Tool returns the path of a tool: in the directory that SAMLA_TOOLS names, where make has
// built it, or else built now, which takes a minute with golangci-lint.
func Tool(t testing.TB, name string) string {
	t.Helper()
	if dir := os.Getenv("SAMLA_TOOLS"); dir != "" {
		return filepath.Join(dir, name)
	}
	path, err := exec.Command("go", "tool", "-n", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(path))
}
