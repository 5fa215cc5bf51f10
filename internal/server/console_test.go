package server_test

import (
	"net/http"
	"strings"
	"testing"

	"samla/internal/operator"
	"samla/internal/server"
)

func TestConsole_IsOnAListenerOfItsOwn(t *testing.T) {
	p := parts(master(t))
	p.ConsoleHook = func(*http.Request) (operator.Operator, bool) {
		return operator.Operator{ID: "1", Name: "maria.ek", Role: operator.Admin}, true
	}
	s, err := server.New(t.Context(), server.Config{Listen: "127.0.0.1:0", ConsoleListen: "127.0.0.1:0", Database: t.TempDir()}, p)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, s)
	if !strings.HasPrefix(s.ConsoleURL(), "http://localhost:") || s.ConsoleURL() == strings.Replace(s.URL(), "127.0.0.1", "localhost", 1) {
		t.Fatalf("the console is at %s, the API at %s", s.ConsoleURL(), s.URL())
	}
	for url, want := range map[string]int{s.ConsoleURL() + "/": 200, s.ConsoleURL() + "/jobs": 200, s.ConsoleURL() + "/none": 404, s.ConsoleURL() + "/healthz": 404, s.ConsoleURL() + "/companies": 404} {
		resp, err := http.Get(url) //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %s", url, resp.Status)
		}
	}
}

func TestConfig_RefusesAConsoleThatOthersReach(t *testing.T) {
	for _, c := range []struct {
		listen, url string
		ok          bool
	}{
		{"", "", true}, {"127.0.0.1:8081", "", true}, {"[::1]:8081", "", true}, {"localhost:8081", "", true}, {"10.0.0.1:8081", "https://console.example.com", true},
		{"127.0.0.1:8081", "https://console.example.com", true}, {":8081", "", false}, {"0.0.0.0:8081", "", false}, {"10.0.0.1:8081", "", false},
		{"10.0.0.1:8081", "http://localhost:8081", false}, {"127.0.0.1:8081", "http://console.example.com", false}, {"127.0.0.1:8081", "https://console.example.com/x", false}, {"8081", "", false},
	} {
		err := server.Config{Database: t.TempDir(), ConsoleListen: c.listen, ConsoleURL: c.url}.Check()
		if (err == nil) != c.ok {
			t.Errorf("%s, %s: %v", c.listen, c.url, err)
		}
	}
}
