package api

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/authn"
	"samla/internal/clock"
	"samla/internal/ratelimit"
)

func key(client string) authn.Identity { return authn.Identity{Kind: authn.APIKey, ClientID: client} }

func TestLimiter_WritesRateLimitFields(t *testing.T) {
	l := newLimiter(ratelimit.Rate{PerSecond: 2, Burst: 3}, ratelimit.Rate{}, clock.System())
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	for left := 2; left >= 0; left-- {
		h := http.Header{}
		if f := l.take(h, key("a"), now); f != nil {
			t.Fatal(f)
		}
		wantFull := map[int]string{2: "1", 1: "1", 0: "2"}[left]
		if got, want := h.Get("RateLimit"), `"default";r=`+string(rune('0'+left))+`;t=`+wantFull; got != want {
			t.Errorf("%q instead of %q", got, want)
		}
		if got := h.Get("RateLimit-Policy"); got != `"default";q=3;w=2` {
			t.Errorf("policy %q", got)
		}
	}
	f := l.take(http.Header{}, key("a"), now)
	if f == nil || f.RetryAfter <= 0 {
		t.Fatalf("the fourth request at one moment: %v", f)
	}
	if f := l.take(http.Header{}, key("b"), now); f != nil {
		t.Error("one client uses the requests of another")
	}
	if f := l.take(http.Header{}, key("a"), now.Add(f.RetryAfter)); f != nil {
		t.Error("refused after Retry-After")
	}
	off, h := newLimiter(ratelimit.Rate{}, ratelimit.Rate{}, clock.System()), http.Header{}
	for range 1000 {
		if f := off.take(h, key("a"), now); f != nil || len(h) > 0 {
			t.Fatalf("no limit: %v %v", f, h)
		}
	}
}

// The session of one user cannot use up the requests of the client, and an API key
// has no user.
func TestLimiter_LimitsEachUser(t *testing.T) {
	l := newLimiter(ratelimit.Rate{PerSecond: 100, Burst: 100}, ratelimit.Rate{PerSecond: 1, Burst: 2}, clock.System())
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	session := func(user string) authn.Identity {
		return authn.Identity{Kind: authn.Session, ClientID: "a", UserID: user}
	}
	h := http.Header{}
	if f := l.take(h, session("u1"), now); f != nil {
		t.Fatal(f)
	}
	if got := h.Get("RateLimit"); got != `"default";r=99;t=1, "user";r=1;t=1` {
		t.Errorf("fields %q", got)
	}
	if got := h.Get("RateLimit-Policy"); got != `"default";q=100;w=1, "user";q=2;w=2` {
		t.Errorf("policies %q", got)
	}
	l.take(h, session("u1"), now)
	if f := l.take(h, session("u1"), now); f == nil || f.RetryAfter != time.Second {
		t.Errorf("the third request of a user: %v", f)
	}
	if l.take(h, session("u2"), now) != nil || l.take(h, key("a"), now) != nil {
		t.Error("a user uses the requests of others")
	}
}

func TestLimiter_SlowsWrongCredentialsOfAnAddress(t *testing.T) {
	l := newLimiter(ratelimit.Rate{}, ratelimit.Rate{}, clock.System())
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	for i := range guessRate.Burst {
		if f := l.guessed("[2001:db8:1:2::"+string(rune('a'+i%6))+"]:4711", now); f != nil {
			t.Fatalf("guess %d: %v", i, f)
		}
	}
	if l.guessed("[2001:db8:1:2:ffff::9]:1", now) == nil {
		t.Error("another address of the same subscriber is not slowed")
	}
	for _, other := range []string{"[2001:db8:1:3::a]:1", "192.0.2.7:1", "unknown"} {
		if f := l.guessed(other, now); f != nil {
			t.Errorf("%s: %v", other, f)
		}
	}
}
