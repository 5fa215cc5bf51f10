package e2e

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/flowtest"
)

// The master key is rotated again and again, and days pass, while requests that seal are
// served: creating users, their sessions, and repeats with an Idempotency-Key. None fails.
func TestRotateMaster_FailsNoRequest(t *testing.T) {
	for engine, database := range map[string]func(testing.TB) string{"sqlite": func(testing.TB) string { return "" }, "postgres": flowtest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, database(t), clockSpeed)
			p := w.person(t, maja)
			p.authorizeConsent(t, consentRequest{company: demoBank}) // something is sent to a bank
			var served atomic.Int64
			stop := make(chan struct{})
			var load sync.WaitGroup
			for n := range 4 {
				load.Go(func() {
					backend := client{w.WithKey(w.APIKey), w}
					backend.Header = backend.Header.Clone()
					for i := 0; ; i++ {
						select {
						case <-stop:
							return
						default:
						}
						name := fmt.Sprintf("rotated-%d-%d", n, i)
						backend.Header.Set("Idempotency-Key", name)
						var made, again struct{ UserUUID string }
						backend.Do(t, "POST", "/users", map[string]string{"externalId": name}).WantStatus(t, 201, &made)
						backend.Do(t, "POST", "/users", map[string]string{"externalId": name}).WantStatus(t, 201, &again)
						backend.Header.Del("Idempotency-Key")
						backend.Do(t, "POST", "/users/"+made.UserUUID+"/sessions", nil).WantStatus(t, 201, nil)
						if again != made {
							t.Error("a repeat was answered otherwise")
						}
						if served.Add(3); t.Failed() {
							return
						}
					}
				})
			}
			file := filepath.Join(w.Dir, "master.json")
			for range 6 {
				if err := w.openRing(t).Rotate(file, true); err != nil {
					t.Fatal(err)
				}
				until := served.Load() + 20
				w.await(t, "requests after a rotation", func() bool { return served.Load() > until || t.Failed() })
				w.clock.Jump(11 * time.Hour)
			}
			close(stop)
			load.Wait()
			t.Logf("%d requests", served.Load())
		})
	}
}
