package ident

import "time"

// Years of birth that a number may have. The lower bound admits everybody who has
// been given one: numbers came in 1947.
const (
	firstYear = 1840
	lastYear  = 2099
)

// birthDay is twelve digits seen as the date they begin with. The day of a
// coordination number is raised by 60 (docs/reference/banks.md 14.1).
type birthDay string

func (b birthDay) year() int          { return number(string(b[:4])) }
func (b birthDay) month() int         { return number(string(b[4:6])) }
func (b birthDay) day() int           { return number(string(b[6:8])) }
func (b birthDay) coordination() bool { return b.day() >= 60 }

// possible asks a personal number for a calendar date. Of a coordination number
// it asks only month 00-12 and day 60-91: the month and the day may be unknown,
// and Skatteverket's own test numbers have such.
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

// earliest is the first date the number allows, as YYYYMMDD for comparison: an
// unknown month or day is 00.
func (b birthDay) earliest() string {
	if b.coordination() {
		return string(b[:6]) + twoDigits(b.day()-60)
	}
	return string(b[:8])
}

// swedishDay is the date in Sweden at its latest, YYYYMMDD: two hours ahead of
// UTC. A child born just after midnight there is not born tomorrow.
func swedishDay(now time.Time) string {
	return now.UTC().Add(2 * time.Hour).Format("20060102")
}
