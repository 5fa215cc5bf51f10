package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"samla/internal/api"
)

// older returns the version of testdata/older.json: a transformation of a newer one,
// in which the member loanId has the name id.
func older(t testing.TB, newer api.Version) api.Version {
	t.Helper()
	getLoan := api.Endpoint{Serve: func(c *api.Call) error {
		c.Rewrite(func(body []byte) ([]byte, error) {
			return bytes.ReplaceAll(body, []byte(`"loanId"`), []byte(`"id"`)), nil
		})
		return newer.Endpoints["getLoan"].Serve(c)
	}}
	return api.Version{Contract: contract(t, "older.json"), Endpoints: api.Endpoints{"getLoan": getLoan, "getOldLoan": getLoan}}
}

// A second version is another row of the list: the header selects between them
// (docs/reference/api.md 1.2).
func TestHandler_SelectsVersionByHeader(t *testing.T) {
	e := newEnv(t)
	n := newer(t)
	both := e.handler(mounts(n, older(t, n)))
	only := e.handler(mounts(n))
	const ofNewer, ofOlder, refused = `{"loanId":"7"}`, `{"id":"7"}`, "UNSUPPORTED_VERSION"
	for _, tc := range []struct {
		handler *api.Handler
		path    string
		header  []string
		version string // of the answer
		want    string // body, or code of a problem
	}{
		{both, "/loans/7", []string{"2026-02-02"}, "2026-02-02", ofNewer},
		{both, "/loans/7", []string{"2025-01-01"}, "2025-01-01", ofOlder},
		{both, "/loans/7", nil, "2025-01-01", ofOlder}, // the lowest
		{both, "/loans/7", []string{""}, "2025-01-01", ofOlder},
		{both, "/loans/7", []string{"", "2026-02-02", "2026-02-02"}, "2026-02-02", ofNewer},
		{both, "/loans/7", []string{"2024-01-01"}, "", refused},
		{both, "/loans/7", []string{"2025-01-01", "2026-02-02"}, "", refused},
		{both, "/loans/7", []string{"2025-01-01", "2024-01-01"}, "", refused},
		{both, "/loans/7", []string{"2026-02-02 "}, "", refused},
		{both, "/old/loans/7", []string{"2025-01-01"}, "2025-01-01", ofOlder},
		{both, "/old/loans/7", []string{"2026-02-02"}, "2026-02-02", "NOT_FOUND"},
		{both, "/old/loans/7", nil, "2025-01-01", ofOlder},
		{both, "/loans", []string{"2025-01-01"}, "2025-01-01", "NOT_FOUND"},
		{both, "/loans", nil, "2026-02-02", "FORBIDDEN"}, // only the newer one has it, for sessions
		{both, "/loans", []string{"2024-01-01"}, "", refused},
		{both, "/old/loans/7", []string{"2024-01-01"}, "", refused},
		{both, "/nowhere", nil, "2025-01-01", "NOT_FOUND"},
		{both, "/hours", []string{"2024-01-01"}, "", `{"open":true}`}, // of no version
		{both, "/hours", []string{"2025-01-01"}, "", `{"open":true}`},
		{both, "/nowhere", []string{"2024-01-01"}, "2026-02-02", "NOT_FOUND"},
		{only, "/loans/7", nil, "2026-02-02", ofNewer},
		{only, "/loans/7", []string{"2025-01-01"}, "", refused},
		{only, "/old/loans/7", nil, "2026-02-02", "NOT_FOUND"},
	} {
		var header []string
		for _, v := range tc.header {
			header = append(header, "Insurely-Version", v)
		}
		a := e.get(tc.handler, tc.path, header...)
		if got := a.Body.String(); got != tc.want && a.code() != tc.want {
			t.Errorf("%s %q: %d %s instead of %s", tc.path, tc.header, a.Code, got, tc.want)
		}
		if got := a.Header().Get("Insurely-Version"); got != tc.version {
			t.Errorf("%s %q: version %q instead of %q", tc.path, tc.header, got, tc.version)
		}
		if tc.want != refused {
			continue
		}
		want := `["2025-01-01","2026-02-02"]`
		if tc.handler == only {
			want = `["2026-02-02"]`
		}
		var p struct{ SupportedVersions json.RawMessage }
		if err := json.Unmarshal(a.Body.Bytes(), &p); err != nil || string(p.SupportedVersions) != want {
			t.Errorf("%s %q: supported %s, %v", tc.path, tc.header, p.SupportedVersions, err)
		}
	}
}

// A path that another version has is not found, and the answer says where it is. A method
// is refused with those of the version, or without one with those of all.
func TestHandler_NamesVersionThatHasThePath(t *testing.T) {
	e := newEnv(t)
	n := newer(t)
	h := e.handler(mounts(n, older(t, n)))
	for _, tc := range []struct{ method, path, version, code, allow, says string }{
		{"GET", "/loans", "2025-01-01", "NOT_FOUND", "", "Insurely-Version: 2026-02-02,"},
		{"PATCH", "/loans", "2025-01-01", "NOT_FOUND", "", "Insurely-Version: 2026-02-02,"},
		{"GET", "/old/loans/7", "2026-02-02", "NOT_FOUND", "", "Insurely-Version: 2025-01-01,"},
		{"GET", "/nowhere", "2025-01-01", "NOT_FOUND", "", "/openapi.json"},
		{"GET", "/nowhere", "", "NOT_FOUND", "", "/openapi.json"},
		{"PATCH", "/loans", "2026-02-02", "METHOD_NOT_ALLOWED", "GET, HEAD, POST", ""},
		{"PATCH", "/loans", "", "METHOD_NOT_ALLOWED", "GET, HEAD, POST", ""},
		{"PATCH", "/loans/7", "", "METHOD_NOT_ALLOWED", "GET, HEAD", ""},
		{"PATCH", "/old/loans/7", "", "METHOD_NOT_ALLOWED", "GET, HEAD", ""},
	} {
		a := e.send(h, tc.method, tc.path, "Insurely-Version", tc.version)
		var p struct{ Remedy string }
		if err := json.Unmarshal(a.Body.Bytes(), &p); err != nil || a.code() != tc.code || !strings.Contains(p.Remedy, tc.says) {
			t.Errorf("%s %s in %q: %s, %v", tc.method, tc.path, tc.version, a.Body, err)
		}
		if got := a.Header().Get("Allow"); got != tc.allow {
			t.Errorf("%s %s in %q: Allow %q instead of %q", tc.method, tc.path, tc.version, got, tc.allow)
		}
		if got := a.Header().Get("Insurely-Version"); tc.version != "" && got != tc.version {
			t.Errorf("%s %s in %q: version %q", tc.method, tc.path, tc.version, got)
		}
	}
}

// Problem documents are the same in all versions, and an error of the conversion is an
// internal error.
func TestRewrite_ConvertsSuccessesOnly(t *testing.T) {
	e := newEnv(t)
	n := newer(t)
	serve := func(status int, err error) answer {
		n.Endpoints["getLoan"] = api.Endpoint{Serve: func(c *api.Call) error {
			c.Rewrite(func(body []byte) ([]byte, error) { return append(body, '!'), err })
			return c.Write(status, []byte(`{}`))
		}}
		return e.get(e.handler(mounts(n)), "/loans/7")
	}
	if a := serve(http.StatusOK, nil); a.Body.String() != `{}!` {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := serve(http.StatusServiceUnavailable, nil); a.Body.String() != `{}` {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := serve(http.StatusOK, errors.New("cannot be converted")); a.code() != "INTERNAL_ERROR" || strings.Contains(a.Body.String(), "converted") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
