package doctor_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"samla/internal/company"
	"samla/internal/doctor"
	"samla/internal/institution"
)

// shows answers like the pages of a server; without path, as the other servers that a proxy
// may name.
func shows(without string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for path, text := range map[string]string{"/go/": `<main data-view="UNKNOWN">`, "/callback/": `<main data-view="FRAGMENT">`, "/pages/": ":root { --paper: #FFF; }",
			"/c/": `<main data-view="LINK_UNKNOWN">`, "/connect.js": "window.SamlaConnect = {", "/permissions": `<main data-view="END">`} {
			if strings.HasPrefix(r.URL.Path, path) && path != without {
				_, _ = w.Write([]byte(text))
				return
			}
		}
		http.NotFound(w, r)
	})
}

func TestReturns_LooksAtThePagesAsABrowser(t *testing.T) {
	well := httptest.NewServer(shows(""))
	defer well.Close()
	untrusted := httptest.NewTLSServer(shows(""))
	defer untrusted.Close()
	none := httptest.NewServer(shows(""))
	none.Close()
	all := set(institution.Institution{Profile: institution.Profile{Redirects: true}})
	for name, c := range map[string]struct {
		set      institution.Set
		url      string
		unusable error
		want     string
	}{
		"nobody needs one": {set: set(institution.Institution{}), want: ""},
		"none":             {set: all, want: "public URL: warning"},
		"unusable":         {all, "http://x", errors.New("no https"), "public URL: failed"},
		"well":             {all, well.URL, nil, "public URL: ok, se-a returns: skipped"},
		"untrusted":        {all, untrusted.URL, nil, "public URL: failed, se-a returns: skipped"},
		"does not answer":  {all, none.URL, nil, "public URL: warning, se-a returns: skipped"},
	} {
		var r doctor.Report
		if r.Returns(t.Context(), c.set, c.url, c.unusable, true); states(r) != c.want {
			t.Errorf("%s: %s, %+v", name, states(r), r)
		}
	}
	for _, path := range []string{"/go/", "/callback/", "/pages/", "/c/", "/connect.js", "/permissions"} {
		other := httptest.NewServer(shows(path))
		var r doctor.Report
		if r.Returns(t.Context(), all, other.URL, nil, true); r[0].State != doctor.Failed || !strings.Contains(r[0].Found, path) {
			t.Errorf("without %s: %+v", path, r)
		}
		other.Close()
		r = nil
		if r.Returns(t.Context(), all, other.URL, nil, false); r[0].State != doctor.OK {
			t.Errorf("without a look: %+v", r)
		}
	}
}

func TestReturns_ComparesRegisteredAddresses(t *testing.T) {
	server := httptest.NewServer(shows(""))
	defer server.Close()
	bank := func(id string, p institution.Profile, tells func(context.Context) ([]string, error)) institution.Institution {
		return institution.Institution{Company: company.Company{ID: id}, Profile: p, ReturnAddresses: tells}
	}
	all := institution.Set{
		"se-g-1": bank("se-g-1", institution.Profile{Redirects: true, ReturnName: "gate"}, nil),
		"se-g-2": bank("se-g-2", institution.Profile{Redirects: true, ReturnName: "gate"}, func(context.Context) ([]string, error) {
			return []string{"https://other.example/callback/gate", server.URL + "/callback/gate"}, nil
		}),
		"se-g-3": bank("se-g-3", institution.Profile{Redirects: true, ReturnName: "gate"}, nil),
		"se-lost": bank("se-lost", institution.Profile{LoginFirst: true}, func(context.Context) ([]string, error) {
			return []string{server.URL + "/callback/gate"}, nil
		}),
		"se-mute": bank("se-mute", institution.Profile{Redirects: true}, func(context.Context) ([]string, error) { return nil, errors.New("503") }),
		"se-app":  bank("se-app", institution.Profile{}, nil),
	}
	var r doctor.Report
	r.Returns(t.Context(), all, server.URL, nil, true)
	if want := "public URL: ok, gate returns: ok, se-lost returns: failed, se-mute returns: failed"; states(r) != want {
		t.Errorf("%s instead of %s", states(r), want)
	}
	r = nil
	r.Returns(t.Context(), all, server.URL, nil, false)
	if want := "public URL: ok, gate returns: skipped, se-lost returns: skipped, se-mute returns: skipped"; states(r) != want {
		t.Errorf("%s instead of %s", states(r), want)
	}
}
