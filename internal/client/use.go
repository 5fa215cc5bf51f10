package client

import "time"

// Use counts the requests of a client in one day (UTC) with one key and in one version of
// the API.
type Use struct {
	ClientID string
	KeyID    string // empty: with sessions of users
	Version  string // of the API, that answered
	Named    bool   // the requests named the version; otherwise it was chosen for them
	Day      time.Time
	Requests int64
	LastAt   time.Time
}

// KeepUse is how long a Use is kept.
const KeepUse = 90 * 24 * time.Hour

// DayOf returns the day that a time belongs to, by its beginning in UTC.
func DayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
