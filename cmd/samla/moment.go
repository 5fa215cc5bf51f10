package main

import "time"

// momentForm is how times are written for people: the zone is named, because pages and logs
// may show another one. For programs, --json has UTC.
const momentForm = "2006-01-02 15:04 MST"

// momentWidth is the width of the times of most zones.
const momentWidth = len("2026-11-27 08:00 CEST")

// moment writes a time for people, in the time zone of the terminal; nil and zero as "-".
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return "-"
	}
	return t.Local().Format(momentForm)
}
