package httpsig

import (
	"context"
	"runtime"
	"sync"

	"samla/internal/clock"
)

// Limit bounds how many signatures are computed at the same time. All signers of
// a node share one. It is safe for concurrent use.
//
// A signature occupies a processor for about a millisecond. With more of them at
// a time than processors, all short work waits behind them, such as transactions
// that hold a database connection.
//
// It also remembers what a signature of each key costs, because the banks of a node
// share a few keys.
type Limit struct {
	slots chan struct{}

	mu    sync.Mutex
	costs []keyCost
}

// NewLimit returns a limit of n signatures at a time. An n of zero or less is
// the number of processors (GOMAXPROCS).
func NewLimit(n int) *Limit {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return &Limit{slots: make(chan struct{}, n)}
}

// do calls sign when it is its turn. Callers get their turns in the order in
// which they called. When ctx ends first, do returns ctx's error.
func (l *Limit) do(ctx context.Context, m *meter, sign func() ([]byte, error)) ([]byte, error) {
	select {
	case l.slots <- struct{}{}: // no wait, and none to measure
	default:
		if err := l.wait(ctx, m); err != nil {
			return nil, err
		}
	}
	defer func() { <-l.slots }()
	return sign()
}

// wait waits for a turn.
func (l *Limit) wait(ctx context.Context, m *meter) error {
	m.waiting.Add(1)
	defer m.waiting.Add(-1)
	began := clock.System().Now()
	defer func() { m.waited.Add(int64(clock.System().Now().Sub(began))) }()
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
