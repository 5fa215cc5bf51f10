package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"samla/tools/built"
)

// The head of our rules, up to the components, applied to a small module.
func TestImportRules_FindWhatIsNotAllowed(t *testing.T) {
	config, err := os.ReadFile("../../.go-arch-lint.yml")
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(config), "\ncomponents:\n")
	if !found {
		t.Fatal("no components")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module samla\n\ngo 1.26.0\n",
		".go-arch-lint.yml": head + "\ncomponents:\n  low: { in: internal/low }\n  high: { in: internal/high }\n  deep: { in: internal/deep/** }\ndeps:\n  high: { mayDependOn: [low] }\n  deep: { mayDependOn: [deep] }\n",

		"internal/high/a.go":      source("high", "import _ \"samla/internal/low\"\n\nimport _ \"fmt\"\n"),
		"internal/low/a.go":       source("low", "import _ \"samla/internal/high\"\n"),
		"internal/low/a_test.go":  source("low_test", "import _ \"samla/internal/deep\"\n"),
		"internal/deep/a.go":      source("deep", "import _ \"samla/internal/deep/down\"\n"),
		"internal/deep/down/a.go": source("down", "import _ \"samla/internal/low\"\n"),
		"internal/lost/a.go":      source("lost", ""),
		"tools/a.go":              source("tools", "import _ \"samla/internal/low\"\n"),
	} {
		write(t, filepath.Join(dir, name), text)
	}
	out, err := exec.Command(built.Tool(t, "go-arch-lint"), "check", "--project-path", dir, "--output-color=false").CombinedOutput()
	if err == nil {
		t.Error("exit status 0")
	}
	for _, want := range []string{
		"Component low shouldn't depend on samla/internal/high", "Component deep shouldn't depend on samla/internal/low",
		"File /internal/lost/a.go not attached", "total notices: 3\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("not found: %s", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", out)
	}
}
