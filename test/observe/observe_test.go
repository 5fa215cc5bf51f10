// Package observe tests what an operator sees of a running server: metrics and traces.
package observe

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collected "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"samla/internal/apiclient"
	"samla/internal/devserver"
)

const personalNumber = "198412099296"

// collector is an OTLP/HTTP receiver: it decodes with the published protobuf messages, and
// refuses members that they do not have.
type collector struct {
	mu    sync.Mutex
	spans []*collected.Span
	raw   bytes.Buffer
	fault error
}

// ServeHTTP implements http.Handler.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var data collected.TracesData // the same JSON as ExportTraceServiceRequest
	if err == nil {
		err = protojson.Unmarshal(body, &data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
		c.fault = fmt.Errorf("%s %s: %w", r.Method, r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.raw.Write(body)
	for _, rs := range data.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			c.spans = append(c.spans, ss.GetSpans()...)
		}
	}
}

// hexID returns an id as it was sent: OTLP has hexadecimal where protojson reads base64.
func hexID(id []byte) string { return base64.StdEncoding.EncodeToString(id) }

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// useServer creates a consent, with a traceparent in each request, and returns ids that no
// span and no metric may show.
func useServer(t *testing.T, e *devserver.Environment, traceID string) (secrets []string) {
	t.Helper()
	ctx := t.Context()
	c := &apiclient.Client{Base: e.Server.URL(), APIKey: e.APIKey, HTTP: &http.Client{Transport: parented(traceID)}}
	u, err := c.CreateUser(ctx, "customer-"+personalNumber)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.CreateSession(ctx, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.CreateConsent(ctx, token, apiclient.ConsentRequest{Company: "se-demo-psd2", LoginMethod: "SWEDISH_MOBILE_BANKID_OTHER_DEVICE",
		PersonalNumber: personalNumber, IPAddress: "192.0.2.1", Locale: "sv-SE"})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		s, err := c.PollConsent(ctx, token, id)
		if err != nil || time.Now().After(deadline) {
			t.Fatal(s, err)
		}
		if s.Status == "AWAITING_AUTHORIZATION" {
			break
		}
	}
	return []string{personalNumber, u.ID, id, token, e.APIKey, "192.0.2.1", "customer-"}
}

// parented adds a sampled traceparent to each request.
type parented string

// RoundTrip implements http.RoundTripper.
func (p parented) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Traceparent", "00-"+string(p)+"-00f067aa0ba902b7-01")
	return http.DefaultTransport.RoundTrip(r)
}

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

func TestTraces_AreSentToACollector(t *testing.T) {
	c := &collector{}
	receiver := httptest.NewServer(c)
	defer receiver.Close()
	log := &lockedBuffer{}
	sent := &requests{}
	e, err := devserver.Start(t.Context(), devserver.Config{Dir: t.TempDir(), OTLPEndpoint: receiver.URL,
		Log: slog.New(slog.NewTextHandler(log, nil)), WrapConnectors: sent.wrap})
	if err != nil {
		t.Fatal(err)
	}
	secrets := useServer(t, e, traceID)
	if err := e.Stop(context.WithoutCancel(t.Context())); err != nil { // exports what waits
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != nil {
		t.Fatal(c.fault)
	}
	byID, names := map[string]*collected.Span{}, map[string]*collected.Span{}
	for _, s := range c.spans {
		byID[hexID(s.GetSpanId())] = s
		names[s.GetName()] = s
	}
	create := names["POST /consents"]
	if create == nil || hexID(create.GetTraceId()) != traceID || hexID(create.GetParentSpanId()) != "00f067aa0ba902b7" ||
		create.GetKind() != collected.Span_SPAN_KIND_SERVER || create.GetEndTimeUnixNano() < create.GetStartTimeUnixNano() {
		t.Fatalf("POST /consents: %v", create)
	}
	for child, wanted := range map[string]string{"transaction": "", "institution open": "job consents"} {
		s := names[child]
		if s == nil {
			t.Errorf("no span %s", child)
			continue
		}
		parent := byID[hexID(s.GetParentSpanId())]
		if parent == nil || (wanted != "" && parent.GetName() != wanted) || !bytes.Equal(parent.GetTraceId(), s.GetTraceId()) {
			t.Errorf("%s has the parent %v", child, parent)
		}
	}
	for _, secret := range secrets {
		if strings.Contains(c.raw.String(), secret) {
			t.Errorf("a span has %q", secret)
		}
	}
	if all := sent.headers(); len(all) == 0 || slices.ContainsFunc(all, func(h http.Header) bool { return h.Get("Traceparent") != "" }) {
		t.Errorf("a bank whose entry does not say so got a traceparent, or no bank was asked: %v", all)
	}
	if !strings.Contains(log.text(), "trace="+traceID) {
		t.Error("no log line has the trace")
	}
}

// The receiver of an event gets the span of the attempt as its parent, if this server traces.
func TestTraces_ReceiversOfWebhooksGetTheSpanOfTheAttempt(t *testing.T) {
	for name, traced := range map[string]bool{"traced": true, "not traced": false} {
		t.Run(name, func(t *testing.T) {
			c := &collector{}
			exported := httptest.NewServer(c)
			defer exported.Close()
			got := make(chan string, 1)
			receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("Traceparent") }))
			defer receiver.Close()
			settings := devserver.Config{Dir: t.TempDir()}
			if traced {
				settings.OTLPEndpoint = exported.URL
			}
			e, err := devserver.Start(t.Context(), settings)
			if err != nil {
				t.Fatal(err)
			}
			sendTestEvent(t, e, receiver.URL)
			parent := <-got
			if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Fatal(err)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if !traced && parent != "" {
				t.Errorf("the receiver got %s", parent)
			}
			i := slices.IndexFunc(c.spans, func(s *collected.Span) bool { return s.GetName() == "webhook attempt" })
			if traced && (i < 0 || parent != "00-"+hexID(c.spans[i].GetTraceId())+"-"+hexID(c.spans[i].GetSpanId())+"-01" ||
				c.spans[i].GetKind() != collected.Span_SPAN_KIND_CLIENT || len(c.spans[i].GetParentSpanId()) > 0 ||
				c.spans[i].GetAttributes()[0].GetValue().GetStringValue() != "DELIVERED") {
				t.Errorf("the receiver got %s, spans %v", parent, c.spans)
			}
		})
	}
}

