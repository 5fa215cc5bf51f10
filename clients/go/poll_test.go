package samla

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// polled makes a poll of the times at which it is called, and answers of a list.
func polled(times *[]time.Duration, answers ...any) func() (int32, error) {
	begin := time.Now()
	return func() (int32, error) {
		*times = append(*times, time.Since(begin))
		next := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		if err, ok := next.(error); ok {
			return 0, err
		}
		return int32(next.(int)), nil
	}
}

func refused(status int, after time.Duration) error {
	return &Problem{Document: Error{Status: status}, RetryAfter: after}
}

func until(end int32) func(int32) (*int32, bool) {
	return func(n int32) (*int32, bool) { return new(int32(2000)), n == end }
}

// A status is asked for as often as the server says, at most a tenth later; after a refusal
// not before Retry-After.
func TestAwait_KeepsToWhatTheServerSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		got, err := await(t.Context(), nil, polled(&times, 1, refused(http.StatusTooManyRequests, 20*time.Second), refused(http.StatusServiceUnavailable, 0), 3), until(3))
		if err != nil || got != 3 || len(times) != 4 {
			t.Fatalf("%d, %v at %v", got, err, times)
		}
		for i, least := range []time.Duration{2 * time.Second, 20 * time.Second, 2 * failureWait} {
			if waited := times[i+1] - times[i]; waited < least || waited > least+least/10 {
				t.Errorf("it waited %v instead of %v", waited, least)
			}
		}
	})
}

// Two clients that begin together do not stay together.
func TestAwait_SpreadsClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a, b []time.Duration
		for _, times := range []*[]time.Duration{&a, &b} {
			if _, err := await(t.Context(), nil, polled(times, 1, 1, 1, 3), until(3)); err != nil {
				t.Fatal(err)
			}
		}
		if a[3] == b[3] {
			t.Errorf("both asked at %v", a)
		}
	})
}

// It ends with its context, at a refusal that asking again does not change, when the
// server cannot be reached for long, and when nothing follows a status.
func TestAwait_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("no route")
		for name, tc := range map[string]struct {
			answers []any
			polls   int
			err     error
		}{
			"refused":     {[]any{1, refused(http.StatusNotFound, time.Second)}, 2, nil},
			"unreachable": {[]any{down}, failuresMost + 1, down},
		} {
			var times []time.Duration
			_, err := await(t.Context(), nil, polled(&times, tc.answers...), until(3))
			if err == nil || tc.err != nil && !errors.Is(err, tc.err) || len(times) != tc.polls {
				t.Errorf("%s: %v after %d polls", name, err, len(times))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var times []time.Duration
		if _, err := await(ctx, nil, polled(&times, 1), until(3)); !errors.Is(err, context.DeadlineExceeded) || len(times) != 3 {
			t.Errorf("%v after %d polls", err, len(times))
		}
		if got, err := await(t.Context(), nil, polled(&times, 1), func(int32) (*int32, bool) { return nil, false }); err != nil || got != 1 {
			t.Errorf("%d, %v", got, err)
		}
	})
}

// What a person answers is followed by a poll at once.
func TestAwait_IsWoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		var times []time.Duration
		if _, err := await(t.Context(), wake, polled(&times, 1, 3), until(3)); err != nil || times[1] != 0 {
			t.Errorf("%v, %v", times, err)
		}
	})
}
