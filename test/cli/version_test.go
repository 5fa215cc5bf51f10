package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"slices"
	"testing"

	"samla/test/process"
)

// The versions that the program prints are those that a server names to a client that
// asks for another one.
func TestVersion_NamesVersionsThatServerRuns(t *testing.T) {
	t.Parallel()
	out, log, status := process.Run(t, program, "version", "--json")
	var v struct {
		Version, Go string
		API         []string
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || status != 0 || v.Version == "" || v.Go != runtime.Version() {
		t.Fatalf("exit status %d, printed %q, %v\n%s", status, out, err, log)
	}
	p, a := startDev(t)
	r, err := http.NewRequestWithContext(timeoutContext(t), http.MethodGet, a.API+"/companies/availability", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Insurely-Version", "1999-12-31")
	r.Header.Set("authorization-token", a.APIKey)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var problem struct{ SupportedVersions []string }
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(problem.SupportedVersions); len(v.API) == 0 || !slices.Equal(v.API, problem.SupportedVersions) {
		t.Errorf("the program names %v, the server %v", v.API, problem.SupportedVersions)
	}
	stop(t, p)
}
