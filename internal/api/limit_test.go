package api

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/ratelimit"
)

func TestLimiter_WritesRateLimitFields(t *testing.T) {
	l := newLimiter(ratelimit.Rate{PerSecond: 2, Burst: 3})
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	for left := 2; left >= 0; left-- {
		h := http.Header{}
		if f := l.take(h, "a", now); f != nil {
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
	f := l.take(http.Header{}, "a", now)
	if f == nil || f.RetryAfter <= 0 {
		t.Fatalf("the fourth request at one moment: %v", f)
	}
	if f := l.take(http.Header{}, "b", now); f != nil {
		t.Error("one client uses the requests of another")
	}
	if f := l.take(http.Header{}, "a", now.Add(f.RetryAfter)); f != nil {
		t.Error("refused after Retry-After")
	}
	off, h := newLimiter(ratelimit.Rate{}), http.Header{}
	for range 1000 {
		if f := off.take(h, "a", now); f != nil || len(h) > 0 {
			t.Fatalf("no limit: %v %v", f, h)
		}
	}
}
