package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"samla/test/process"
)

// The sandbox of a crowd runs as a process of its own, so only the program as it is
// built can be tested.
func TestBenchCrowd_PrintsOneLineOfJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("a crowd takes some seconds to settle")
	}
	t.Parallel()
	for _, bank := range []string{"rsa", "ecdsa", "local"} {
		t.Run(bank, func(t *testing.T) { t.Parallel(); checkCrowd(t, bank) })
	}
}

func checkCrowd(t *testing.T, bank string) {
	out, log, status := process.Run(t, program, "bench", "crowd", "--waiting", "3", "--bank", bank, "--round", "1s", "--json")
	if status != 0 {
		t.Fatalf("exit status %d: %s", status, log)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(out), &line); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	for name, want := range map[string]any{"bench": "crowd", "store": "sqlite", "bank": bank, "waiting": 3.0, "refused": 0.0} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	for _, name := range []string{"p99Ms", "qrAgeP99Ms", "rssMiB"} {
		if n, ok := line[name].(float64); !ok || n <= 0 {
			t.Errorf("%s is %v", name, line[name])
		}
	}
	if len(line) != 8 {
		t.Errorf("the line is %s", out)
	}
}

// Collections and polls of an institution by login, and collections of a bank that signs on
// a page, are compared with their limits.
func TestBench_MeasuresLogins(t *testing.T) {
	if testing.Short() {
		t.Skip("the rounds take some seconds")
	}
	t.Parallel()
	onStores(t, func(t *testing.T, store []string) {
		for _, args := range [][]string{{"collect", "se-demo", "3s", "8"}, {"collect", "se-demo-oauth", "1s", "8"}, {"status", "se-demo", "200ms", "4"}} {
			out, log, status := process.Run(t, program, append([]string{"bench", args[0], "--company", args[1], "--round", args[2], "--callers", args[3], "--rounds", "1", "--json"}, store...)...)
			if status != 0 {
				t.Fatalf("bench %s: exit status %d: %s", args[0], status, log)
			}
			var line struct {
				Bench, Company     string
				Rate, Limit, Ratio float64
			}
			if err := json.Unmarshal([]byte(out), &line); err != nil || line.Bench != args[0] || line.Company != args[1] || line.Rate <= 0 || line.Limit <= 0 || line.Ratio <= 0 {
				t.Errorf("bench %s printed %s: %v", args[0], out, err)
			}
		}
	})
	wantFailure(t, "no company", "bench", "collect", "--company", "se-none")
}

func TestBench_RefusesNumbersThatMeasureNothing(t *testing.T) {
	t.Parallel()
	wantFailure(t, "--rounds must be at least 1", "bench", "status", "--rounds", "0")
	wantFailure(t, "--waiting and --callers must be at least 1", "bench", "crowd", "--waiting", "0")
}

// A company that cannot be measured is answered with those that can.
func TestBenchCollect_ListsCompanies(t *testing.T) {
	t.Parallel()
	for _, company := range []string{"se-unknown", "se-sandbox-insurer"} {
		out, log, status := process.Run(t, program, "bench", "collect", "--company", company)
		if status != 1 || !strings.Contains(log, company) || !strings.Contains(log, "se-demo, ") || !strings.Contains(log, "se-sandbox-cosign, ") || strings.Count(log, "insurer") > strings.Count(company, "insurer") {
			t.Errorf("%s: exit status %d\n%s%s", company, status, out, log)
		}
	}
}
