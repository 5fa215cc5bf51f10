package authorize_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"samla/internal/flowtest"
)

// PostgreSQL repeats a transaction that lost to another one. It recognises that by
// the error, which must reach it unchanged.
func TestCreate_IsRepeatedAfterSerializationFailure(t *testing.T) {
	b := newEnvOn(t, flowtest.Postgres(t))
	s := &flowtest.UserErrors{Store: b.Store, Err: &pgconn.PgError{Code: "40001"}}
	s.Times.Store(3)
	b.Service.Store = s
	if c, err := b.Create(t.Context(), b.request(), nil); err != nil || c.ID == "" {
		t.Error(err)
	}
}
