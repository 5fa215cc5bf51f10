package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"samla/internal/api"
)

func TestHandler_AnswersUnknownPathsAndMethods(t *testing.T) {
	e := newEnv(t)
	h := e.handler(mounts(newer(t)))
	for _, tc := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/", 404, ""}, {"GET", "/nothing", 404, ""}, {"POST", "/loans/", 404, ""}, {"GET", "/loans/a/b", 404, ""},
		{"GET", "/LOANS", 404, ""}, {"GET", "//loans", 404, ""}, {"GET", "/a/../loans", 404, ""}, {"GET", "/hours/./", 404, ""},
		{"PUT", "/loans", 405, "GET, HEAD, POST"}, {"OPTIONS", "/loans", 405, "GET, HEAD, POST"}, {"BREW", "/loans/a", 405, "GET, HEAD"},
		{"DELETE", "/hours", 405, "GET, HEAD, PUT"},
	} {
		a := e.send(h, tc.method, tc.path)
		if a.Code != tc.status || a.Header().Get("Allow") != tc.allow || a.Header().Get("Insurely-Version") != "2026-02-02" {
			t.Errorf("%s %s: %d, %v", tc.method, tc.path, a.Code, a.Header())
		}
	}
	if a := e.send(h, "HEAD", "/hours"); a.Code != http.StatusOK {
		t.Errorf("HEAD: %d", a.Code)
	}
}

func TestHandler_ChecksCredentials(t *testing.T) {
	e := newEnv(t)
	h := e.handler(mounts(newer(t)))
	key, token := []string{"Authorization-Token", e.key}, []string{"Authorization", "Bearer " + e.token}
	for _, tc := range []struct {
		method, path string
		header       []string
		want         int
	}{
		{"GET", "/loans/7", nil, 401}, {"GET", "/loans/7", key, 200}, {"GET", "/loans/7", token, 403},
		{"GET", "/loans", nil, 401}, {"GET", "/loans", key, 403}, {"GET", "/loans", token, 200},
		{"POST", "/loans", nil, 401}, {"POST", "/loans", key, 200}, {"POST", "/loans", token, 200},
		{"POST", "/loans", slices.Concat(key, token), 400},
		{"GET", "/hours", nil, 200},
	} {
		if a := e.send(h, tc.method, tc.path, tc.header...); a.Code != tc.want {
			t.Errorf("%s %s %.30v: %d %s", tc.method, tc.path, tc.header, a.Code, a.Body)
		}
	}
}

func TestHandler_UsesOrMakesRequestID(t *testing.T) {
	e := newEnv(t)
	h := e.handler(mounts(newer(t)))
	for _, good := range []string{"a", "A-z_0.9", strings.Repeat("x", 64)} {
		if got := e.send(h, "GET", "/hours", "X-Request-Id", good).Header().Get("X-Request-Id"); got != good {
			t.Errorf("%q became %q", good, got)
		}
	}
	var made []string
	for _, bad := range []string{"", strings.Repeat("x", 65), "a b", "a/b", "å", "a\tb", "<x>"} {
		got := e.send(h, "GET", "/hours", "X-Request-Id", bad).Header().Get("X-Request-Id")
		if !api.IsID(got) || slices.Contains(made, got) {
			t.Errorf("%q became %q", bad, got)
		}
		made = append(made, got)
	}
}

func TestHandler_AnswersPanics(t *testing.T) {
	e := newEnv(t)
	v := newer(t)
	serve := func(f func(*api.Call) error) answer {
		e.log.Reset()
		v.Endpoints["getLoan"] = api.Endpoint{Serve: f}
		return e.get(e.handler(mounts(v)), "/loans/7")
	}
	for name, f := range map[string]func(*api.Call) error{
		"a value":   func(*api.Call) error { panic("199001011234") },
		"a runtime": func(c *api.Call) error { return []error{}[len(c.ID())] },
	} {
		a := serve(f)
		if a.Code != http.StatusInternalServerError || a.code() != "INTERNAL_ERROR" {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
		if log := e.log.String(); strings.Contains(log, "199001011234") || !strings.Contains(log, "panic") {
			t.Errorf("%s: log: %s", name, log)
		}
	}
	// A part of the answer is written: the connection is closed.
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("panicked with %v", p)
		}
	}()
	serve(func(c *api.Call) error { _ = c.Write(http.StatusOK, []byte(`{`)); panic("x") })
	t.Error("no panic")
}

// The access log has the pattern of a route, not the path or the query.
func TestHandler_LogsPatterns(t *testing.T) {
	e := newEnv(t)
	h := e.handler(mounts(newer(t)))
	for target, want := range map[string]string{
		"/hours?a=tolvan": `msg=answered method=GET route=/hours status=200`,
		"/tolvan":         `msg=answered method=GET route=/ status=404`,
		"/loans/tolvan":   `msg=answered method=GET route=/loans/{id} status=401`,
	} {
		e.log.Reset()
		e.send(h, "GET", target, "X-Request-Id", "mine")
		if got := e.log.String(); !strings.Contains(got, want) || !strings.Contains(got, "request=mine") || strings.Contains(got, "tolvan") {
			t.Errorf("%s: %s", target, got)
		}
	}
	e.log.Reset()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("TOLVAN", "/hours", nil))
	if got := e.log.String(); !strings.Contains(got, "method=other route=/hours status=405") {
		t.Error(got)
	}
}

func TestIsID(t *testing.T) {
	for text, want := range map[string]bool{
		"0197b1f0-0000-7000-8000-00000000000a": true, "": false, "x": false, "0197B1F0-0000-7000-8000-00000000000A": false,
		"0197b1f0-0000-7000-8000-00000000000": false, "0197b1f000000-7000-8000-00000000000a": false,
		"0197b1f0-0000-7000-8000-0000000000\x00a": false, strings.Repeat("-", 36): false,
	} {
		if api.IsID(text) != want {
			t.Errorf("IsID(%q) = %v", text, !want)
		}
	}
}
