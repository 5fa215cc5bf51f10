package httpclient_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"samla/internal/httpclient"
)

func TestHeaderValue_EndsNoHeader(t *testing.T) {
	for s, want := range map[string]string{"Test/1.0\r\nX: y": "Test/1.0X: y", " a\tb\x7f ": "ab", "": ""} {
		if got := httpclient.HeaderValue(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got := httpclient.HeaderValue("x" + strings.Repeat("å", 400)); len(got) != 511 || !utf8.ValidString(got) {
		t.Errorf("%d bytes", len(got))
	}
}
