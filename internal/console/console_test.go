package console_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"samla/internal/console"
	"samla/internal/operator"
	"samla/internal/pages/look"
)

var kit = look.Must(console.NewKit(fstest.MapFS{"x.html": {Data: []byte(`{{define "x"}}<h1>{{.}}</h1>{{end}}`)}}))

func show(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		console.Render(w, r, kit, look.Page{Content: "x", View: "X", Title: text, Data: text + " by " + console.OperatorOf(r.Context()).Name})
	}
}

func views() []console.View {
	return []console.View{
		{Path: "/", Title: "Now", Handler: show("now")},
		{Path: "/jobs", Title: "Jobs", Handler: show("jobs"), Count: func(context.Context) int { return 1234 }},
		{Path: "/jobs/{id}", Handler: show("job")},
		{Path: "POST /jobs/{id}/retry", Needs: operator.Acting, Handler: show("retried")},
		{Path: "/keys", Title: "Keys", Needs: operator.Admin, Handler: show("keys")},
		{Path: "/broken", Handler: func(w http.ResponseWriter, r *http.Request) {
			console.Render(w, r, kit, look.Page{Content: "none", Title: "x"})
		}},
		{Path: "/failed", Handler: func(w http.ResponseWriter, r *http.Request) {
			console.Fail(w, r, errors.New("disk full"))
		}},
	}
}

// as asks the console, as somebody with a role whom the hook lets in; "" = nobody.
func as(role operator.Role, method, path string, headers ...string) (int, string, http.Header) {
	h := console.New(console.Deps{Views: views(), URL: func() string { return "http://localhost:8081" }, Env: "test", Log: slog.New(slog.DiscardHandler), Hook: func(*http.Request) (operator.Operator, bool) {
		return operator.Operator{ID: "1", Name: "maria.ek", Role: role}, role != ""
	}})
	r := httptest.NewRequest(method, "http://localhost:8081"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body)
	return w.Code, string(body), w.Header()
}

func TestConsole_LetsRolesThrough(t *testing.T) {
	for _, c := range []struct {
		role         operator.Role
		method, path string
		want         int
	}{
		{operator.Viewer, "GET", "/", 200}, {operator.Viewer, "GET", "/jobs/7", 200}, {operator.Viewer, "POST", "/jobs/7/retry", 403},
		{operator.Viewer, "GET", "/keys", 403}, {operator.Acting, "POST", "/jobs/7/retry", 200}, {operator.Acting, "GET", "/keys", 403},
		{operator.Admin, "GET", "/keys", 200}, {operator.Admin, "POST", "/jobs/7/retry", 200}, {operator.Admin, "GET", "/jobs/7/retry", 404},
		{"", "GET", "/", 401}, {"", "GET", "/keys", 401}, {"", "POST", "/jobs/7/retry", 401}, {"", "GET", "/none", 401}, {"root", "GET", "/", 403},
		{operator.Viewer, "GET", "/none", 404}, {operator.Viewer, "GET", "/broken", 500}, {operator.Viewer, "GET", "/failed", 500},
	} {
		code, body, _ := as(c.role, c.method, c.path)
		if code != c.want || strings.Contains(body, "disk full") {
			t.Errorf("%q %s %s: %d, not %d\n%s", c.role, c.method, c.path, code, c.want, body)
		}
	}
}

func TestConsole_ShowsNavigationAndOperator(t *testing.T) {
	_, body, header := as(operator.Viewer, "GET", "/jobs/7")
	for _, want := range []string{"job by maria.ek", `<a href="/jobs" aria-current="page">Jobs <span class="n">1,234</span></a>`, "maria.ek · viewer", `<a href="/">Now</a>`,
		`<span class="env">test</span>`, `class="brand" href="/"`, "<title>job – Samla console</title>"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	if strings.Contains(body, "/keys") {
		t.Error("the navigation leads to what the role may not see")
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", header)
	}
	if _, body, _ = as(operator.Viewer, "GET", "/"); !strings.Contains(body, `<a href="/" aria-current="page">Now</a>`) || strings.Contains(body, `/jobs" aria-current`) {
		t.Error(body)
	}
}

func TestConsole_RefusesActsOfOtherSites(t *testing.T) {
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		if code, _, _ := as(operator.Admin, "POST", "/jobs/7/retry", headers...); code != 403 {
			t.Errorf("%q: %d", headers, code)
		}
	}
	if code, _, _ := as(operator.Admin, "POST", "/jobs/7/retry", "Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8081"); code != 200 {
		t.Error(code)
	}
}

func TestConsole_AnswersForItsOwnHostOnly(t *testing.T) {
	h := console.New(console.Deps{Views: views(), URL: func() string { return "http://localhost:8081" }, Log: slog.New(slog.DiscardHandler), Hook: func(*http.Request) (operator.Operator, bool) {
		return operator.Operator{Name: "maria.ek", Role: operator.Admin}, true
	}})
	for _, c := range []struct {
		method, host string
		want         int
	}{
		{"GET", "localhost:8081", 200}, {"GET", "127.0.0.1:8081", 303}, {"GET", "[::1]:8081", 303}, {"POST", "127.0.0.1:8081", 421}, {"GET", "127.0.0.1:8082", 421},
		{"GET", "evil.example:8081", 421}, {"GET", "localhost", 421}, {"GET", "localhost.evil.example:8081", 421}, {"GET", "192.0.2.1:8081", 421}, {"GET", "", 421},
	} {
		r := httptest.NewRequest(c.method, "/jobs?x=1", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || c.want == 303 && w.Header().Get("Location") != "http://localhost:8081/jobs?x=1" {
			t.Errorf("%s %s: %d to %s, not %d", c.method, c.host, w.Code, w.Header().Get("Location"), c.want)
		}
	}
}

func TestConsole_RefusesActsThatAnybodyMay(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a view that acts needs no role")
		}
	}()
	console.New(console.Deps{Views: []console.View{{Path: "POST /x", Handler: show("x")}}})
}
