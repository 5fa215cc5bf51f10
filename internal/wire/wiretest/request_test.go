package wiretest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestCheckRequest(t *testing.T) {
	c := mustLoad(t)
	key, token := []string{"authorization-token", "k"}, []string{"Authorization", "Bearer t"}
	for _, tc := range []struct {
		route, body string
		header      http.Header
		want        string
	}{
		{"POST /users", `{"externalId":"a"}`, usual(key...), ""},
		{"POST /users", `{}`, usual(key...), "externalId"},
		{"POST /users", ``, usual(key...), "MALFORMED"},
		{"POST /users", `{"externalId":"a"}`, usual(token...), "credential"},
		{"POST /users", `{"externalId":"a"}`, usual(slices.Concat(key, token)...), "two credentials"},
		{"POST /users", `{"externalId":"a"}`, headers(key...), "Insurely-Version"},
		{"GET /users", ``, usual(key...), "externalId"},
		{"GET /consents", ``, usual(token...), ""},
		{"GET /collections/1/status", ``, usual(token...), ""},
		{"GET /collections/1/status", ``, usual(key...), ""},
		{"GET /healthz", ``, headers(), ""},
		{"GET /nowhere", ``, usual(key...), "no such operation"},
	} {
		method, path, _ := strings.Cut(tc.route, " ")
		r := httptest.NewRequest(method, path, strings.NewReader(tc.body))
		r.Header = tc.header
		err := c.CheckRequest(r)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %s: want %q, got %v", tc.route, tc.body, tc.want, err)
		}
		if left, _ := io.ReadAll(r.Body); string(left) != tc.body {
			t.Errorf("%s: the body is gone: %q", tc.route, left)
		}
	}
}
