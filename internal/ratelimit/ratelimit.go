// Package ratelimit owns how fast each client may call the API
// (docs/reference/api.md 1.9). It decides; the API writes the headers.
package ratelimit

import (
	"cmp"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate configures a token bucket for each client: it holds Burst requests and
// refills at PerSecond. A PerSecond of 0 means no limit.
type Rate struct {
	PerSecond float64
	Burst     int // at least 1; 0 = the requests of two seconds
}

// DefaultRate is far above what the users of one client poll.
var DefaultRate = Rate{PerSecond: 5000, Burst: 10_000}

// Limiter has a token bucket for each client. The operator creates the clients, so
// there are few, and no bucket is ever removed. It is safe for concurrent use.
type Limiter struct {
	rate    Rate
	buckets sync.Map // client id -> *rate.Limiter
}

// New returns a limiter, or nil when r is no limit.
func New(r Rate) *Limiter {
	if r.PerSecond <= 0 {
		return nil
	}
	r.Burst = max(cmp.Or(r.Burst, int(2*r.PerSecond)), 1)
	return &Limiter{rate: r}
}

// Policy is the size of a full bucket, in requests, and how long an empty one
// takes to fill.
func (l *Limiter) Policy() (quota int, window time.Duration) {
	return l.rate.Burst, l.refill(float64(l.rate.Burst))
}

// Decision is what Take decided about one request.
type Decision struct {
	Allowed    bool
	Remaining  int           // requests left in the bucket
	Reset      time.Duration // until the bucket is full
	RetryAfter time.Duration // until the next request is allowed, at least a second; 0 when Allowed
}

// Take counts a request of a client at the time now and decides whether it is
// allowed.
func (l *Limiter) Take(clientID string, now time.Time) Decision {
	b, ok := l.buckets.Load(clientID)
	if !ok {
		b, _ = l.buckets.LoadOrStore(clientID, rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst))
	}
	bucket := b.(*rate.Limiter)
	d := Decision{Allowed: bucket.AllowN(now, 1)}
	left := max(bucket.TokensAt(now), 0)
	d.Remaining, d.Reset = int(left), l.refill(float64(l.rate.Burst)-left)
	if !d.Allowed {
		d.RetryAfter = max(time.Second, l.refill(1-left))
	}
	return d
}

// longest is the longest time that refill returns, so that it does not overflow.
const longest = 100 * 365 * 24 * time.Hour

// refill returns how long a bucket takes to gain n requests, in whole seconds
// rounded up.
func (l *Limiter) refill(n float64) time.Duration {
	seconds := min(math.Ceil(n/l.rate.PerSecond), longest.Seconds())
	return time.Duration(seconds) * time.Second
}
