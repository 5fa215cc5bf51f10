// Package reads counts what the simulated banks let a client read in a day without the
// person (RTS art. 36(5)).
package reads

import "time"

// Within is the time in which reads are counted.
const Within = 24 * time.Hour

// Log is the times of the reads that count, by what the bank counts them for. Its zero value
// cannot be used. It is not safe for concurrent use.
type Log map[string][]time.Time

// Add adds a read.
func (l Log) Add(key string, at time.Time) { l[key] = append(l[key], at) }

// Left reports whether one of limit reads is left now. If not, wait is how long it takes
// until one is. It forgets reads that count no more.
func (l Log) Left(key string, limit int, now time.Time) (wait time.Duration, left bool) {
	recent := l[key]
	for len(recent) > 0 && now.Sub(recent[0]) >= Within {
		recent = recent[1:]
	}
	if l[key] = recent; len(recent) == 0 {
		delete(l, key)
	}
	if len(recent) < limit {
		return 0, true
	}
	return recent[len(recent)-limit].Add(Within).Sub(now), false
}
