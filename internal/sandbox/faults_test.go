package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"samla/internal/sandbox/aspsp"
)

// docs/reference/families.md 15: reads deviate as an operator says, and only the reads and as
// often as named.
func TestFaults_DeviateAsNamed(t *testing.T) {
	w := start(t, nil)
	put := func(body string) int {
		status, _ := w.ask(http.MethodPut, w.URL()+"/sandbox/banks/se-demo-psd2/faults", "", body)
		return status
	}
	for body, want := range map[string]int{`[{"deviation":"none"}]`: 400, `[{"deviation":"lost","times":-1}]`: 400, `{}`: 400, `[]`: 204, `[{"deviation":"tooMany","kinds":["accounts"],"times":1}]`: 204} {
		if got := put(body); got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	if status, _ := w.ask(http.MethodPut, w.URL()+"/sandbox/banks/se-none/faults", "", `[]`); status != 404 {
		t.Errorf("a bank that there is not: %d", status)
	}
	if n := len(aspsp.Deviations()); n != 14 || strings.Contains(string(aspsp.Deviations()[0]), "-") {
		t.Errorf("%d deviations", n)
	}
}
