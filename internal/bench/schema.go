package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// apart makes a schema of its own in a PostgreSQL database, so that a benchmark
// finds nothing there and leaves nothing behind. It returns the URL that leads
// into it; drop removes it. Without a database it does nothing.
func apart(ctx context.Context, database string) (inside string, drop func() error, err error) {
	if database == "" {
		return "", func() error { return nil }, nil
	}
	u, err := url.Parse(database)
	if err != nil {
		return "", nil, errors.New("--database is no URL") // err would repeat its password
	}
	schema := "samla_bench_" + strings.ToLower(rand.Text()[:12])
	if err := do(ctx, database, "CREATE SCHEMA "+schema); err != nil {
		return "", nil, fmt.Errorf("make a schema for the benchmark: %w", err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return do(ctx, database, "DROP SCHEMA "+schema+" CASCADE")
	}, nil
}

func do(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
