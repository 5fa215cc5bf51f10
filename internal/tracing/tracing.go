// Package tracing records what a node does as OpenTelemetry spans, and exports them by
// OTLP/HTTP in JSON. The stock exporter would bring gRPC into the program (9 MB).
//
// Spans have names and attributes from closed sets only: no path, id, address or text that a
// caller or an institution chooses. What is exported never waits: spans that the collector
// does not take in time are dropped.
package tracing

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	// queueSize is how many ended spans wait for their export at most; more are dropped.
	queueSize = 2048
	// batchSize is how many spans one request to the collector has at most.
	batchSize = 512
	interval  = 2 * time.Second // between two exports
	// exportTimeout bounds one request to the collector.
	exportTimeout = 5 * time.Second
)

// Config says where spans go.
type Config struct {
	Endpoint string  // URL of the collector, such as http://127.0.0.1:4318; /v1/traces is added
	Share    float64 // of the traces that begin here, 0 to 1; a caller's traceparent decides for itself
	Version  string  // of the program
	Log      *slog.Logger
}

// Tracer makes spans. A nil Tracer makes none. It is safe for concurrent use.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// parents reads and writes the header traceparent (W3C Trace Context). Baggage is not read.
var parents = propagation.TraceContext{}

// New returns a tracer. Errors: the endpoint is no URL of http or https.
func New(c Config) (*Tracer, error) {
	e, err := newExporter(c.Endpoint, c.Log)
	if err != nil {
		return nil, err
	}
	about := resource.NewSchemaless(attribute.String("service.name", "samla"), attribute.String("service.version", c.Version))
	p := sdk.NewTracerProvider(sdk.WithResource(about),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(c.Share))),
		sdk.WithBatcher(e, sdk.WithMaxQueueSize(queueSize), sdk.WithMaxExportBatchSize(batchSize),
			sdk.WithBatchTimeout(interval), sdk.WithExportTimeout(exportTimeout)))
	return &Tracer{p, p.Tracer("samla")}, nil
}

// Stop exports what waits, until ctx ends.
func (t *Tracer) Stop(ctx context.Context) {
	if t != nil {
		_ = t.provider.Shutdown(ctx) // the exporter has logged why
	}
}

// Request begins the span of a request to the API. end takes the status of the answer.
func (t *Tracer) Request(r *http.Request, method, route, version string) (ctx context.Context, end func(status int)) {
	ctx = parents.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(status int) {
		if span.IsRecording() {
			span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
				attribute.Int("http.response.status_code", status), attribute.String("samla.version", version))
			if status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, "")
			}
		}
		span.End()
	}
}

// Word is an attribute whose value is from a closed set.
type Word struct{ Key, Value string }

// Begin begins a span of work here, below the span of ctx. end takes whether it failed.
func (t *Tracer) Begin(ctx context.Context, name string, words ...Word) (_ context.Context, end func(failed bool, more ...Word)) {
	return t.begin(ctx, trace.SpanKindInternal, name, words)
}

// Call begins a span of a call to somebody else.
func (t *Tracer) Call(ctx context.Context, name string, words ...Word) (_ context.Context, end func(failed bool, more ...Word)) {
	return t.begin(ctx, trace.SpanKindClient, name, words)
}

func (t *Tracer) begin(ctx context.Context, kind trace.SpanKind, name string, words []Word) (context.Context, func(bool, ...Word)) {
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind))
	set(span, words)
	return ctx, func(failed bool, more ...Word) {
		set(span, more)
		if failed {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Inject sets the header traceparent to the span of ctx, if there is one. A tracestate is not
// passed on: it comes from the caller of the API and can have anything in it.
func Inject(ctx context.Context, h http.Header) {
	s := trace.SpanContextFromContext(ctx).WithTraceState(trace.TraceState{})
	parents.Inject(trace.ContextWithSpanContext(ctx, s), propagation.HeaderCarrier(h))
}

// Example returns ctx with a span of fixed ids that is recorded nowhere, for a run that shows
// which headers are sent.
func Example(ctx context.Context) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}}))
}

func set(span trace.Span, words []Word) {
	if !span.IsRecording() {
		return
	}
	for _, w := range words {
		span.SetAttributes(attribute.String(w.Key, w.Value))
	}
}

// Child reports whether ctx has a span that is recorded: what is done often is recorded only
// as a part of something.
func Child(ctx context.Context) bool { return trace.SpanFromContext(ctx).IsRecording() }
