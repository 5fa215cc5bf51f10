package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Create measures durable creates of users. The limit is a bare handler that inserts a
// row and writes the same bytes. It has the same engine, driver, settings and number of
// callers, and groups INSERTs as the store does.
func Create(ctx context.Context, c Config) (Result, error) {
	l, end, err := c.start(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	bare, err := openEngine(ctx, c.Server.Database, filepath.Join(c.Server.Dir, "limit"))
	if err != nil {
		return Result{}, err
	}
	defer bare.close()
	host := strings.TrimPrefix(l.Server.URL(), "http://")
	var n atomic.Int64
	headers := map[string]string{"authorization-token": l.APIKey, "Insurely-Version": "2026-04-01"}
	create := func(conn *conn) ([]byte, error) {
		body := fmt.Sprintf(`{"externalId":"customer-%d"}`, n.Add(1))
		status, answer, err := conn.do(request("POST", "/users", host, headers, body))
		if err != nil {
			return nil, err
		}
		return answer, checkStatus(http.StatusCreated, status, answer)
	}
	sample, err := dial(ctx, host)
	if err != nil {
		return Result{}, err
	}
	answer, err := create(sample)
	if err = errors.Join(err, sample.Close()); err != nil {
		return Result{}, err
	}
	insert, stop := bare.start(ctx, c.Connections)
	defer stop()
	alone, err := runWorkers(ctx, c.Connections, boundTime, sameOperation(insert))
	if err != nil {
		return Result{}, err
	}
	c.Logf("bounds: %.0f INSERTs a second without HTTP", float64(alone)/boundTime.Seconds())
	limit, err := serveHandler(ctx, func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusCreated
		if _, err := io.Copy(io.Discard, r.Body); err != nil || insert() != nil {
			status = http.StatusInternalServerError
		}
		writeBare(w, status, answer)
	})
	if err != nil {
		return Result{}, err
	}
	defer limit.Close()
	creates := func(address string) func(context.Context, time.Duration) (int, error) {
		return func(ctx context.Context, d time.Duration) (int, error) {
			return runCallers(ctx, address, c.Connections, d, func(conn *conn, _ int) error {
				_, err := create(conn)
				return err
			})
		}
	}
	return c.measure(ctx, "create", l.Server.Store().Kind(), creates(limit.address), creates(host))
}
