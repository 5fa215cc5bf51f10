package api

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"samla/internal/authn"
	"samla/internal/clock"
	"samla/internal/fault"
	"samla/internal/ratelimit"
)

// limiter applies the rate limits and reports them in the header fields of
// draft-ietf-httpapi-ratelimit-headers. The zero value has no limit.
type limiter struct {
	client, user *ratelimit.Limiter
	policies     [2][]string // with an API key, with a session token
	guesses      *ratelimit.Limiter
}

// The names of the policies.
const (
	clientPolicy = "default"
	userPolicy   = "user"
)

// guessRate limits the requests with a wrong credential that an address may send.
// Right credentials are not counted: many callers can share an address.
var guessRate = ratelimit.Rate{PerSecond: 5, Burst: 100}

func newLimiter(client, user ratelimit.Rate, c clock.Clock) limiter {
	l := limiter{client: ratelimit.New(client), user: ratelimit.NewMany(user, c), guesses: ratelimit.NewMany(guessRate, c)}
	of := appendPolicy(nil, clientPolicy, l.client)
	l.policies[0] = header(of)
	l.policies[1] = header(appendPolicy(of, userPolicy, l.user))
	return l
}

func appendPolicy(text []byte, name string, l *ratelimit.Limiter) []byte {
	if l == nil {
		return text
	}
	quota, window := l.Policy()
	text = strconv.AppendInt(append(appendName(text, name), `;q=`...), int64(quota), 10)
	return strconv.AppendInt(append(text, `;w=`...), int64(window/time.Second), 10)
}

func appendName(text []byte, name string) []byte {
	if len(text) > 0 {
		text = append(text, ", "...)
	}
	return append(append(append(text, '"'), name...), '"')
}

func header(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	return []string{string(text)}
}

// take counts a request of a client, and of a user if it has a session token, and
// writes the header fields. It returns RateLimited if the request is over a limit.
func (l limiter) take(h http.Header, caller authn.Identity, now time.Time) *fault.Fault {
	text := make([]byte, 0, 64)
	policies := l.policies[0]
	var wait time.Duration
	if l.client != nil {
		d := l.client.Take(caller.ClientID, now)
		text, wait = appendDecision(text, clientPolicy, d), d.RetryAfter
	}
	if caller.Kind == authn.Session {
		policies = l.policies[1]
		if l.user != nil {
			d := l.user.Take(caller.UserID, now)
			text, wait = appendDecision(text, userPolicy, d), max(wait, d.RetryAfter)
		}
	}
	if policies != nil {
		h["Ratelimit"], h["Ratelimit-Policy"] = []string{string(text)}, policies
	}
	return rateLimited(wait)
}

func appendDecision(text []byte, name string, d ratelimit.Decision) []byte {
	text = strconv.AppendInt(append(appendName(text, name), `;r=`...), int64(d.Remaining), 10)
	return strconv.AppendInt(append(text, `;t=`...), int64(d.Reset/time.Second), 10)
}

// guessed counts a wrong credential of an address (host:port). It returns
// RateLimited if the address has sent too many.
func (l limiter) guessed(address string, now time.Time) *fault.Fault {
	return rateLimited(l.guesses.Take(network(address), now).RetryAfter)
}

// network returns the address without the port; of an IPv6 address the first 64
// bits, which is what one subscriber has.
func network(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Is4() || ip.Is4In6() {
		return host
	}
	prefix, _ := ip.WithZone("").Prefix(64) // an IPv6 address has 64 bits
	return prefix.String()
}

// rateLimited returns a fault, or nil without a wait.
func rateLimited(wait time.Duration) *fault.Fault {
	if wait <= 0 {
		return nil
	}
	f := fault.New(fault.RateLimited)
	f.RetryAfter = wait
	return f
}
