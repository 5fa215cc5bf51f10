package ident

import "time"

// Years of birth that a number may have. Numbers were introduced in 1947, so nobody
// born before firstYear has one.
const (
	firstYear = 1840
	lastYear  = 2099
)

// birthDay is a number of twelve digits, of which the first eight are the birth
// date. A coordination number has 60 added to the day (docs/reference/banks.md 14.1).
type birthDay string

func (b birthDay) year() int          { return number(string(b[:4])) }
func (b birthDay) month() int         { return number(string(b[4:6])) }
func (b birthDay) day() int           { return number(string(b[6:8])) }
func (b birthDay) coordination() bool { return b.day() >= 60 }

// possible reports whether the birth date can be right. A personal number must have
// a date of the calendar. A coordination number must have month 00-12 and day 60-91
// only: the month and day may be unknown, as in some of Skatteverket's test numbers.
func (b birthDay) possible() bool {
	if b.year() < firstYear || b.year() > lastYear {
		return false
	}
	if b.coordination() {
		return b.month() <= 12 && b.day() <= 91
	}
	_, ok := b.date()
	return ok
}

func (b birthDay) date() (time.Time, bool) {
	day := b.day()
	if b.coordination() {
		day -= 60
	}
	t := time.Date(b.year(), time.Month(b.month()), day, 0, 0, 0, 0, time.UTC)
	return t, t.Month() == time.Month(b.month()) && t.Day() == day
}

// earliest returns the first date that the number allows, as YYYYMMDD. An unknown
// month or day is 00. The result is for comparison only.
func (b birthDay) earliest() string {
	if b.coordination() {
		return string(b[:6]) + twoDigits(b.day()-60)
	}
	return string(b[:8])
}

// swedishDay returns the date in Sweden in summer time, YYYYMMDD: two hours ahead of
// UTC. With the UTC date, the number of a child born just after midnight in Sweden
// would have a birth date in the future.
func swedishDay(now time.Time) string {
	return now.UTC().Add(2 * time.Hour).Format("20060102")
}
