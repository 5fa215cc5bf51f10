// Package jsontext appends JSON text to buffers, reads JSON strictly, and escapes
// JSON Pointers (RFC 6901). The hot routes and the products write with it:
// encoding/json would spend most of its time on reflection and on scanning its own
// output.
package jsontext

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// TimeLayout is the one form in which times are written: UTC, milliseconds and Z
// (docs/reference/api.md 1.1).
const TimeLayout = "2006-01-02T15:04:05.000Z"

// Time returns t in TimeLayout. What is finer than a millisecond is cut off.
func Time(t time.Time) string { return t.UTC().Format(TimeLayout) }

// AppendTime appends Time(t) to b, without quotes.
func AppendTime(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, TimeLayout) }

// AppendString appends s as a JSON string. Bytes that are not valid UTF-8 become
// U+FFFD, as in encoding/json. The characters <, > and & are not escaped.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[done:i]...), "\ufffd"...)
				done = i + size
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = appendEscape(append(b, s[done:i]...), c)
			done = i + 1
		}
		i++
	}
	return append(append(b, s[done:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	case '\r':
		return append(b, '\\', 'r')
	default:
		b = append(b, '\\', 'u', '0', '0', '0')
		if c >= 0x10 {
			b[len(b)-1] = '1'
		}
		return strconv.AppendUint(b, uint64(c&0x0f), 16)
	}
}

// AppendMember appends a member with a text value. key is what stands before the
// value: the comma or brace, the quoted name and the colon, such as `,"id":`.
func AppendMember(b []byte, key, value string) []byte {
	return AppendString(append(b, key...), value)
}

// AppendNonEmpty is AppendMember, and appends nothing for an empty value, which
// means that it is unknown.
func AppendNonEmpty(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	return AppendMember(b, key, value)
}

// AppendTimeMember appends a member whose value is t in TimeLayout.
func AppendTimeMember(b []byte, key string, t time.Time) []byte {
	b = append(append(b, key...), '"')
	return append(AppendTime(b, t), '"')
}
