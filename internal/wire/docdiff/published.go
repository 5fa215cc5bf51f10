package docdiff

import (
	"bytes"
	"os"
	"testing"
)

// PublishVariable is the environment variable that makes CheckPublished write the file
// of what is published, if it is 1.
const PublishVariable = "SAMLA_PUBLISH"

// CheckPublished fails a test for each change that breaks clients of the published
// document, a file that is committed. A change that is meant is accepted by running the
// test once with SAMLA_PUBLISH=1, which writes the file, and committing it
// (CONTRIBUTING.md, "The API's documents").
func CheckPublished(t testing.TB, path string, current []byte) {
	t.Helper()
	published, err := os.ReadFile(path)
	if os.Getenv(PublishVariable) == "1" {
		if err = nil; !bytes.Equal(published, current) {
			err = os.WriteFile(path, current, 0o644)
		}
		published = current
	}
	if err != nil {
		t.Error(err)
		return
	}
	changes, err := Compare(published, current, nil)
	if err != nil {
		t.Error(err)
		return
	}
	for _, c := range Breaking(changes) {
		t.Errorf("breaks clients: %s. If it is meant, run this test with %s=1 and commit %s", c, PublishVariable, path)
	}
}
