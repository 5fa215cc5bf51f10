package bench

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Create measures durable creates of users. The limit is the rate of bare INSERTs and
// COMMITs with the same engine, driver, settings and number of callers.
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
	create := func(ctx context.Context, d time.Duration) (int, error) {
		return runCallers(ctx, host, c.Connections, d, func(conn *conn, _ int) error {
			body := fmt.Sprintf(`{"externalId":"customer-%d"}`, n.Add(1))
			status, answer, err := conn.do(request("POST", "/users", host, headers, body))
			if err != nil {
				return err
			}
			return checkStatus(http.StatusCreated, status, answer)
		})
	}
	return c.measure(ctx, "create", l.Server.Store().Kind(), bare.inserts(c.Connections), create)
}
