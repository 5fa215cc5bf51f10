package institution

import (
	"slices"
	"time"
)

// Windows splits a question for transactions into questions for at most days days
// each, newest first: some banks cut a long answer off without naming a further page.
// The newest one has no end, for rows that are booked ahead. now is when the bank
// listed the account. days of 0 or less, or a question without a first day, is not split.
func Windows(q Question, days int, now time.Time) []Question {
	from, err := time.Parse(time.DateOnly, q.From)
	if days <= 0 || err != nil {
		return []Question{q}
	}
	var all []Question
	for first, until := startOf(now, days), ""; ; first = first.AddDate(0, 0, -days) {
		part := q
		part.Until = until
		if !first.After(from) {
			return append(all, part) // its From is that of q
		}
		part.From = first.Format(time.DateOnly)
		all = append(all, part)
		until = first.AddDate(0, 0, -1).Format(time.DateOnly)
	}
}

// startOf returns the first day of the newest window.
func startOf(now time.Time, days int) time.Time {
	day := now.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, 1-days)
}

// Shorter returns the first booking date (YYYY-MM-DD) of the longest period that begins
// after from, of those that end on day and have one of these numbers of days; "" if
// there is none.
func Shorter(from string, day time.Time, days ...int) string {
	slices.Sort(days)
	for _, n := range slices.Backward(days) {
		if candidate := DaysBefore(day, n); candidate > from {
			return candidate
		}
	}
	return ""
}

// DaysBefore returns the date (YYYY-MM-DD) n days before a time, in UTC.
func DaysBefore(day time.Time, n int) string {
	return day.UTC().AddDate(0, 0, -n).Format(time.DateOnly)
}

// CertainHistory is the days of transactions that every bank gives without a new
// signature (RTS art. 10a). A shorter period is less than a person can expect.
const CertainHistory = 89
