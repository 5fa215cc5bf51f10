package product

import (
	"encoding/json"
	"errors"
	"samla/internal/jsontext"
	"time"
)

// Errors of dates. They do not contain the text.
var (
	// ErrDate: not YYYY-MM-DD, or not in the calendar.
	ErrDate = errors.New("not a date YYYY-MM-DD")
	// ErrDateTime: not a date-time of RFC 3339, with or without a zone.
	ErrDateTime = errors.New("not a date-time")
)

// Date is a calendar date, YYYY-MM-DD (docs/reference/api.md 1.1). The zero value
// means unknown and is omitted when written. Dates compare with ==.
type Date struct{ text string }

// ParseDate parses YYYY-MM-DD. The error is ErrDate.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return Date{}, ErrDate
	}
	return Date{s}, nil
}

// DateOf returns the date of t in t's own time zone.
func DateOf(t time.Time) Date { return Date{t.Format(time.DateOnly)} }

// String returns YYYY-MM-DD, or "" when unknown. The strings sort by date.
func (d Date) String() string { return d.text }

// IsZero reports whether the date is unknown.
func (d Date) IsZero() bool { return d.text == "" }

// MarshalText returns YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.text), nil }

// UnmarshalJSON reads YYYY-MM-DD; null and "" mean unknown.
func (d *Date) UnmarshalJSON(data []byte) error {
	s, err := unquote(data)
	if err != nil || s == "" {
		return err
	}
	*d, err = ParseDate(s)
	return err
}

// DateTime is a time in UTC with millisecond precision (docs/reference/api.md 1.1).
// The zero value means unknown and is omitted when written. DateTimes compare with ==.
type DateTime struct{ unixMilli int64 }

// At returns t truncated to milliseconds.
func At(t time.Time) DateTime {
	if t.IsZero() {
		return DateTime{}
	}
	return DateTime{t.UnixMilli() - zeroMilli}
}

// zeroMilli is the Unix time of time.Time's zero value. DateTime counts from it, so
// that both zero values are the same.
var zeroMilli = time.Time{}.UnixMilli()

// Time returns the time in UTC; the zero time when unknown.
func (d DateTime) Time() time.Time { return time.UnixMilli(d.unixMilli + zeroMilli).UTC() }

// IsZero reports whether the time is unknown.
func (d DateTime) IsZero() bool { return d.unixMilli == 0 }

// String returns RFC 3339 in UTC with milliseconds and Z, or "" when unknown.
func (d DateTime) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format(jsontext.TimeLayout)
}

// MarshalText returns what String returns.
func (d DateTime) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// ParseDateTime parses RFC 3339 with or without a fraction and with any offset. A
// missing zone means UTC (docs/reference/api.md 1.1). The error is ErrDateTime.
func ParseDateTime(s string) (DateTime, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		t, err := time.Parse(layout, s)
		if err == nil && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 {
			return At(t), nil
		}
	}
	return DateTime{}, ErrDateTime
}

// UnmarshalJSON reads what ParseDateTime parses; null and "" mean unknown.
func (d *DateTime) UnmarshalJSON(data []byte) error {
	s, err := unquote(data)
	if err != nil || s == "" {
		return err
	}
	*d, err = ParseDateTime(s)
	return err
}

// unquote reads a JSON string; null is "".
func unquote(data []byte) (string, error) {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return "", ErrMalformed
	}
	return s, nil
}
