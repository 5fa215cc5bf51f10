package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"samla/internal/api"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
	"samla/internal/store"
	"samla/internal/tracing"
	"samla/internal/webhook"
)

// startTracing makes the tracer, if a collector is configured, and lets log lines name
// their trace.
func (s *Server) startTracing() (err error) {
	if s.config.OTLPEndpoint == "" {
		return nil
	}
	s.tracer, err = tracing.New(tracing.Config{Endpoint: s.config.OTLPEndpoint, Share: s.config.TraceShare, Log: s.parts.Log})
	s.parts.Log = slog.New(tracing.Logged(s.parts.Log.Handler()))
	return err
}

// traceRequest returns what traces requests, or nil.
func (s *Server) traceRequest() func(*http.Request, api.Route) (context.Context, func(int)) {
	if s.tracer == nil {
		return nil
	}
	return func(r *http.Request, route api.Route) (context.Context, func(int)) {
		return s.tracer.Request(r, route.Method, route.Pattern, route.Version)
	}
}

// traceJob returns what traces the steps of flows, each a trace of its own: a step follows
// its request by minutes or months, and may run on another node.
func (s *Server) traceJob() func(context.Context, store.Queue) (context.Context, func(error)) {
	if s.tracer == nil {
		return nil
	}
	return func(ctx context.Context, q store.Queue) (context.Context, func(error)) {
		ctx, end := s.tracer.Begin(ctx, "job "+q.String(), tracing.Word{Key: "samla.queue", Value: q.String()})
		return ctx, func(err error) { end(err != nil) }
	}
}

// traceWrite returns what traces transactions inside of a request or a step, or nil.
func (s *Server) traceWrite() func(context.Context) func(error) {
	if s.tracer == nil {
		return nil
	}
	return func(ctx context.Context) func(error) {
		if !tracing.Child(ctx) {
			return func(error) {}
		}
		_, end := s.tracer.Begin(ctx, "transaction")
		return func(err error) { end(err != nil) }
	}
}

// traceCall is an intercept.Interceptor. An institution gets the span as its traceparent if its
// entry in the banks file says so.
func (s *Server) traceCall(ctx context.Context, c intercept.Call, do func(context.Context) error) error {
	if s.tracer == nil {
		return do(ctx)
	}
	ctx, end := s.tracer.Call(ctx, "institution "+string(c.Verb), tracing.Word{Key: "samla.company", Value: c.Company})
	err := do(ctx)
	if err == nil {
		end(false)
		return nil
	}
	kind := institution.KindOf(err)
	end(true, tracing.Word{Key: "samla.kind", Value: string(kind)}, tracing.Word{Key: "samla.attribution", Value: string(kind.Attribution())},
		tracing.Word{Key: "samla.reason", Value: string(institution.ReasonOf(err))})
	return err
}

// traceAttempt returns what traces attempts of webhooks, each a trace of its own that the
// receiver gets as its traceparent, or nil.
func (s *Server) traceAttempt() func(http.Header) func(webhook.Outcome) {
	if s.tracer == nil {
		return nil
	}
	return func(h http.Header) func(webhook.Outcome) {
		ctx, end := s.tracer.Call(context.Background(), "webhook attempt")
		tracing.Inject(ctx, h)
		return func(o webhook.Outcome) {
			end(!o.Success(), tracing.Word{Key: "samla.outcome", Value: cmp.Or(string(o.Err), "DELIVERED")})
		}
	}
}

// stopTracing exports what waits, for a moment.
func (s *Server) stopTracing(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	s.tracer.Stop(ctx)
}
