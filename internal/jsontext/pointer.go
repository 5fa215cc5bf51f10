package jsontext

import "strings"

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// EscapeToken escapes a member name for a JSON Pointer (RFC 6901 section 3).
func EscapeToken(name string) string { return escaper.Replace(name) }

// UnescapeToken is the reverse of EscapeToken.
func UnescapeToken(token string) string { return unescaper.Replace(token) }
