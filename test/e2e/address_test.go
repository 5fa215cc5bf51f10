package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var revField = regexp.MustCompile(`name="rev" value="(\d+)"`)

// A bank is told the address of the person's browser, not that of the proxy before the
// server, and not one that the browser makes up.
func TestConnect_TellsTheAddressOfTheBrowser(t *testing.T) {
	t.Parallel()
	w := newEnv(t, "", clockSpeed)
	p := w.person(t, sam)
	var link struct{ URL string }
	w.backend.Do(t, "POST", "/connect-links", map[string]any{"userUuid": p.userID, "purpose": "show all accounts", "companies": []string{demoBank}}).WantStatus(t, 201, &link)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := http.Client{Jar: jar}
	ask := func(method, address string, form url.Values) (text, at string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-For", "192.0.2.1, 203.0.113.9") // the proxy writes the last
		r.Header.Set("User-Agent", "A browser")
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", method, resp.Status, err)
		}
		return string(body), resp.Request.URL.String()
	}
	page, at := ask("POST", link.URL, nil)
	rev := revField.FindStringSubmatch(page)
	if rev == nil {
		t.Fatalf("no form on %.500s", page)
	}
	ask("POST", at, url.Values{"act": {"begin"}, "way": {"other"}, "rev": {rev[1]}, "personalNumber": {p.personalNumber}})
	w.await(t, "the bank to be asked for a consent", func() bool {
		for _, r := range w.interceptor.all() {
			if r.method == http.MethodPost && strings.HasSuffix(r.path, "/consents") {
				if got := r.header.Get("PSU-IP-Address"); got != "203.0.113.9" {
					t.Errorf("the bank is told the address %q", got)
				}
				return true
			}
		}
		return false
	})
}
