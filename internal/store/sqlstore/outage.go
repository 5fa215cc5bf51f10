package sqlstore

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"samla/internal/store"
)

// OutageOf returns the outage that err is about, or "" if err has another cause, such
// as a fault of ours. A request that failed by an outage can be sent again later.
func OutageOf(err error) store.Outage {
	var failed *driver.Error
	var refused *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &failed):
		return sqliteOutage(failed.Code())
	case errors.As(err, &refused):
		if why := postgresOutage(refused.Code); why != "" || !errors.As(err, &connect) {
			return why
		}
		return store.Unreachable // the server refuses the connection, whatever the reason
	case errors.Is(err, context.DeadlineExceeded):
		return store.TimedOut
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, errClosed):
		return store.Unreachable
	}
	return ""
}

// sqliteOutage classifies an extended result code (https://sqlite.org/rescode.html).
func sqliteOutage(code int) store.Outage {
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return store.DiskFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return store.Locked
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return store.Unreachable
	case sqlite3.SQLITE_INTERRUPT:
		return store.TimedOut
	}
	return ""
}

// postgresOutage classifies an SQLSTATE (appendix A of PostgreSQL's documentation).
func postgresOutage(state string) store.Outage {
	switch {
	case state == "53100": // disk_full
		return store.DiskFull
	case state == "57014": // query_canceled: the context of the request ended
		return store.TimedOut
	case state == "55P03", strings.HasPrefix(state, "53"): // lock_not_available, insufficient resources
		return store.Locked
	case strings.HasPrefix(state, "08"), strings.HasPrefix(state, "57P"), state == "25006": // connection, shutdown, read-only standby
		return store.Unreachable
	}
	return ""
}
