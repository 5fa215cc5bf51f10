package testpg

import (
	"os"
	"strings"
	"testing"
	"time"
)

func printedDirectory(t *testing.T, output string) string {
	t.Helper()
	for line := range strings.Lines(output) {
		if _, dir, ok := strings.Cut(line, "dir="); ok {
			return strings.TrimSpace(dir)
		}
	}
	t.Fatalf("the child printed no directory: %s", output)
	return ""
}

// awaitRemoval polls, because the removal happens in another process.
func awaitRemoval(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(statementTimeout)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s still exists: the server did not stop with its process", dir)
}
