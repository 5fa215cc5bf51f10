package httpsig

import (
	"context"
	"runtime"
)

// Limit bounds how many signatures are computed at the same time. All signers of
// a node share one. It is safe for concurrent use.
//
// A signature occupies a processor for about a millisecond. With more of them at
// a time than processors, all short work waits behind them, such as transactions
// that hold a database connection.
type Limit struct{ slots chan struct{} }

// NewLimit returns a limit of n signatures at a time. An n of zero or less is
// the number of processors (GOMAXPROCS).
func NewLimit(n int) *Limit {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return &Limit{make(chan struct{}, n)}
}

// do calls sign when it is its turn. Callers get their turns in the order in
// which they called. When ctx ends first, do returns ctx's error.
func (l *Limit) do(ctx context.Context, sign func() ([]byte, error)) ([]byte, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-l.slots }()
	return sign()
}
