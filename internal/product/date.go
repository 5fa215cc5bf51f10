package product

import (
	"encoding/json"
	"errors"
	"time"
)

// Errors of dates. They do not repeat the text.
var (
	// ErrDate: not YYYY-MM-DD of the calendar.
	ErrDate = errors.New("not a date YYYY-MM-DD")
	// ErrDateTime: not a date-time of RFC 3339, with or without zone.
	ErrDateTime = errors.New("not a date-time")
)

// Date is a calendar date, YYYY-MM-DD (docs/reference/api.md 1.1). The zero value is unknown and
// is left out. Dates compare with ==.
type Date struct{ text string }

// ParseDate reads YYYY-MM-DD, or gives ErrDate.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return Date{}, ErrDate
	}
	return Date{s}, nil
}

// DateOf gives the date that t shows in its own zone.
func DateOf(t time.Time) Date { return Date{t.Format(time.DateOnly)} }

// String gives YYYY-MM-DD, or "" when unknown. Dates sort as their strings do.
func (d Date) String() string { return d.text }

// IsZero tells whether the date is unknown.
func (d Date) IsZero() bool { return d.text == "" }

// MarshalText writes YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.text), nil }

// UnmarshalJSON reads YYYY-MM-DD; null and "" are unknown.
func (d *Date) UnmarshalJSON(data []byte) error {
	text, err := text(data)
	if err != nil || text == "" {
		return err
	}
	*d, err = ParseDate(text)
	return err
}

// DateTime is a moment in milliseconds, in UTC (docs/reference/api.md 1.1). The zero value is
// unknown and is left out. DateTimes compare with ==.
type DateTime struct{ unixMilli int64 }

// At cuts t to milliseconds.
func At(t time.Time) DateTime {
	if t.IsZero() {
		return DateTime{}
	}
	return DateTime{t.UnixMilli() - zeroMilli}
}

// zeroMilli moves the year 1 to zero, so that the zero value is time's zero value.
var zeroMilli = time.Time{}.UnixMilli()

// Time gives the moment in UTC; the zero time when unknown.
func (d DateTime) Time() time.Time { return time.UnixMilli(d.unixMilli + zeroMilli).UTC() }

// IsZero tells whether the moment is unknown.
func (d DateTime) IsZero() bool { return d.unixMilli == 0 }

// wireTime is the documented form: RFC 3339, UTC, milliseconds.
const wireTime = "2006-01-02T15:04:05.000Z"

// String gives RFC 3339 in UTC with milliseconds and Z, or "" when unknown.
func (d DateTime) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Time().Format(wireTime)
}

// MarshalText writes what String gives.
func (d DateTime) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// ParseDateTime reads RFC 3339 with or without fraction, with any offset, and
// without zone, which means UTC (docs/reference/api.md 1.1). Other text is ErrDateTime.
func ParseDateTime(s string) (DateTime, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		t, err := time.Parse(layout, s)
		if err == nil && t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 {
			return At(t), nil
		}
	}
	return DateTime{}, ErrDateTime
}

// UnmarshalJSON reads what ParseDateTime reads; null and "" are unknown.
func (d *DateTime) UnmarshalJSON(data []byte) error {
	text, err := text(data)
	if err != nil || text == "" {
		return err
	}
	*d, err = ParseDateTime(text)
	return err
}

func text(data []byte) (string, error) {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return "", ErrMalformed
	}
	return s, nil
}
