package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/api"
)

// page is a handler and what a page of an origin gets from it.
func (e *env) page(h http.Handler, method, path, origin string, header map[string]string) *http.Response {
	e.Helper()
	r := httptest.NewRequest(method, path, nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestOrigins_LetAllowedPagesCall(t *testing.T) {
	e := newEnv(t)
	e.config.AllowOrigins = []string{"https://app.example.com", "http://localhost:3000"}
	h := e.handler(mounts(newer(t)))
	session := map[string]string{"Authorization": "Bearer " + e.token}
	for _, origin := range e.config.AllowOrigins {
		got := e.page(h, "GET", "/loans", origin, session)
		if got.StatusCode != 200 || got.Header.Get("Access-Control-Allow-Origin") != origin || got.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %d %v", origin, got.StatusCode, got.Header)
		}
		for _, name := range []string{"Insurely-Version", "X-Request-Id", "Link", "Retry-After", "RateLimit", "ETag"} {
			if !strings.Contains(got.Header.Get("Access-Control-Expose-Headers"), name) {
				t.Errorf("%s is not exposed", name)
			}
		}
		// A problem can be read by the page too.
		if got := e.page(h, "GET", "/nothing", origin, session); got.StatusCode != 404 || got.Header.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("problem: %d %v", got.StatusCode, got.Header)
		}
	}
}

func TestOrigins_AnswerPreflights(t *testing.T) {
	e := newEnv(t)
	e.config.AllowOrigins = []string{"https://app.example.com"}
	h := e.handler(mounts(newer(t)))
	ask := map[string]string{"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type,insurely-version"}
	got := e.page(h, "OPTIONS", "/loans", "https://app.example.com", ask)
	if got.StatusCode != 204 || got.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("preflight: %d %v", got.StatusCode, got.Header)
	}
	for _, name := range []string{"Authorization", "Content-Type", "Insurely-Version", "Idempotency-Key", "If-None-Match"} {
		if !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("%s is not allowed", name)
		}
	}
	if strings.Contains(strings.ToLower(got.Header.Get("Access-Control-Allow-Headers")), "authorization-token") {
		t.Error("a page may send an API key")
	}
	if got.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials of the browser are allowed")
	}
	// OPTIONS without the header of a preflight is an ordinary request.
	if got := e.page(h, "OPTIONS", "/loans", "https://app.example.com", nil); got.StatusCode != 405 {
		t.Errorf("OPTIONS: %d", got.StatusCode)
	}
}

func TestOrigins_RefuseOtherPages(t *testing.T) {
	e := newEnv(t)
	for _, allowed := range [][]string{nil, {"https://app.example.com"}} {
		e.config.AllowOrigins = allowed
		h := e.handler(mounts(newer(t)))
		for _, origin := range []string{"https://evil.example.com", "https://app.example.com.evil.com", "http://app.example.com", "https://app.example.com:8443", "null"} {
			got := e.page(h, "OPTIONS", "/loans", origin, map[string]string{"Access-Control-Request-Method": "GET"})
			if got.StatusCode != 405 || got.Header.Get("Access-Control-Allow-Origin") != "" || got.Header.Get("Access-Control-Allow-Methods") != "" {
				t.Errorf("%v, %s: %d %v", allowed, origin, got.StatusCode, got.Header)
			}
		}
		if got := e.page(h, "GET", "/loans", "", map[string]string{"Authorization": "Bearer " + e.token}); (got.Header.Get("Vary") == "Origin") != (allowed != nil) {
			t.Errorf("%v: Vary %q", allowed, got.Header.Get("Vary"))
		}
	}
}

// An API key belongs to a server. A page that sends one has given it to everybody.
func TestOrigins_RefuseAPIKeysOfPages(t *testing.T) {
	e := newEnv(t)
	e.config.AllowOrigins = []string{"https://app.example.com"}
	h := e.handler(mounts(newer(t)))
	key := map[string]string{"Authorization-Token": e.key}
	if got := e.page(h, "GET", "/loans/7", "", key); got.StatusCode != 200 {
		t.Fatalf("without an origin: %d", got.StatusCode)
	}
	for _, origin := range []string{"https://app.example.com", "https://evil.example.com"} {
		if got := e.page(h, "GET", "/loans/7", origin, key); got.StatusCode != 403 {
			t.Errorf("%s: %d", origin, got.StatusCode)
		}
	}
}

func TestNew_RefusesTextsThatAreNoOrigins(t *testing.T) {
	e := newEnv(t)
	for _, text := range []string{"", "*", "null", "app.example.com", "https://app.example.com/", "https://App.example.com", "https://a.com/x", "https://u@a.com", "ftp://a.com", "https://a.com?x"} {
		e.config.AllowOrigins = []string{text}
		if _, err := api.New(e.config, mounts(newer(t))); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

// Wrong keys of an address are slowed down; right ones from there are not.
func TestAuthorize_SlowsWrongKeys(t *testing.T) {
	e := newEnv(t)
	h := e.handler(mounts(newer(t)))
	refused := map[int]int{}
	for range 150 {
		refused[e.page(h, "GET", "/loans/7", "", map[string]string{"Authorization-Token": "wrong"}).StatusCode]++
	}
	if refused[401] < 100 || refused[429] == 0 || refused[401]+refused[429] != 150 {
		t.Errorf("answers %v", refused)
	}
	if got := e.page(h, "GET", "/loans/7", "", map[string]string{"Authorization-Token": e.key}); got.StatusCode != 200 {
		t.Errorf("a right key: %d", got.StatusCode)
	}
}
