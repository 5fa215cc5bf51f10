package httpclient_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"samla/internal/httpclient"
)

func TestValidateBaseURL_RefusesUnsafeURLs(t *testing.T) {
	for s, ok := range map[string]bool{
		"https://bank.example":           true,
		"https://bank.example:8443/psd2": true,
		"https://bank.example/psd2/":     true,
		"http://127.0.0.1:8080":          true,
		"http://[::1]:8080/x":            true,
		"http://localhost":               true,
		"http://bank.example":            false,
		"":                               false,
		"bank.example/psd2":              false,
		"//bank.example":                 false,
		"ftp://bank.example":             false,
		"https:bank.example":             false,
		"https://u:p@bank.example":       false,
		"https://bank.example?x=1":       false,
		"https://bank.example/#f":        false,
		"https://bank.example/a/../b":    false,
		"https://bank.example/%2e%2e/b":  false,
		"https://bank example":           false,
	} {
		if err := httpclient.ValidateBaseURL(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// wiretap is a transport that records requests and sends nothing.
type wiretap struct{ last *http.Request }

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	w.last = r
	return httptest.NewRecorder().Result(), nil
}

func tapped(t testing.TB, base string) (*httpclient.Client, *wiretap) {
	t.Helper()
	tap := &wiretap{}
	c, err := httpclient.New(httpclient.Config{BaseURL: base, WrapTransport: func(http.RoundTripper) http.RoundTripper { return tap }})
	if err != nil {
		t.Fatal(err)
	}
	return c, tap
}

// sentTo returns the address that a request to the target goes to.
func sentTo(t testing.TB, c *httpclient.Client, tap *wiretap, target httpclient.Target) string {
	t.Helper()
	if _, err := c.Do(t.Context(), httpclient.Request{Method: http.MethodGet, Target: target}); err != nil {
		t.Fatal(err)
	}
	return tap.last.URL.String()
}

func TestResolve_StaysBelowTheBaseURL(t *testing.T) {
	c, tap := tapped(t, "https://bank.example:8443/psd2")
	for href, want := range map[string]string{
		"/psd2/v1/accounts":                              "https://bank.example:8443/psd2/v1/accounts",
		"/v1/accounts":                                   "https://bank.example:8443/psd2/v1/accounts", // below the base URL, as some banks write it
		"v1/accounts?page=2&x=%2F":                       "https://bank.example:8443/psd2/v1/accounts?page=2&x=%2F",
		"https://bank.example:8443/psd2/v1/accounts":     "https://bank.example:8443/psd2/v1/accounts",
		"HTTPS://BANK.example:8443/psd2/v1/x":            "https://bank.example:8443/psd2/v1/x",
		" /psd2/v1/x#fragment ":                          "https://bank.example:8443/psd2/v1/x",
		"/psd2/v1/accounts/a%2Fb":                        "https://bank.example:8443/psd2/v1/accounts/a%2Fb",
		"https://bank.example:8443":                      "",
		"":                                               "",
		"#x":                                             "",
		"https://bank.example/psd2/v1/accounts":          "",                                           // another port
		"http://bank.example:8443/psd2/v1/accounts":      "https://bank.example:8443/psd2/v1/accounts", // the scheme is ours
		"http://bank.example/psd2/v1/accounts":           "https://bank.example:8443/psd2/v1/accounts",
		"/psd2/v1/x?a=b c|d&e=%zz%2F#f":                  "https://bank.example:8443/psd2/v1/x?a=b%20c%7Cd&e=%25zz%2F%23f",
		"/psd2/v1/å b?x=1&amp;y=2":                       "https://bank.example:8443/psd2/v1/%C3%A5%20b?x=1&y=2",
		"/psd2/v1/x?next=https://evil.example/y":         "https://bank.example:8443/psd2/v1/x?next=https://evil.example/y",
		"https://evil.example:8443/psd2/v1/accounts":     "",
		"//evil.example/psd2/v1/accounts":                "",
		"https://bank.example:8443@evil.example/psd2/v1": "",
		"https://u@bank.example:8443/psd2/v1":            "",
		"https://bank.example:8443/other/v1":             "",
		"https://bank.example:8443/psd2evil/v1":          "",
		"/psd2/../admin":                                 "",
		"/psd2/%2e%2e/admin":                             "",
		"/psd2/v1/..%2f..%2fadmin":                       "",
		"/psd2/v1/..\\admin":                             "",
		"../admin":                                       "",
		"javascript:alert(1)":                            "",
		"file:///etc/passwd":                             "",
		"https://bank.example:8443/psd2/\x00":            "",
		"http://[::1":                                    "",
	} {
		target, err := c.Resolve(href)
		if want == "" {
			if httpclient.KindOf(err) != httpclient.OutsideBaseURL || err == nil {
				t.Errorf("%q: got %v", href, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", href, err)
			continue
		}
		if got := sentTo(t, c, tap, target); got != want {
			t.Errorf("%q: got %s, want %s", href, got, want)
		}
		if strings.Contains(target.String(), "bank") {
			t.Error("a target shows its address")
		}
	}
}

func TestParseLink_SaysWhoseAddressItIs(t *testing.T) {
	c, _ := tapped(t, "https://bank.example/psd2")
	for href, want := range map[string]httpclient.Link{
		"?page=2":                                 {Query: "page=2"},
		"transactions?page=2":                     {Path: "transactions", Query: "page=2"},
		"/psd2/v1/accounts?a":                     {Path: "/v1/accounts", Below: true, Query: "a"},
		"/v1/accounts":                            {Path: "/v1/accounts"},
		"http://BANK.example:80/psd2/v1":          {Host: httpclient.OtherHost, Path: "/v1", Below: true}, // another port
		"http://bank.example/psd2/v1":             {Host: httpclient.OwnHost, Path: "/v1", Below: true},
		"http://bank.example:443/psd2/v1":         {Host: httpclient.OwnHost, Path: "/v1", Below: true},
		"https://inner.example/x/v1/accounts?a=b": {Host: httpclient.OtherHost, Path: "/x/v1/accounts", Query: "a=b"},
		"//inner.example/psd2/v1/accounts":        {Host: httpclient.OtherHost, Path: "/v1/accounts", Below: true},
		"https://inner.example?a":                 {Host: httpclient.OtherHost, Query: "a"},
	} {
		if got, err := c.ParseLink(href); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", href, got, err)
		}
	}
}

func TestBelow_MakesAnAddressOfPathAndQuery(t *testing.T) {
	c, tap := tapped(t, "https://bank.example/psd2")
	target, err := c.Below("/v1/accounts/a%2Fb", "page=2&x=a b")
	if err != nil {
		t.Fatal(err)
	}
	if got := sentTo(t, c, tap, target); got != "https://bank.example/psd2/v1/accounts/a%2Fb?page=2&x=a%20b" {
		t.Errorf("got %s", got)
	}
	for _, path := range []string{"", "v1", "//..", "/../x", "/a/%2e%2e", "/a%2f..", `/a\b`} {
		if _, err := c.Below(path, ""); httpclient.KindOf(err) != httpclient.OutsideBaseURL || err == nil {
			t.Errorf("%q: got %v", path, err)
		}
	}
}

func TestNewTarget_StaysBelowTheBaseURL(t *testing.T) {
	c, tap := tapped(t, "https://bank.example/psd2/")
	target, err := c.NewTarget(url.Values{"q": {"a b"}}, "v1", "consents", "a/b ?#å")
	if err != nil {
		t.Fatal(err)
	}
	if got := sentTo(t, c, tap, target); got != "https://bank.example/psd2/v1/consents/a%2Fb%20%3F%23%C3%A5?q=a+b" {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", ".", "..", "a/../../b", `a\b`, "a\x00"} {
		if _, err := c.NewTarget(nil, "v1", "consents", bad); httpclient.KindOf(err) != httpclient.OutsideBaseURL || err == nil {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

func TestDo_RefusesATargetOfAnotherClient(t *testing.T) {
	c, tap := tapped(t, "https://bank.example")
	other, _ := tapped(t, "https://other.example")
	target, err := other.NewTarget(nil, "v1", "accounts")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]httpclient.Target{"another client's": target, "zero": {}} {
		_, err := c.Do(t.Context(), httpclient.Request{Method: http.MethodGet, Target: target})
		if httpclient.KindOf(err) != httpclient.OutsideBaseURL || err == nil || tap.last != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever link a partner gives, the request stays below the base URL, and what is sent
// is a valid URI.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/psd2/v1/x", "https://bank.example:8443/psd2/v1/x?y", "//evil/x", "..%2f", "/a/%2e%2e/b", "?x", "a:b", "http://evil?a#%", "x?\xff\"<>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, href string) {
		c, tap := tapped(t, "https://bank.example:8443/psd2")
		target, err := c.Resolve(href)
		if l, failed := c.ParseLink(href); err != nil && failed == nil {
			path := l.Path
			if !strings.HasPrefix(path, "/") {
				path = "/" + path
			}
			if target, err = c.Below(path, l.Query); err != nil {
				t.Errorf("%q: a parsed link is no address", href)
			}
		}
		if err != nil {
			return
		}
		u, err := url.Parse(sentTo(t, c, tap, target))
		if err != nil {
			t.Fatal(err)
		}
		decoded := u.Path + "/"
		if u.Scheme != "https" || u.Host != "bank.example:8443" || u.User != nil || u.Fragment != "" ||
			!strings.HasPrefix(decoded, "/psd2/") || strings.Contains(decoded, "/../") {
			t.Errorf("%q resolves to %s", href, u)
		}
		if uri := u.RequestURI(); strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}#", r) }) {
			t.Errorf("%q is sent as %q", href, uri)
		}
	})
}

func TestClient_AddsItsQueryToEveryAddress(t *testing.T) {
	tap := &wiretap{}
	c, err := httpclient.New(httpclient.Config{BaseURL: "https://bank.example/psd2", Query: url.Values{"bic": {"B"}, "app-id": {"a b"}},
		WrapTransport: func(http.RoundTripper) http.RoundTripper { return tap }})
	if err != nil {
		t.Fatal(err)
	}
	below, err := c.Below("/v1/accounts", "page=2&bic=C")
	if err != nil {
		t.Fatal(err)
	}
	named, err := c.NewTarget(nil, "v1", "accounts")
	if err != nil {
		t.Fatal(err)
	}
	link, err := c.Resolve("/psd2/v1/accounts?app%2Did=x")
	if err != nil {
		t.Fatal(err)
	}
	for want, target := range map[string]httpclient.Target{
		"page=2&bic=C&app-id=a+b": below, "app-id=a+b&bic=B": named, "app%2Did=x&bic=B": link,
	} {
		if got := sentTo(t, c, tap, target); got != "https://bank.example/psd2/v1/accounts?"+want {
			t.Errorf("got %s", got)
		}
	}
}
