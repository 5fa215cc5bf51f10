package xs2a

import (
	"time"

	"samla/internal/institution"
)

// windows splits a question for transactions into questions for at most days days
// each, newest first: some banks cut a long answer off without naming a further page.
// The newest one has no end, for rows that are booked ahead. now is when the bank
// listed the account.
func windows(q institution.Question, days int, now time.Time) []institution.Question {
	from, err := time.Parse(time.DateOnly, q.From)
	if days <= 0 || err != nil {
		return []institution.Question{q}
	}
	var all []institution.Question
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
