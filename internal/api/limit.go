package api

import (
	"net/http"
	"strconv"
	"time"

	"samla/internal/fault"
	"samla/internal/ratelimit"
)

// limiter applies the rate limit and reports it in the header fields of
// draft-ietf-httpapi-ratelimit-headers. The zero value has no limit.
type limiter struct {
	*ratelimit.Limiter
	policy []string
}

func newLimiter(r ratelimit.Rate) limiter {
	l := limiter{Limiter: ratelimit.New(r)}
	if l.Limiter == nil {
		return l
	}
	quota, window := l.Policy()
	l.policy = []string{`"default";q=` + strconv.Itoa(quota) + `;w=` + strconv.FormatInt(int64(window/time.Second), 10)}
	return l
}

// take counts a request of a client and writes the header fields. It returns
// RateLimited if the request is over the limit.
func (l limiter) take(h http.Header, clientID string, now time.Time) *fault.Fault {
	if l.Limiter == nil {
		return nil
	}
	d := l.Take(clientID, now)
	text := make([]byte, 0, 40)
	text = strconv.AppendInt(append(text, `"default";r=`...), int64(d.Remaining), 10)
	text = strconv.AppendInt(append(text, `;t=`...), int64(d.Reset/time.Second), 10)
	h["Ratelimit"] = []string{string(text)}
	h["Ratelimit-Policy"] = l.policy
	if d.Allowed {
		return nil
	}
	f := fault.New(fault.RateLimited)
	f.RetryAfter = d.RetryAfter
	return f
}
