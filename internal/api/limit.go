package api

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"samla/internal/fault"
)

// Rate limits how fast one client may call (docs/reference/api.md 1.9): a bucket of Burst
// requests that fills with PerSecond. A PerSecond of 0 is no limit.
type Rate struct {
	PerSecond float64
	Burst     int // at least 1; 0 = what two seconds bring
}

// DefaultRate is far above what one client's users poll.
var DefaultRate = Rate{PerSecond: 5000, Burst: 10_000}

// limits keeps a bucket for each client. Clients are made by the operator, so
// that there are few.
type limits struct {
	rate    Rate
	policy  []string
	buckets sync.Map // client id -> *rate.Limiter
}

func newLimits(r Rate) *limits {
	if r.PerSecond <= 0 {
		return &limits{}
	}
	r.Burst = max(cmp.Or(r.Burst, int(2*r.PerSecond)), 1)
	window := strconv.FormatInt(int64(math.Ceil(float64(r.Burst)/r.PerSecond)), 10)
	// Structured fields of draft-ietf-httpapi-ratelimit-headers: the quota of a
	// full bucket, and the seconds in which an empty one fills.
	return &limits{rate: r, policy: []string{`"default";q=` + strconv.Itoa(r.Burst) + `;w=` + window}}
}

// take counts a request and tells in h what is left.
func (l *limits) take(h http.Header, clientID string, now time.Time) *fault.Fault {
	if l.policy == nil {
		return nil
	}
	b, ok := l.buckets.Load(clientID)
	if !ok {
		b, _ = l.buckets.LoadOrStore(clientID, rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst))
	}
	bucket := b.(*rate.Limiter)
	allowed := bucket.AllowN(now, 1)
	left := max(bucket.TokensAt(now), 0)
	full := (float64(l.rate.Burst) - left) / l.rate.PerSecond
	text := make([]byte, 0, 40)
	text = strconv.AppendInt(append(text, `"default";r=`...), int64(left), 10)
	text = strconv.AppendInt(append(text, `;t=`...), int64(math.Ceil(full)), 10)
	h["Ratelimit"] = []string{string(text)}
	h["Ratelimit-Policy"] = l.policy
	if allowed {
		return nil
	}
	f := fault.New(fault.RateLimited)
	f.RetryAfter = max(time.Second, time.Duration((1-left)/l.rate.PerSecond*float64(time.Second)))
	return f
}
