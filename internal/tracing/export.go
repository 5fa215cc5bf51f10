package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends spans to a collector: OTLP/HTTP with the JSON mapping (OTLP specification
// 1.7, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit integers as strings, enums as
// numbers. A batch that is not taken is dropped.
type exporter struct {
	url    string
	client *http.Client
	log    *slog.Logger
}

// CheckEndpoint reports a URL that spans cannot be sent to.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return errors.New("the OTLP endpoint must be a URL such as http://127.0.0.1:4318")
	}
	return nil
}

func newExporter(endpoint string, log *slog.Logger) (*exporter, error) {
	if err := CheckEndpoint(endpoint); err != nil {
		return nil, err
	}
	transport := &http.Transport{Proxy: nil, MaxConnsPerHost: 1, IdleConnTimeout: time.Minute}
	client := &http.Client{Transport: transport, Timeout: exportTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &exporter{url: strings.TrimSuffix(endpoint, "/") + "/v1/traces", client: client, log: log}, nil
}

// ExportSpans implements sdk.SpanExporter.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := e.send(ctx, spans); err != nil {
		e.log.Warn("spans were dropped: the collector did not take them", "spans", len(spans), "error", err)
	}
	return nil
}

func (e *exporter) send(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	body, err := json.Marshal(request(spans))
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the request cannot be made")
	}
	req.Header.Set("Content-Type", "application/json")
	got, err := e.client.Do(req)
	var failed *url.Error // has the URL
	if errors.As(err, &failed) {
		return failed.Err
	}
	if err != nil {
		return err
	}
	defer func() { _ = got.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(got.Body, 64<<10))
	if got.StatusCode/100 != 2 {
		return fmt.Errorf("HTTP %d", got.StatusCode)
	}
	return nil
}

// Shutdown implements sdk.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// The messages of opentelemetry/proto/collector/trace/v1/trace_service.proto, as far as they
// are used.
type (
	exportRequest struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   attributes   `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
	}
	attributes struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope struct {
			Name string `json:"name"`
		} `json:"scope"`
		Spans []span `json:"spans"`
	}
	span struct {
		TraceID           string     `json:"traceId"`
		SpanID            string     `json:"spanId"`
		ParentSpanID      string     `json:"parentSpanId,omitempty"`
		Name              string     `json:"name"`
		Kind              int        `json:"kind"`
		StartTimeUnixNano string     `json:"startTimeUnixNano"`
		EndTimeUnixNano   string     `json:"endTimeUnixNano"`
		Attributes        []keyValue `json:"attributes,omitempty"`
		Status            *status    `json:"status,omitempty"`
	}
	status struct {
		Code int `json:"code"`
	}
	keyValue struct {
		Key   string   `json:"key"`
		Value anyValue `json:"value"`
	}
	anyValue struct {
		String *string `json:"stringValue,omitempty"`
		Int    *string `json:"intValue,omitempty"`
	}
)

// statusError is STATUS_CODE_ERROR.
const statusError = 2

func request(spans []sdk.ReadOnlySpan) exportRequest {
	out := scopeSpans{Spans: make([]span, 0, len(spans))}
	out.Scope.Name = "samla"
	for _, s := range spans {
		one := span{TraceID: s.SpanContext().TraceID().String(), SpanID: s.SpanContext().SpanID().String(), Name: s.Name(),
			Kind: int(s.SpanKind()), StartTimeUnixNano: nanos(s.StartTime()), EndTimeUnixNano: nanos(s.EndTime()), Attributes: keyValues(s.Attributes())}
		if s.Parent().SpanID().IsValid() {
			one.ParentSpanID = s.Parent().SpanID().String()
		}
		if s.Status().Code == codes.Error {
			one.Status = &status{statusError}
		}
		out.Spans = append(out.Spans, one)
	}
	return exportRequest{[]resourceSpans{{Resource: attributes{keyValues(spans[0].Resource().Attributes())}, ScopeSpans: []scopeSpans{out}}}}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

// keyValues converts attributes; package tracing sets strings and integers only.
func keyValues(all []attribute.KeyValue) []keyValue {
	var list []keyValue
	for _, a := range all {
		text := a.Value.Emit()
		v := anyValue{String: &text}
		if a.Value.Type() == attribute.INT64 {
			v = anyValue{Int: &text}
		}
		list = append(list, keyValue{string(a.Key), v})
	}
	return list
}
