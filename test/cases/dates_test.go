package cases

import (
	"fmt"
	"regexp"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no time zones
)

// assumedToday is the day that the dates of case files assume.
var assumedToday = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

// momentRE matches the dates that move with the day on which a case is played, and
// date-times with a zone. Dates of other centuries stand for no day.
var momentRE = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?`)

// shift moves the dates of a case file by a number of days. A date-time with a zone keeps
// its local time in Sweden, so that a midnight in summer time becomes one in winter time.
func shift(data []byte, days int) []byte {
	if days == 0 {
		return data
	}
	sweden, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		panic(err) // tzdata is linked
	}
	return momentRE.ReplaceAllFunc(data, func(text []byte) []byte {
		if len(text) == len(time.DateOnly) {
			date, err := time.Parse(time.DateOnly, string(text))
			if err != nil {
				return text // it has the form of a date only
			}
			return []byte(date.AddDate(0, 0, days).Format(time.DateOnly))
		}
		moment, err := time.Parse(time.RFC3339, string(text))
		if err != nil {
			return text
		}
		y, m, d := moment.In(sweden).Date()
		hour, minute, second := moment.In(sweden).Clock()
		moved := time.Date(y, m, d+days, hour, minute, second, moment.Nanosecond(), sweden)
		layout := "2006-01-02T15:04:05Z07:00"
		if fraction := momentRE.FindSubmatch(text)[2]; len(fraction) > 0 {
			layout = fmt.Sprintf("2006-01-02T15:04:05.%0*dZ07:00", len(fraction)-1, 0)
		}
		if text[len(text)-1] == 'Z' {
			moved = moved.UTC()
		}
		return []byte(moved.Format(layout))
	})
}

func TestShift_MovesDatesByDays(t *testing.T) {
	const toWinter = 239 // 2026-04-01 to 2026-11-26
	for _, c := range []struct{ text, want string }{
		{`"2026-04-01"`, `"2026-11-26"`},
		{`"2024-01-02", 2026-03-29`, `"2024-08-28", 2026-11-23`},
		{`2026-03-29T22:00:00.000Z`, `2026-11-23T23:00:00.000Z`},
		{`2026-03-30T14:05:00+02:00`, `2026-11-24T14:05:00+01:00`},
		{`2026-02-27T23:00:00Z`, `2026-10-24T22:00:00Z`},
		{`2026-03-30T14:05:00`, `2026-11-24T14:05:00`},
		{`9999-12-31 0001-01-01 0000-00-00 2026-13-01 20260401`, `9999-12-31 0001-01-01 0000-00-00 2026-13-01 20260401`},
	} {
		if got := string(shift([]byte(c.text), toWinter)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
		if got := string(shift([]byte(c.text), 0)); got != c.text {
			t.Errorf("%s: got %s after no days", c.text, got)
		}
	}
}
