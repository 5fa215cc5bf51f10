package samla

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A redirect is an error: it would carry the API key or the token to another server.
func TestClient_FollowsNoRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s came with %q", r.Method, r.URL, r.Header.Get("authorization-token")+r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	for name, h := range map[string]*http.Client{"no client": nil, "a client": server.Client()} {
		backend, err := New(server.URL, "samla_x", h)
		if err != nil {
			t.Fatal(err)
		}
		session, err := backend.ForSession("token")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*Client{backend, session} {
			var p *Problem
			if _, err := c.GetCompanyAvailability(t.Context()); !errors.As(err, &p) || p.Document.Status != http.StatusTemporaryRedirect {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
