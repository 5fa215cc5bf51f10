package jsontext

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Loose returns the JSON value as a text: a string as it reads, with U+FFFD in place of
// what is not UTF-8; a number or a boolean as it is written. Institutions write one in
// place of the other. Any other value is "". The value must be valid JSON without white
// space around it, as json.Unmarshaler gets it.
func Loose(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	switch c := value[0]; {
	case c == '"':
		if inner := value[1 : len(value)-1]; bytes.IndexByte(inner, '\\') < 0 {
			return strings.ToValidUTF8(string(inner), "\uFFFD")
		}
		var s string
		if json.Unmarshal(value, &s) == nil {
			return s
		}
	case c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f':
		return string(value)
	}
	return ""
}
