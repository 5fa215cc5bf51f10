package nordea

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"samla/internal/institution"
	"samla/internal/jsontext"
	"samla/internal/money"
	"samla/internal/plaintext"
)

var utf8BOM = []byte("\xef\xbb\xbf")

var errMissing = errors.New("a required member is missing")

func malformed(cause error) error {
	return &institution.Error{Kind: institution.MalformedResponse, Cause: cause}
}

// decode decodes a JSON object into v. It ignores members that have another type than v
// expects. Errors: kind MalformedResponse if the body is not a JSON object.
func decode(body []byte, v any) error {
	body = bytes.TrimPrefix(body, utf8BOM)
	err := json.Unmarshal(body, v)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) && mismatch.Field != "" {
		err = nil
	}
	if err == nil && !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		err = errMissing
	}
	if err != nil {
		return malformed(err)
	}
	return nil
}

// text is a string. A number or a boolean in its place is kept as it is written; any other
// value becomes "".
type text string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *text) UnmarshalJSON(data []byte) error {
	*t = text(jsontext.Loose(data))
	return nil
}

// clean returns the text as one line for people.
func (t text) clean() string { return plaintext.Clean(string(t)) }

// compact returns a number that is printed in groups, without spaces.
func (t text) compact() string { return strings.ReplaceAll(t.clean(), " ", "") }

// number returns a small number, or 0.
func (t text) number() int {
	n, err := strconv.ParseUint(string(t), 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// day returns a date (YYYY-MM-DD), also that of a date-time. It is zero for an empty text,
// and not ok for any other.
func (t text) day() (day time.Time, ok bool) {
	s := strings.TrimSpace(string(t))
	if plaintext.IsFiller(s) {
		return time.Time{}, true
	}
	if len(s) > len(time.DateOnly) && (s[len(time.DateOnly)] == 'T' || s[len(time.DateOnly)] == ' ') {
		s = s[:len(time.DateOnly)]
	}
	day, err := time.Parse(time.DateOnly, s)
	return day, err == nil
}

// amount is a number of the bank. It is never a float.
type amount struct {
	there bool // the member is there and not null
	value money.Number
	ok    bool
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (a *amount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	a.there = true
	a.ok = a.value.UnmarshalJSON(data) == nil
	return nil
}

// money returns the amount in a currency, without one if that is not one of ISO 4217.
func (a amount) money(currency text) (money.Amount, bool) {
	if !a.ok {
		return money.Amount{}, false
	}
	m, err := money.New(a.value.Decimal(), currencyIn(currency))
	return m, err == nil
}

func currencyIn(t text) string {
	if code := strings.ToUpper(t.clean()); money.IsCurrency(code) {
		return code
	}
	return ""
}

// list is a list that is nil if the member is no list. Entries of another type are zero.
type list[T any] []T

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (l *list[T]) UnmarshalJSON(data []byte) error {
	if data[0] != '[' {
		return nil
	}
	entries := []T{}
	_ = json.Unmarshal(data, &entries) // goes on after an entry of another type
	*l = entries
	return nil
}
