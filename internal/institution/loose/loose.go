// Package loose decodes JSON of institutions leniently: what is of another type than it
// should be costs only itself. Families whose answers have an object around everything use
// it.
package loose

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/institution"
	"samla/internal/jsontext"
	"samla/internal/money"
	"samla/internal/plaintext"
)

// MaxElements is the number of elements that the lists of one answer may have: an answer
// within the limit of bytes could still fill the memory once it is decoded.
const MaxElements = 200_000

var utf8BOM = []byte("\xef\xbb\xbf")

// ErrNoObject is the cause of the error for a body that is not a JSON object.
var ErrNoObject = errors.New("loose: the body is no JSON object")

// Decode decodes a JSON object into v. It ignores members that have another type than v
// expects. Errors: *institution.Error of kind MalformedResponse if the body is not a JSON
// object, or has too many elements.
func Decode(body []byte, v any) error {
	body = Trimmed(body)
	if !IsObject(body) {
		return malformed("", ErrNoObject)
	}
	if jsontext.HasManyElements(body, MaxElements) {
		return malformed(institution.AnswerTooLarge, nil)
	}
	err := json.Unmarshal(body, v)
	if mismatch := (*json.UnmarshalTypeError)(nil); errors.As(err, &mismatch) && mismatch.Field != "" {
		err = nil
	}
	if err != nil {
		return malformed("", err)
	}
	return nil
}

// Trimmed returns a body without byte order mark and space before its content.
func Trimmed(body []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(body, utf8BOM), " \t\r\n")
}

// IsObject reports whether a body is a JSON object, as far as its first character says.
func IsObject(body []byte) bool { return bytes.HasPrefix(Trimmed(body), []byte("{")) }

func malformed(reason institution.Reason, cause error) error {
	return &institution.Error{Kind: institution.MalformedResponse, Reason: reason, Cause: cause}
}

// Text is a string. A number or a boolean in its place is kept as it is written; any other
// value, null included, is "".
type Text string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *Text) UnmarshalJSON(value []byte) error {
	*t = Text(jsontext.Loose(value))
	return nil
}

// Clean returns the text as one line for people.
func (t Text) Clean() string { return plaintext.Clean(string(t)) }

// Compact returns a number that is printed in groups, without spaces.
func (t Text) Compact() string { return strings.ReplaceAll(t.Clean(), " ", "") }

// Currency returns the code of a currency of ISO 4217, or "".
func (t Text) Currency() string {
	if code := strings.ToUpper(t.Clean()); money.IsCurrency(code) {
		return code
	}
	return ""
}

// Day returns the day of a date (YYYY-MM-DD), also that of a date-time: of one with a zone
// the day in Sweden, as for the Berlin Group (docs/reference/banks.md 6.5). It is zero for an
// empty text and for a filler such as 9999-12-31, and not ok for any other text.
func (t Text) Day() (day time.Time, ok bool) {
	s := strings.TrimSpace(string(t))
	if plaintext.IsFiller(s) {
		return time.Time{}, true
	}
	if at := t.Time(); !at.IsZero() {
		return plausible(clock.SwedishDay(at)), true
	}
	if n := len(time.DateOnly); len(s) > n && (s[n] == 'T' || s[n] == ' ') {
		s = s[:n]
	}
	day, err := time.Parse(time.DateOnly, s)
	return plausible(day), err == nil
}

// plausible returns the zero time for days that only fill a place.
func plausible(day time.Time) time.Time {
	if day.Unix() <= 0 || day.Year() >= 2200 {
		return time.Time{}
	}
	return day
}

// Time returns the time of a date-time with a zone, or the zero time.
func (t Text) Time() time.Time {
	at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(t)))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// List is a list that is nil if the member is no list. Elements of another type are zero.
type List[T any] []T

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (l *List[T]) UnmarshalJSON(value []byte) error {
	*l = nil
	if value[0] != '[' {
		return nil
	}
	elements := []T{}
	_ = json.Unmarshal(value, &elements) // goes on after an element of another type
	*l = elements
	return nil
}
