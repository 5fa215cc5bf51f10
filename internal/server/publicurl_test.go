package server_test

import (
	"strings"
	"testing"

	"samla/internal/server"
)

// Browsers are sent to the public URL: what is no address of a server is refused at the
// start, and not by the first person.
func TestCheckPublicURL_RefusesWhatBrowsersCannotUse(t *testing.T) {
	for _, good := range []string{"", "https://samla.example.com", "https://samla", "https://SAMLA.example:8443", "https://samla.example:1", "https://samla.example:65535",
		"https://192.0.2.1", "https://[2001:db8::1]:8443", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080", "https://xn--smla-loa.example"} {
		if err := server.CheckPublicURL(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"samla.example": "a scheme", "ftp://samla.example": "a scheme", "https:samla.example": "a scheme", "https://sam la.example": "a scheme", "https://samla.example:80x": "a scheme",
		"https://samla.example:99999": "1 to 65535", "https://samla.example:0": "1 to 65535", "https://samla.example:": "1 to 65535", "http://[::1]:65536": "1 to 65535",
		"https://": "a host", "https://:8443": "a host", "https://-samla.example": "a host", "https://samla..example": "a host", "https://samla_1.example": "a host",
		"https://0.0.0.0": "a host", "https://[::]:8443": "a host", "https://1.2.3": "a host", "https://sämla.example": "a host", "https://*.example": "a host",
		"https://" + strings.Repeat("a", 64) + ".example": "a host",
		"https://samla.example?x=1":                       "no query", "https://samla.example?": "no query", "https://samla.example#": "no query", "https://samla.example/#x": "no query",
		"https://user:secret@samla.example": "no user name", "https://samla.example/": "no slash", "https://samla.example/samla": "no path", "http://samla.example": "begin with https",
		"http://192.0.2.1": "begin with https",
	} {
		err := server.CheckPublicURL(bad)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v, want %q", bad, err, want)
		}
	}
}
