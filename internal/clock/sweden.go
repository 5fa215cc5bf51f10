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
