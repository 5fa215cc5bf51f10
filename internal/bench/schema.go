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

// newSchema creates a schema in a PostgreSQL database, so that a benchmark starts with
// empty tables and leaves none behind. It returns a URL that uses the schema; drop
// removes the schema. If database is empty it does nothing.
func newSchema(ctx context.Context, database string) (schemaURL string, drop func() error, err error) {
	if database == "" {
		return "", func() error { return nil }, nil
	}
	u, err := url.Parse(database)
	if err != nil {
		return "", nil, errors.New("--database is not a URL") // err would contain the password
	}
	schema := "samla_bench_" + strings.ToLower(rand.Text()[:12])
	if err := execute(ctx, database, "CREATE SCHEMA "+schema); err != nil {
		return "", nil, fmt.Errorf("create a schema for the benchmark: %w", err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return execute(ctx, database, "DROP SCHEMA "+schema+" CASCADE")
	}, nil
}

func execute(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
