package xs2a

import (
	"strings"
	"time"

	"samla/internal/clock"
	"samla/internal/plaintext"
)

// day returns the calendar day in Sweden of a date or a date-time. It returns the zero
// time for a filler such as 0000-00-00 or 9999-12-31. It is not ok if the text cannot be
// read, or can be read as two days: 01/02/2026 (docs/reference/banks.md 6.5).
func (t text) day() (day time.Time, ok bool) {
	s := strings.TrimSpace(string(t))
	if plaintext.IsFiller(s) {
		return time.Time{}, true
	}
	if len(s) > len(time.DateOnly) {
		if at, zoned := zonedTime(s); zoned {
			return plausible(clock.SwedishDay(at)), true
		}
	}
	if day, ok = calendarDay(s); !ok {
		return time.Time{}, false
	}
	return plausible(day), true
}

// firstDay returns the first day that is not a filler. It is not ok if a text before it
// cannot be read.
func firstDay(texts ...text) (day time.Time, ok bool) {
	ok = true
	for _, t := range texts {
		if t == "" {
			continue
		}
		day, read := t.day()
		if !day.IsZero() {
			return day, ok
		}
		ok = ok && read
	}
	return time.Time{}, ok
}

// plausible returns the zero time for days that only fill a place.
func plausible(day time.Time) time.Time {
	if day.Unix() <= 0 || day.Year() >= 2200 {
		return time.Time{}
	}
	return day
}

// zonedTime parses a date-time with an offset from UTC, or a Unix time in milliseconds.
func zonedTime(s string) (time.Time, bool) {
	if digits(s) == len(s) {
		if len(s) != 13 {
			return time.Time{}, false
		}
		var ms int64
		for _, c := range []byte(s) {
			ms = ms*10 + int64(c-'0')
		}
		return time.UnixMilli(ms), true
	}
	if s[len(time.DateOnly)] == ' ' {
		s = s[:len(time.DateOnly)] + "T" + s[len(time.DateOnly)+1:]
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00",
		"2006-01-02T15:04:05.999999999Z07"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// calendarDay parses the day of a date, or of a date-time without an offset: year, month
// and day in this order, with dots also in the opposite order. With other separators the
// opposite order is read only if it can be read in one way.
func calendarDay(s string) (time.Time, bool) {
	n := digits(s)
	if n == 8 || n == 14 {
		return dayOf(s[:4], s[4:6], s[6:8])
	}
	if n == 0 || n == len(s) {
		return time.Time{}, false
	}
	separator := s[n]
	if separator != '-' && separator != '.' && separator != '/' {
		return time.Time{}, false
	}
	first, rest := s[:n], s[n+1:]
	n = digits(rest)
	if n == 0 || n == len(rest) || rest[n] != separator {
		return time.Time{}, false
	}
	second, rest := rest[:n], rest[n+1:]
	third := rest[:digits(rest)]
	switch {
	case len(first) == 4:
		return dayOf(first, second, third)
	case len(third) != 4:
		return time.Time{}, false
	case separator == '.':
		return dayOf(third, second, first)
	}
	day, dayFirst := dayOf(third, second, first)
	other, monthFirst := dayOf(third, first, second)
	switch {
	case dayFirst && monthFirst && !day.Equal(other):
		return time.Time{}, false
	case dayFirst:
		return day, true
	}
	return other, monthFirst
}

// dayOf returns the day of a year of four digits, a month and a day of at most two. The
// year 0000 is a filler.
func dayOf(year, month, day string) (time.Time, bool) {
	if len(year) != 4 || len(month) == 0 || len(month) > 2 || len(day) == 0 || len(day) > 2 {
		return time.Time{}, false
	}
	if year == "0000" {
		return time.Time{}, true
	}
	y, m, d := smallNumber(year), smallNumber(month), smallNumber(day)
	at := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return at, m >= 1 && m <= 12 && d >= 1 && at.Day() == d
}

// digits returns how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// smallNumber returns the value of up to four digits.
func smallNumber(digits string) int {
	n := 0
	for _, c := range []byte(digits) {
		n = n*10 + int(c-'0')
	}
	return n
}

// moment returns the time of a date-time, or the zero time if the text is not one or has
// only a date. Without an offset it is the time in Sweden.
func (t text) moment() time.Time {
	s := strings.TrimSpace(string(t))
	if len(s) <= len(time.DateOnly) {
		return time.Time{}
	}
	at, zoned := zonedTime(s)
	if !zoned {
		var err error
		s = s[:len(time.DateOnly)] + "T" + s[len(time.DateOnly)+1:]
		if at, err = time.ParseInLocation("2006-01-02T15:04:05.999999999", s, clock.Sweden()); err != nil {
			return time.Time{}
		}
	}
	if plausible(at).IsZero() {
		return time.Time{}
	}
	return at.UTC()
}
