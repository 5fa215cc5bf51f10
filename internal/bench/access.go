package bench

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"samla/internal/audit"
	"samla/internal/devserver"
	"samla/internal/store"
)

// switched records accesses only while it is on.
type switched struct {
	store.AccessRecorder
	on atomic.Bool
}

// RecordAccess implements store.AccessRecorder.
func (s *switched) RecordAccess(ctx context.Context, e audit.Entry) error {
	if !s.on.Load() {
		return nil
	}
	return s.AccessRecorder.RecordAccess(ctx, e)
}

// Access measures reads of data whose entries in the audit log are on disk before the
// answer. The limit is the same server without entries. It measures data of about 250 kB
// and the data of a person with one account, each compressed.
func Access(ctx context.Context, c Config) ([]Result, error) {
	recorder := &switched{}
	c.Server.WrapAccess = func(r store.AccessRecorder) store.AccessRecorder {
		recorder.AccessRecorder = r
		return recorder
	}
	l, end, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	recorder.on.Store(true)
	var results []Result
	for _, of := range []struct{ name, number string }{{"access-large", longHistory}, {"access-small", personalNumber(1)}} {
		request, err := c.dataRequest(ctx, l, host, account{benchCompany, of.name, of.number, ""})
		if err != nil {
			return nil, err
		}
		run := func(record bool) func(context.Context, time.Duration) (int, error) {
			return func(ctx context.Context, d time.Duration) (int, error) {
				recorder.on.Store(record)
				return runCallers(ctx, host, c.Connections, d, func(conn *conn, _ int) error {
					status, body, err := conn.do(request)
					if err != nil {
						return err
					}
					return checkStatus(http.StatusOK, status, body)
				})
			}
		}
		result, err := c.measure(ctx, of.name, l.Server.Store().Kind(), run(false), run(true))
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// dataRequest collects for a person and returns the request for the data, compressed.
func (c Config) dataRequest(ctx context.Context, l *devserver.Environment, host string, of account) ([]byte, error) {
	u, id, err := c.collectOf(ctx, l, host, of)
	if err != nil {
		return nil, err
	}
	return u.data(id, "gzip"), nil
}
