package testpg

import (
	"os"
	"strings"
	"testing"
	"time"
)

func directoryNamed(t *testing.T, output string) string {
	t.Helper()
	for line := range strings.Lines(output) {
		if _, dir, ok := strings.Cut(line, "dir="); ok {
			return strings.TrimSpace(dir)
		}
	}
	t.Fatalf("the child named no directory: %s", output)
	return ""
}

// awaitGone polls, because nothing tells a stranger that a directory is removed.
func awaitGone(t *testing.T, dir string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%s is still there: the server outlived its process", dir)
}
