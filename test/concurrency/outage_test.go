package concurrency

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"samla/internal/clock"
	"samla/internal/dialogue"
	"samla/internal/fault"
)

// PostgreSQL's backends are terminated while consents and collections are created.
// Callers get errors of the database, but never 401: their users are there.
func TestCreate_AnswersNoUnauthorizedDuringOutage(t *testing.T) {
	const callers, outages = 8, 40
	e := onPostgres(t, 2, dialogue.Limits{})
	u := e.newUser()
	c := e.authorized(u)[0]
	admin, err := pgx.Connect(t.Context(), e.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(t.Context()) }()

	var over atomic.Bool
	var succeeded, failed atomic.Int32
	var wg sync.WaitGroup
	for i := range callers {
		n := e.node(i)
		wg.Go(func() {
			for !over.Load() {
				var err error
				switch i % 3 {
				case 0:
					_, err = n.consents.Create(t.Context(), e.consentRequest(u), nil)
				case 1:
					_, err = n.collections.Start(t.Context(), e.collectionRequest(u, c.ID), nil)
				default:
					_, err = n.collections.Start(t.Context(), e.oneTimeRequest(u), nil)
				}
				switch code := fault.CodeOf(err); {
				case err == nil:
					succeeded.Add(1)
				case code == fault.Internal:
					failed.Add(1)
				default:
					t.Errorf("answered %s", code)
				}
			}
		})
	}
	for range outages {
		_, err := admin.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		if err := clock.Sleep(t.Context(), clock.System(), 50*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	over.Store(true)
	wg.Wait()
	t.Logf("%d succeeded, %d failed", succeeded.Load(), failed.Load())
	if succeeded.Load() == 0 || failed.Load() == 0 {
		t.Error("the test shows nothing")
	}
}
