package aspsp

import (
	"net/http"
	"time"
)

const dayLength = 24 * time.Hour

// countRead counts an unattended read of a recurring consent per endpoint and account.
// It fails if the limit of a rolling 24 hours is used up (docs/reference/banks.md 8).
// Attended reads, reads with one-off consents and further pages of a report do not
// count.
func (c *call) countRead(consent Consent, endpoint string) *apiError {
	if c.attended || !consent.Recurring {
		c.count(func(s *counters) { s.AttendedReads++ })
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	key := consent.ID + "/" + endpoint
	if wait, left := c.reads.Left(key, min(consent.Frequency, c.DailyLimit), now); !left {
		c.counters.AccessExceeded++
		f := newError(http.StatusTooManyRequests, "ACCESS_EXCEEDED", "the consent's reads without the PSU are used up for 24 hours")
		f.retryAfter = int(wait/time.Second) + 1
		return f
	}
	c.counters.UnattendedReads++
	c.reads.Add(key, now)
	c.writeEntry(entry{Read: &readEntry{key, now}})
	return nil
}

// scriptedFailure returns an error for the requests that fail by the bank's Behaviour.
// They do not count as reads.
func (c *call) scriptedFailure() *apiError {
	if n := c.accountSeq.Add(1); c.UnavailableEvery > 0 && n%int64(c.UnavailableEvery) == 0 {
		return &apiError{status: http.StatusServiceUnavailable, retryAfter: 1}
	}
	if c.attended && c.RateLimitEvery > 0 && c.Bank.attended.Add(1)%int64(c.RateLimitEvery) == 0 {
		c.count(func(s *counters) { s.RateLimited++ })
		f := newError(http.StatusTooManyRequests, "ACCESS_EXCEEDED", "too many requests, slow down")
		f.retryAfter = 1
		return f
	}
	return nil
}
