package metrics_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/deviation"
	"samla/internal/metrics"
)

func TestHandler_WritesDeviations(t *testing.T) {
	r := &deviation.Register{}
	r.Add("se-b", deviation.Counts{deviation.UnreadableRow: 3, deviation.LinkReplaced: 1})
	s := httptest.NewServer(metrics.Handler(r))
	defer s.Close()
	got, err := http.Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`samla_deviations_total{company="se-b",incomplete="true",kind="UNREADABLE_ROW"} 3`,
		`samla_deviations_total{company="se-b",incomplete="false",kind="LINK_REPLACED"} 1`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}
