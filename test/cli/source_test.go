package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samla/internal/sourcetest"
	"samla/test/process"
)

// The report is on standard output, what a person reads on standard error, and the exit
// status says whether the source keeps the protocol.
func TestSourceCheck_ReportsAndExits(t *testing.T) {
	t.Parallel()
	url := sourcetest.Go(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(sourcetest.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"all":               {[]string{"--answer", "code=" + sourcetest.Code}, 0, "21 checks passed, 0 failed, 0 skipped"},
		"no answer":         {nil, 1, "the source asks for CODE; give the answer with --answer"},
		"other login":       {[]string{"--login-method", "EMAIL"}, 1, "does not list the login method"},
		"other institution": {[]string{"--institution", "se-other"}, 1, `"se-other" is not listed: the source has ["se-example"]`},
	} {
		args := append([]string{"source", "check", url, "--secret-file", file, "--personal-number", sourcetest.PersonalNumber}, c.args...)
		out, log, status := process.Run(t, program, args...)
		var report struct {
			OK     bool
			Checks []struct{ Name, Rule, Result string }
		}
		if err := json.Unmarshal([]byte(out), &report); err != nil || report.OK != (c.status == 0) || len(report.Checks) == 0 {
			t.Errorf("%s: %v in %s", name, err, out)
		}
		if status != c.status || !strings.Contains(log, c.says) {
			t.Errorf("%s: exit status %d\n%s", name, status, log)
		}
		if strings.Contains(out+log, sourcetest.PersonalNumber) || strings.Contains(out+log, sourcetest.Secret) {
			t.Errorf("%s: a secret is shown", name)
		}
	}
	for name, args := range map[string][]string{
		"no secret":   {url},
		"plain http":  {"http://source.example", "--secret-file", file},
		"half a pair": {url, "--cert", file},
		"no answer":   {url, "--secret-file", file, "--answer", "code"},
	} {
		out, log, status := process.Run(t, program, append([]string{"source", "check"}, args...)...)
		if status == 0 || out != "" || log == "" {
			t.Errorf("%s: exit status %d\n%s%s", name, status, log, out)
		}
	}
}
