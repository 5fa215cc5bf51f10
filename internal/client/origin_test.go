package client_test

import (
	"strings"
	"testing"

	"samla/internal/client"
)

func TestCheckOrigin(t *testing.T) {
	for _, good := range []string{"https://app.example.com", "https://app.example.com:8443", "http://127.0.0.1:9000", "http://localhost", "https://[2001:db8::1]"} {
		if err := client.CheckOrigin(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "https://", "app.example.com", "https://app.example.com/", "https://app.example.com/x", "https://App.example.com", "http://app.example.com",
		"https://*.example.com", "https://a.example;script-src", "https://a.example 'self'", "https://user@a.example", "https://a.example?x", "https://a.example#", "file:///x",
		"data:text/html", "https://" + strings.Repeat("a", 300)} {
		if client.CheckOrigin(bad) == nil {
			t.Errorf("%s is good", bad)
		}
	}
}
