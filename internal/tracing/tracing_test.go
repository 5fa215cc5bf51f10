package tracing_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/tracing"
)

func TestCheckEndpoint_RefusesWhatIsNoCollector(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:4318", "ftp://x", "http://", "http://u:p@x", "http://x?token=1", "http://%zz"} {
		if tracing.CheckEndpoint(bad) == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
	for _, good := range []string{"http://127.0.0.1:4318", "https://collector.example/otlp/"} {
		if err := tracing.CheckEndpoint(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// A request without a sampled traceparent is traced by the share; the caller's flag decides
// otherwise, and one that cannot be read is ignored.
func TestRequest_FollowsTheFlagOfItsCaller(t *testing.T) {
	tracer, err := tracing.New(tracing.Config{Endpoint: "http://127.0.0.1:1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Stop(context.Background())
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for header, traced := range map[string]bool{"": false, "00-" + id + "-00f067aa0ba902b7-01": true, "00-" + id + "-00f067aa0ba902b7-00": false, "00-19121212-1212-01": false} {
		r := httptest.NewRequest(http.MethodGet, "/users", nil)
		r.Header.Set("Traceparent", header)
		ctx, end := tracer.Request(r, "GET", "/users", "none")
		var log bytes.Buffer
		slog.New(tracing.Logged(slog.NewTextHandler(&log, nil))).With("a", 1).InfoContext(ctx, "x")
		if got := tracing.Child(ctx); got != traced || strings.Contains(log.String(), "trace="+id) != traced {
			t.Errorf("%q: traced %v, log %s", header, got, log.String())
		}
		end(200)
	}
}

// A receiver gets the span as its parent, and nothing else of the caller.
func TestInject_SendsTheSpanAndNoState(t *testing.T) {
	tracer, err := tracing.New(tracing.Config{Endpoint: "http://127.0.0.1:1", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Stop(context.Background())
	r := httptest.NewRequest(http.MethodGet, "/users", nil)
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	r.Header.Set("Tracestate", "vendor=secret")
	r.Header.Set("Baggage", "person=secret")
	ctx, end := tracer.Request(r, "GET", "/users", "none")
	defer end(200)
	got := http.Header{}
	tracing.Inject(ctx, got)
	parent := got.Get("Traceparent")
	if len(got) != 1 || !strings.HasPrefix(parent, "00-4bf92f3577b34da6a3ce929d0e0e4736-") || !strings.HasSuffix(parent, "-01") ||
		strings.Contains(parent, "00f067aa0ba902b7") {
		t.Errorf("sent %v", got)
	}
	none := http.Header{}
	if tracing.Inject(context.Background(), none); len(none) != 0 {
		t.Errorf("without a span %v is sent", none)
	}
}

// A collector that refuses does not tell its address to the log.
func TestExport_LogsNoAddress(t *testing.T) {
	var log bytes.Buffer
	tracer, err := tracing.New(tracing.Config{Endpoint: "http://127.0.0.1:1", Share: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_, end := tracer.Begin(context.Background(), "job")
	end(true)
	tracer.Stop(context.Background())
	if !strings.Contains(log.String(), "spans=1") || strings.Contains(log.String(), "/v1/traces") {
		t.Errorf("%s", log.String())
	}
}
