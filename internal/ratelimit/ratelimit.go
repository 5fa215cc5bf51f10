// Package ratelimit owns how fast each client and each user may call the API
// (docs/reference/api.md 1.9), and how fast an address may guess credentials. It
// decides; the API writes the headers.
package ratelimit

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"samla/internal/clock"
	"samla/internal/lru"
)

// Rate configures a token bucket for each caller: it holds Burst requests and
// refills at PerSecond. A PerSecond of 0 means no limit.
type Rate struct {
	PerSecond float64
	Burst     int // at least 1; 0 = the requests of two seconds
}

// DefaultRate is far above what the users of one client poll.
var DefaultRate = Rate{PerSecond: 5000, Burst: 10_000}

// Limiter has a token bucket for each caller. It is safe for concurrent use.
type Limiter struct {
	rate    Rate
	buckets interface {
		get(caller string, full func() *rate.Limiter) *rate.Limiter
	}
}

// few holds the buckets of clients: the operator creates them, so there are few, and
// no bucket is ever removed.
type few struct{ sync.Map }

func (f *few) get(caller string, full func() *rate.Limiter) *rate.Limiter {
	b, ok := f.Load(caller)
	if !ok {
		b, _ = f.LoadOrStore(caller, full())
	}
	return b.(*rate.Limiter)
}

// many holds the buckets of the callers that were seen last. A bucket that is removed
// is full when it is needed again.
type many struct {
	cache *lru.Cache[string, *rate.Limiter]
}

func (m many) get(caller string, full func() *rate.Limiter) *rate.Limiter {
	if b, ok := m.cache.Peek(caller); ok {
		return b
	}
	b, _ := m.cache.Get(context.Background(), caller, func(context.Context) (*rate.Limiter, error) { return full(), nil })
	return b
}

// New returns a limiter of clients, or nil when r is no limit.
func New(r Rate) *Limiter {
	if r.PerSecond <= 0 {
		return nil
	}
	r.Burst = max(cmp.Or(r.Burst, int(2*r.PerSecond)), 1)
	return &Limiter{rate: r, buckets: &few{}}
}

// The buckets of NewMany, and how long one is kept.
const (
	manyCallers = 100_000
	manyAge     = time.Hour
)

// NewMany returns a limiter of callers that are not limited in number, such as users
// and addresses, or nil when r is no limit.
func NewMany(r Rate, c clock.Clock) *Limiter {
	l := New(r)
	if l != nil {
		l.buckets = many{lru.New[string, *rate.Limiter](c, manyCallers, manyAge)}
	}
	return l
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

// Take counts a request of a caller at the time now and decides whether it is
// allowed.
func (l *Limiter) Take(caller string, now time.Time) Decision {
	bucket := l.buckets.get(caller, func() *rate.Limiter { return rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst) })
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