// sendTestEvent registers a receiver and has a test event sent to it.
func sendTestEvent(t *testing.T, e *devserver.Environment, receiver string) {
	t.Helper()
	c := &apiclient.Client{Base: e.Server.URL(), APIKey: e.APIKey, HTTP: http.DefaultClient}
	endpoint, err := c.CreateWebhookEndpoint(t.Context(), receiver, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.Server.URL()+"/webhook-endpoints/"+endpoint.ID+"/test", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization-Token", e.APIKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("test event: %d", answer.StatusCode)
	}
}

// requests keeps the headers of the requests to institutions.
type requests struct {
	mu  sync.Mutex
	all []http.Header
}

func (r *requests) wrap(next http.RoundTripper) http.RoundTripper { return kept{r, next} }

func (r *requests) headers() []http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

type kept struct {
	*requests
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (k kept) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	k.all = append(k.all, r.Header)
	k.mu.Unlock()
	return k.next.RoundTrip(r)
}

// A collector that never answers must not slow what is traced, nor the end of the server.
func TestTraces_DeadCollectorSlowsNothing(t *testing.T) {
	release := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer receiver.Close()
	defer close(release)
	e, err := devserver.Start(t.Context(), devserver.Config{Dir: t.TempDir(), OTLPEndpoint: receiver.URL})
	if err != nil {
		t.Fatal(err)
	}
	for range 6000 { // three times what the queue holds
		got, err := http.Get(e.Server.URL() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, got.Body)
		got.Body.Close()
	}
	if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestMetrics_OfARunningServerAreDocumented(t *testing.T) {
	e, err := devserver.Start(t.Context(), devserver.Config{Dir: t.TempDir(), Metrics: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Stop(context.WithoutCancel(t.Context())) }()
	secrets := useServer(t, e, traceID)
	unknown(t, e, 1)
	before := series(scrape(t, e))
	unknown(t, e, 2)
	text := scrape(t, e)
	if after := series(text); after != before {
		t.Errorf("random requests made %d series of %d", after, before)
	}
	document, err := os.ReadFile("../../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	families := regexp.MustCompile(`(?m)^# TYPE (samla_[a-z_]+) `).FindAllStringSubmatch(text, -1)
	if len(families) < 25 {
		t.Errorf("%d families", len(families))
	}
	for _, f := range families {
		if !bytes.Contains(document, []byte("| `"+f[1]+"` |")) {
			t.Errorf("%s is not in docs/observe.md", f[1])
		}
	}
	for _, wanted := range []string{`samla_consents_total{cause="NONE",step="CREATED"} 1`, `verb="open"`, `company="se-demo-psd2",result="SIGNED"`,
		`samla_store_commit_duration_seconds_count`, `route="/consents/{consentId}/status"`} {
		if !strings.Contains(text, wanted) {
			t.Errorf("%s is missing", wanted)
		}
	}
	for _, secret := range append(secrets, "19121212", "x.example") {
		if strings.Contains(text, secret) {
			t.Errorf("a label has %q", secret)
		}
	}
}

// unknown sends requests with paths, methods, headers and versions that nothing has.
func unknown(t *testing.T, e *devserver.Environment, seed int) {
	t.Helper()
	for i := range 200 {
		word := fmt.Sprintf("19121212-%d-%d", seed, i*7919)
		method := []string{"GET", "POST", "BREW", fmt.Sprintf("M%d-%d", seed, i)}[i%4]
		path := []string{"/" + word, "/users/" + word + "?url=https://x.example", "/collections/" + word + "/status", "//" + word, "/users"}[i%5]
		r, err := http.NewRequestWithContext(t.Context(), method, e.Server.URL()+path, strings.NewReader(word))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Insurely-Version", []string{"", word, "2025-01-01", "2026-04-01"}[i/20%4])
		r.Header.Set("Authorization-Token", word)
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
	}
}

func scrape(t *testing.T, e *devserver.Environment) string {
	t.Helper()
	got, err := http.Get(e.Server.MetricsURL())
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// series counts the series of requests.
func series(text string) int { return strings.Count(text, "\nsamla_http_") }
