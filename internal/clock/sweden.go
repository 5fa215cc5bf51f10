package clock

import (
	"sync"
	"time"
	_ "time/tzdata" // a machine without a database of time zones must read the same days
)

// Sweden returns the time zone of Sweden.
var Sweden = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil { // the database is part of the binary
		panic("clock: " + err.Error())
	}
	return zone
})

// SwedishDay returns the calendar day of a time in Sweden, as midnight in UTC.
func SwedishDay(at time.Time) time.Time {
	year, month, day := at.In(Sweden()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
