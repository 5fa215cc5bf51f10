package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command of README.md, in the folder of the source, starts a Samla and takes it away. What
// one says that does not start is seen.
func TestStartSamla_RunsItAndTakesItAway(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("CGO_ENABLED", "0") // as all that is built without the race detector
	printed, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = printed
	defer func() { os.Stderr = before }()
	const origin = "http://127.0.0.1:8095"
	s, err := startSamla(t.Context(), origin)
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	ask := func() (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.API+"/companies/availability", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("authorization-token", s.APIKey)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		return answer.StatusCode, answer.Body.Close()
	}
	if status, err := ask(); status != http.StatusOK || s.Sandbox == "" {
		t.Errorf("%d, %v, sandbox %q", status, err, s.Sandbox)
	}

	t.Setenv("SAMLA_DATABASE", "postgres://127.0.0.1:1/none")
	other := &started{dir: t.TempDir()}
	err = other.run(t.Context(), filepath.Join(s.dir, "samla"), origin)
	other.stop()
	if text, _ := os.ReadFile(printed.Name()); err == nil || !strings.Contains(string(text), "samla: ") {
		t.Errorf("one that does not start: %v, printed %q", err, text)
	}

	s.stop()
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("%s stays: %v", s.dir, err)
	}
	if status, err := ask(); err == nil {
		t.Errorf("after it was stopped: %d", status)
	}
}
