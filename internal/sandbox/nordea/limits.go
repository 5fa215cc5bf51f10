package nordea

import (
	"net/http"
	"time"

	"samla/internal/sandbox/nordea/grant"
)

// countRead counts a read without the person, by grant and resource. It fails if those of a
// rolling 24 hours are used up (RTS art. 36(5)). Further pages of a list do not count.
func (c *call) countRead(g grant.Grant, resource string) *apiError {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.attended {
		c.stats.AttendedReads++
		return nil
	}
	now := c.Clock.Now()
	key := g.ID + "/" + resource
	if wait, left := c.reads.Left(key, c.DailyLimit, now); !left {
		c.stats.AccessExceeded++
		f := newError(http.StatusTooManyRequests, codeTooMany, "The reads without the person are used up for 24 hours.")
		f.header = retryAfter(wait)
		return f
	}
	c.stats.UnattendedReads++
	if c.save(entry{Read: &read{key, now}}) != nil {
		return serverError()
	}
	return nil
}

// burst is the calls of an application in one second.
type burst struct {
	second time.Time
	calls  int
}

// checkBurst refuses what the gateway before the bank refuses, in the gateway's form
// (docs/reference/families.md 3.8).
func (c *call) checkBurst() *apiError {
	if c.Burst == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	second := c.Clock.Now().Truncate(time.Second)
	b := c.bursts[c.app.ID]
	if !b.second.Equal(second) {
		b = burst{second: second}
	}
	b.calls++
	c.bursts[c.app.ID] = b
	if b.calls <= c.Burst {
		return nil
	}
	c.stats.BurstExceeded++
	return gatewayError()
}

func gatewayError() *apiError {
	return &apiError{status: http.StatusTooManyRequests, body: map[string]string{
		"httpCode": "429", "httpMessage": "Too Many Requests", "moreInformation": "Assembly Rate Limit exceeded",
	}}
}
