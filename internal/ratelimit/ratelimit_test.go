package ratelimit_test

import (
	"testing"
	"time"

	"samla/internal/ratelimit"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func TestTake_AllowsBurstThenOneRequestPerRefill(t *testing.T) {
	l := ratelimit.New(ratelimit.Rate{PerSecond: 0.5, Burst: 3})
	for i, want := range []ratelimit.Decision{
		{Allowed: true, Remaining: 2, Reset: 2 * time.Second},
		{Allowed: true, Remaining: 1, Reset: 4 * time.Second},
		{Allowed: true, Remaining: 0, Reset: 6 * time.Second},
		{Allowed: false, Remaining: 0, Reset: 6 * time.Second, RetryAfter: 2 * time.Second},
	} {
		if got := l.Take("a", start); got != want {
			t.Errorf("request %d: %+v, want %+v", i, got, want)
		}
	}
	if got := l.Take("b", start); !got.Allowed {
		t.Error("one client uses the requests of another")
	}
	now := start.Add(2 * time.Second)
	if got := l.Take("a", now); !got.Allowed {
		t.Errorf("after a refill: %+v", got)
	}
	if got := l.Take("a", now); got.Allowed {
		t.Errorf("a second request after a refill for one: %+v", got)
	}
}

func TestTake_ReturnsRetryAfterOfAtLeastOneSecond(t *testing.T) {
	l := ratelimit.New(ratelimit.Rate{PerSecond: 1000, Burst: 1})
	l.Take("a", start)
	if got := l.Take("a", start); got.Allowed || got.RetryAfter != time.Second {
		t.Errorf("%+v", got)
	}
}

func TestPolicy_ReturnsBurstAndTimeToRefillIt(t *testing.T) {
	for _, c := range []struct {
		rate   ratelimit.Rate
		quota  int
		window time.Duration
	}{
		{ratelimit.Rate{PerSecond: 0.001, Burst: 5}, 5, 5000 * time.Second},
		{ratelimit.Rate{PerSecond: 3, Burst: 4}, 4, 2 * time.Second},
		{ratelimit.Rate{PerSecond: 50}, 100, 2 * time.Second},
		{ratelimit.Rate{PerSecond: 0.25}, 1, 4 * time.Second},
		{ratelimit.Rate{PerSecond: 1e-12, Burst: 1}, 1, 100 * 365 * 24 * time.Hour},
	} {
		quota, window := ratelimit.New(c.rate).Policy()
		if quota != c.quota || window != c.window {
			t.Errorf("%+v: %d, %v", c.rate, quota, window)
		}
	}
}

func TestNew_ReturnsNilForNoLimit(t *testing.T) {
	for _, perSecond := range []float64{0, -1} {
		if ratelimit.New(ratelimit.Rate{PerSecond: perSecond, Burst: 5}) != nil {
			t.Errorf("%v a second is a limit", perSecond)
		}
	}
}
