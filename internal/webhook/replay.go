package webhook

import "time"

// LongestReplay is the longest range of one replay: as long as events are kept.
const LongestReplay = 30 * 24 * time.Hour

// Replay is a range of events that is delivered to an endpoint again.
type Replay struct {
	ID, EndpointID string
	After, Before  int64 // positions of the events, both exclusive; After moves on
	Total          int   // events
	Queued         int   // of them, added to the deliveries so far
	StartedAt      time.Time
	EndedAt        time.Time // zero = it runs
}

// Running reports whether the replay goes on.
func (r Replay) Running() bool { return r.EndedAt.IsZero() }

// Figures are the state of all endpoints of all clients.
type Figures struct {
	Active, Paused int
	Pending        int           // deliveries to active endpoints
	Oldest         time.Duration // how long the oldest of these has been due
}
