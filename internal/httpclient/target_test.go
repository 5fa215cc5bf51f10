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
		"https://bank.example/psd2/v1/accounts":          "", // another port
		"http://bank.example:8443/psd2/v1/accounts":      "", // another scheme
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

func TestResolveWithQuery_KeepsTheQueryOfALink(t *testing.T) {
	c, tap := tapped(t, "https://bank.example")
	for href, want := range map[string]string{
		"/v1/x":        "https://bank.example/v1/x?bookingStatus=both",
		"/v1/x?page=2": "https://bank.example/v1/x?page=2",
	} {
		target, err := c.ResolveWithQuery(href, url.Values{"bookingStatus": {"both"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := sentTo(t, c, tap, target); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if _, err := c.ResolveWithQuery("https://evil.example/", url.Values{}); httpclient.KindOf(err) != httpclient.OutsideBaseURL {
		t.Errorf("got %v", err)
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

// Whatever link a partner gives, the request stays below the base URL.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/psd2/v1/x", "https://bank.example:8443/psd2/v1/x?y", "//evil/x", "..%2f", "/a/%2e%2e/b", "?x", "a:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, href string) {
		c, tap := tapped(t, "https://bank.example:8443/psd2")
		target, err := c.Resolve(href)
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
	})
}
