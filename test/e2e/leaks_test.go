package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"samla/internal/audit"
	"samla/internal/store"
)

// leaks collects what an operator and other systems see of a server besides its log:
// traces, metrics, audit entries and events. None of it may have a secret. It also
// registers the secrets that connectors and banks exchange.
type leaks struct {
	traces  *httptest.Server
	metrics string // address

	mu      sync.Mutex
	seen    strings.Builder
	secrets map[string]string // secret -> kind
}

func newLeaks(t *testing.T) *leaks {
	t.Helper()
	l := &leaks{secrets: map[string]string{}}
	l.traces = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.add("a trace", string(body))
	}))
	t.Cleanup(l.traces.Close)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.metrics = free.Addr().String()
	_ = free.Close()
	return l
}

func (l *leaks) add(where, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(&l.seen, where, text)
}

// wrapAccess implements devserver.Config.WrapAccess.
func (l *leaks) wrapAccess(next store.AccessRecorder) store.AccessRecorder {
	return accesses{next, l}
}

type accesses struct {
	store.AccessRecorder
	*leaks
}

func (a accesses) RecordAccess(ctx context.Context, e audit.Entry) error {
	a.add("an audit entry", fmt.Sprintf("%s %s", e.Kind, e.Detail))
	return a.AccessRecorder.RecordAccess(ctx, e)
}

const most = 100_000 // audit entries and events that are checked

// check checks what was seen. It must run before the server stops.
func (l *leaks) check(t *testing.T, w *env) {
	l.mu.Lock()
	for secret, kind := range l.secrets {
		w.Log.Secret(kind, secret)
	}
	l.mu.Unlock()
	ctx := context.WithoutCancel(t.Context())
	rows, err := w.Server.Store().AuditRows(ctx, 0, most)
	if err != nil {
		t.Error(err)
	}
	for _, row := range rows {
		l.add("an audit entry", string(row.AppendJSON(nil)))
	}
	clients, err := w.Server.Store().Clients(ctx)
	if err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		events, err := w.Server.Store().Events(ctx, store.EventFilter{ClientID: c.ID}, most)
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			l.add("an event", string(e.Body))
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.metrics+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil { // a node that was killed has none
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		l.add("a metric", string(body))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Log.CheckText(t, "what an operator sees", l.seen.String())
}

// secretMembers are the members of forms and JSON bodies that are secret, by kind.
var secretMembers = map[string]string{
	"code": "an authorization code", "code_verifier": "a verifier", "client_secret": "a client's secret", "confirmationCode": "a confirmation code",
	"access_token": "an access token", "refresh_token": "a refresh token", "id_token": "an identity token",
}

// transport registers the secrets of requests and answers.
func (l *leaks) transport(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
			l.secret("an access token", token)
		}
		if r.Body != nil {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			r = r.Clone(r.Context())
			r.Body = io.NopCloser(bytes.NewReader(body))
			l.secretsOf(r.Header, body)
		}
		res, err := next.RoundTrip(r)
		if err != nil || !strings.Contains(r.URL.Path, "token") {
			return res, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(body))
		l.secretsOf(res.Header, body)
		return res, err
	})
}

func (l *leaks) secretsOf(h http.Header, body []byte) {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	members := map[string]string{}
	if kind == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(body)); err == nil {
			for name := range secretMembers {
				members[name] = form.Get(name)
			}
		}
	} else {
		var object map[string]any
		_ = json.Unmarshal(body, &object) // anything else has no members
		for name := range secretMembers {
			members[name], _ = object[name].(string)
		}
	}
	for name, value := range members {
		l.secret(secretMembers[name], value)
	}
}

func (l *leaks) secret(kind, text string) {
	if len(text) < 8 { // a word that may be anywhere
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secrets[text] = kind
}
