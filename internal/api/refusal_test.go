package api

import (
	"strings"
	"testing"
)

// Only a refusal of net/http is replaced: never a piece of an answer, whatever it has.
func FuzzRefusal(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request",
		"HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\n\r\n", "HTTP/1.1 431 ", "HTTP/1.1 4", "HTTP/1.",
		"HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\n\r\n{}", `{"a":"HTTP/1.1 400"}`, "HTTP/1.00417", "",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found := refusal([]byte(text))
		isRefusal := strings.HasPrefix(text, "HTTP/1.") && (strings.Contains(text, string(plainText)) || strings.Contains(text, " 417"))
		if found != nil && !isRefusal {
			t.Errorf("%q became %v", text, found)
		}
		if target([]byte(text)) == "" {
			t.Errorf("%q has no path", text)
		}
	})
}
