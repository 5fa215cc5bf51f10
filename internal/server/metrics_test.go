package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/clock/clocktest"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/metrics"
	"samla/internal/store/sqlstore"
)

// withMetrics returns a server that serves nothing but metrics.
func withMetrics(t *testing.T, address string) (*Server, *clock.Manual) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), sqlstore.Config{DSN: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	clk := clock.NewManual(time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC))
	s := &Server{config: Config{Metrics: address}, store: db, deviations: &deviation.Register{}}
	s.parts.Log, s.parts.Clock = slog.New(slog.DiscardHandler), clk
	s.figures = metrics.New(metrics.Config{Institutions: institution.Set{}, Deviations: s.deviations, Clock: clk})
	return s, clk
}

func TestMetrics_AreServedOnAListenerOfTheirOwn(t *testing.T) {
	s, _ := withMetrics(t, "127.0.0.1:0")
	s.deviations.Add("se-a", deviation.Counts{deviation.Bounded: 1})
	s.startMetrics(t.Context())
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
	if none.startMetrics(t.Context()); none.MetricsURL() != "" || none.stopMetrics() != nil {
		t.Error("metrics that are not configured")
	}
}

// An address that is taken does not keep a node from starting, and is tried again.
func TestMetrics_WaitForTheirAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, clk := withMetrics(t, taken.Addr().String())
	s.startMetrics(t.Context())
	if s.MetricsURL() != "" {
		t.Error("two listeners at one address")
	}
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	clocktest.Waiting(t, clk, 1, "the wait")
	clk.Advance(listenAgain)
	s.sweeper.Wait()
	got, err := http.Get(s.MetricsURL())
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	if err := s.stopMetrics(); err != nil {
		t.Fatal(err)
	}
}
