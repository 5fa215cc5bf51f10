package server

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"samla/internal/deviation"
)

func TestMetrics_AreServedOnAListenerOfTheirOwn(t *testing.T) {
	s := &Server{config: Config{Metrics: "127.0.0.1:0"}, deviations: &deviation.Register{}}
	s.parts.Log = slog.New(slog.DiscardHandler)
	s.deviations.Add("se-a", deviation.Counts{deviation.Bounded: 1})
	if err := s.startMetrics(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := http.Get(s.MetricsURL())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(got.Body)
	got.Body.Close()
	if !strings.Contains(string(text), `samla_deviations_total{company="se-a",incomplete="true",kind="BOUNDED"} 1`) {
		t.Errorf("%d %s", got.StatusCode, text)
	}
	if err := s.stopMetrics(); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get(s.MetricsURL()); err == nil {
		t.Error("the listener is open after the stop")
	}
	none := &Server{}
	if err := none.startMetrics(t.Context()); err != nil || none.MetricsURL() != "" || none.stopMetrics() != nil {
		t.Error("metrics that are not configured")
	}
}
