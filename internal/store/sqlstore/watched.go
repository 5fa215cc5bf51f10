package sqlstore

import (
	"context"
	"database/sql"
)

// watchedRows are rows that end with a context. The driver interrupts the first step of a
// query only. A later one that goes on too long is left alone: it ends by itself, and the
// caller does not wait for it.
type watchedRows struct {
	*sql.Rows
	ctx  context.Context //nolint:containedctx // of the query
	left bool
}

// Next is called by one goroutine at a time, as that of sql.Rows.
func (r *watchedRows) Next() bool {
	if r.left {
		return false
	}
	next := make(chan bool, 1)
	go func() { next <- r.Rows.Next() }()
	select {
	case found := <-next:
		return found
	case <-r.ctx.Done():
		r.left = true
		go func() {
			<-next
			_ = r.Rows.Close()
		}()
		return false
	}
}

func (r *watchedRows) Err() error {
	if r.left {
		return r.ctx.Err()
	}
	return r.Rows.Err()
}

func (r *watchedRows) Close() {
	if !r.left {
		_ = r.Rows.Close()
	}
}
