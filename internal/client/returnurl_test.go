package client_test

import (
	"strings"
	"testing"

	"samla/internal/client"
)

func TestCheckReturnURL(t *testing.T) {
	for _, good := range []string{"https://app.example.com/back", "https://app.example.com/back?x=1&y", "http://localhost:3000/", "http://127.0.0.1:1/a",
		"http://[::1]/", "com.example.app:/back"} {
		if err := client.CheckReturnURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "/back", "//evil.example/", "http://app.example.com/", "https:///back", "javascript:alert(1)", "data:text/html,x",
		"file:///etc/passwd", "https://a@b.example/", "https://a.example/#x", "https://a.example/#", "https://a.example/\nx", "https://å.example/", "app:/x",
		"https://a.example/" + strings.Repeat("a", 2000)} {
		if client.CheckReturnURL(bad) == nil {
			t.Errorf("%q is good", bad)
		}
	}
}
