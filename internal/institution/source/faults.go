package source

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"samla/internal/jsontext"
	"samla/internal/plaintext"
	"samla/internal/strictjson"
)

// reader collects what is wrong with a JSON text of a source, by JSON pointer. A fault never
// repeats a value.
type reader struct{ faults strictjson.Faults }

func (r *reader) add(pointer, problem string) { r.faults.Add(pointer, problem) }

// Decode decodes a JSON text of a source. A fault is a place and a rule, without any value.
func Decode(text []byte, to any) strictjson.Faults {
	var r reader
	r.decode("", text, to)
	return r.faults
}

// parses reports whether a body is JSON, in which no object has a key twice.
func (r *reader) parses(body []byte) bool {
	if _, err := jsontext.Parse(string(body)); err != nil {
		r.add("", "is not JSON: "+err.What)
		return false
	}
	return true
}

// decode decodes the JSON text at a pointer. It reports whether that was possible.
func (r *reader) decode(pointer string, text []byte, to any) bool {
	err := json.Unmarshal(text, to)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return true
	case errors.As(err, &syntax):
		r.add(pointer, "is not JSON")
	default:
		r.add(pointer+pointerOf(err), "has another type than it must have")
	}
	return false
}

// pointerOf returns the pointer of the member that encoding/json could not decode.
func pointerOf(err error) string {
	if wrong, ok := err.(*json.UnmarshalTypeError); ok && wrong.Field != "" {
		return "/" + strings.ReplaceAll(wrong.Field, ".", "/")
	}
	return ""
}

// text checks the length of a text for people, and returns it cleaned.
func (r *reader) text(pointer, s string, most int) string {
	if utf8.RuneCountInString(s) > most {
		r.add(pointer, "is too long")
		return ""
	}
	return plaintext.Clean(s)
}

// time reads a date-time (RFC 3339). It returns zero if there is none.
func (r *reader) time(pointer, s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		r.add(pointer, "must be a date-time of RFC 3339, such as 2026-04-01T12:00:00Z")
	}
	return at
}

// id checks a text that is for programs. required: it must not be empty.
func (r *reader) id(pointer, s string, most int, required bool) {
	switch {
	case s == "" && required:
		r.add(pointer, "is missing")
	case len(s) > most:
		r.add(pointer, "is too long")
	case strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > unicode.MaxASCII || c == 0x7f }):
		r.add(pointer, "must be of visible ASCII characters")
	}
}

// matches checks a text that is not empty.
func (r *reader) matches(pointer, s string, form *regexp.Regexp, problem string) {
	if s != "" && !form.MatchString(s) {
		r.add(pointer, problem)
	}
}
