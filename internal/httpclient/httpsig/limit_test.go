package httpsig

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestLimit_BoundsSignaturesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, release := NewLimit(2), make(chan struct{})
		var now atomic.Int64
		for range 5 {
			go func() {
				_, err := l.do(t.Context(), &meter{}, func() ([]byte, error) {
					now.Add(1)
					defer now.Add(-1)
					<-release
					return nil, nil
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		for _, want := range []int64{2, 2, 2, 2, 1, 0} {
			synctest.Wait() // until all of them wait
			if n := now.Load(); n != want {
				t.Errorf("%d signatures at a time, want %d", n, want)
			}
			if want > 0 {
				release <- struct{}{}
			}
		}
	})
}

func TestLimit_WaitEndsWithItsContext(t *testing.T) {
	l := NewLimit(1)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := l.do(t.Context(), &meter{}, func() ([]byte, error) {
		cancel()
		return l.do(ctx, &meter{}, func() ([]byte, error) { return nil, errors.New("a second signature was made") })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := l.do(t.Context(), &meter{}, func() ([]byte, error) { return nil, nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNewLimit_DefaultsToTheProcessors(t *testing.T) {
	if n := cap(NewLimit(0).slots); n != runtime.GOMAXPROCS(0) {
		t.Errorf("got %d", n)
	}
}
