package httpclient

import (
	"sync"
	"time"
)

// answered tells whether the partner is there. Any status is an answer: a server
// error may be about one resource, and it costs us little.
func answered(err error) bool {
	if err == nil {
		return true
	}
	k := KindOf(err)
	return k == TooLarge || k == Unwelcome
}

// The breaker spares a partner that is away, and our callers its time-outs:
// after breakAfter calls in a row without an answer nothing is sent for a rest,
// then one call at a time tries.
const (
	breakAfter = 20
	rest       = 5 * time.Second
)

type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

func (b *breaker) admit(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakAfter {
		return true
	}
	if now.Before(b.until) {
		return false
	}
	b.until = now.Add(rest) // this caller tries, the others go on waiting
	return true
}

// record counts an outcome. One that the caller's own end brought about says
// nothing about the partner, unless it was answered.
func (b *breaker) record(ok, ended bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case ok:
		b.failures = 0
	case !ended:
		if b.failures++; b.failures == breakAfter {
			b.until = now.Add(rest)
		}
	}
}
