package household

import (
	"time"

	"samla/internal/sandbox/persona"
)

// The days for which there are households (docs/reference/households.md 4.3): prices
// begin at the end of 1999.
const (
	firstYear = 2000
	lastYear  = 2100
)

var firstDay, lastDay = date(firstYear, 1, 1), date(lastYear, 12, 31)

// month counts months: year × 12 + month of the year, from 0 for January.
type month int

func monthOf(year, monthOfYear int) month { return month(year*12 + monthOfYear - 1) }

func (m month) year() int        { return int(m) / 12 }
func (m month) monthOfYear() int { return int(m)%12 + 1 }

// day returns a day of the month, from 1.
func (m month) day(n int) Day { return date(m.year(), m.monthOfYear(), n) }

func date(year, monthOfYear, day int) Day {
	return persona.DayOf(year, time.Month(monthOfYear), day)
}

func yearOf(d Day) int { return d.Time().Year() }

func monthAt(d Day) month {
	year, monthOfYear, _ := d.Time().Date()
	return monthOf(year, int(monthOfYear))
}

func daysIn(year, monthOfYear int) int { return date(year, monthOfYear+1, 0).Time().Day() }

// isWeekend reports whether d is a Saturday or Sunday. 1970-01-01 was a Thursday.
func isWeekend(d Day) bool { return (d+3)%7 >= 5 }

// adjusted returns d, or the Monday after d if d is on a weekend. Public holidays are not
// known here (docs/reference/households.md 4.1).
func adjusted(d Day) Day {
	for isWeekend(d) {
		d++
	}
	return d
}

// weekdaysAfter returns the n-th weekday after d.
func weekdaysAfter(d Day, n int) Day {
	for n > 0 {
		if d++; !isWeekend(d) {
			n--
		}
	}
	return d
}
