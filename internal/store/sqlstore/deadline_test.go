package sqlstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"samla/internal/store"
	"samla/internal/testpg"
)

// A read that is watched ends with its context on both engines: in the step to the first row,
// and in a later one. Without a watch, these take minutes and seconds.
func TestRead_EndsWithItsContext(t *testing.T) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": func(t testing.TB) string { return testpg.URL(t) }} {
		t.Run(engine, func(t *testing.T) {
			s, err := Open(t.Context(), Config{DSN: dsn(t)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			for what, of := range map[string]string{
				"the first row": `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT COUNT(*) FROM n`,
				"the second":    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT i FROM n WHERE i = 1 OR i > 3000000`,
			} {
				ctx, cancel := context.WithTimeout(store.Watch(t.Context()), 20*time.Millisecond)
				if _, err := list(ctx, s.q, column[int64], of); err == nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
					t.Errorf("%s: %v, %v", what, err, ctx.Err())
				}
				cancel()
			}
		})
	}
}
