// Package calls counts the calls to the simulated banks by kind, so that a test or an
// operator can see how often a client asked for something. The counts are in memory only
// and start at zero with the process.
package calls

import (
	"maps"
	"sync"
	"time"

	"samla/internal/clock"
)

// Call is one call to a bank.
type Call struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"` // without ids, such as "GET consents/*" or "token refresh_token"
	Status int       `json:"status"`
}

// maxCalls is how many of the last calls of a bank are kept.
const maxCalls = 1000

// Log is the calls of one bank. It is safe for concurrent use; a nil Log counts nothing.
type Log struct {
	clock  clock.Clock
	mu     sync.Mutex
	last   []Call
	counts map[string]int
}

// New returns an empty log.
func New(c clock.Clock) *Log { return &Log{clock: c, counts: map[string]int{}} }

// Add adds a call. kind must not contain ids, tokens or personal numbers.
func (l *Log) Add(kind string, status int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[kind]++
	if len(l.last) == maxCalls {
		l.last = append(l.last[:0:0], l.last[maxCalls/2:]...)
	}
	l.last = append(l.last, Call{l.clock.Now(), kind, status})
}

// Count returns the number of calls of a kind.
func (l *Log) Count(kind string) int { return l.Counts()[kind] }

// Counts returns the number of calls of each kind.
func (l *Log) Counts() map[string]int {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.counts)
}

// Last returns the last calls, at least 500 if there were as many, the oldest first.
func (l *Log) Last() []Call {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Call{}, l.last...)
}
