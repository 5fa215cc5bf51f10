package usage_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/flowtest"
	"samla/internal/store"
	"samla/internal/testpg"
	"samla/internal/usage"
)

// failing is a store that can be away.
type failing struct {
	store.Store
	mu   sync.Mutex
	away bool
}

func (f *failing) Write(ctx context.Context, fn func(store.Tx) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return errors.New("away")
	}
	return f.Store.Write(ctx, fn)
}

// What is counted is stored, also what could not be stored at first, and what was counted
// before the end.
func TestUsage_StoresWhatIsCounted(t *testing.T) {
	for name, dsn := range map[string]func(*testing.T) string{"sqlite": func(t *testing.T) string { return t.TempDir() }, "postgres": func(t *testing.T) string { return testpg.URL(t) }} {
		t.Run(name, func(t *testing.T) {
			b := flowtest.New(t, dsn(t))
			f := &failing{Store: b.Store, away: true}
			s := usage.New(usage.Deps{Store: f, Clock: b.Clock, Log: slog.New(slog.DiscardHandler)})
			now := b.Clock.Now()
			run := func() { // stores at the beginning and at the end
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				s.Run(ctx)
			}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					for range 100 {
						s.Count("c", "k", "2026-04-01", true, now)
						s.Count("c", "", "2026-04-01", false, now)
					}
				})
			}
			all.Wait()
			run()
			f.mu.Lock()
			f.away = false
			f.mu.Unlock()
			s.Count("c", "k", "2026-04-01", true, now.Add(time.Minute))
			run()
			run()
			got, err := b.Store.UsesSince(t.Context(), client.DayOf(now))
			want := []client.Use{{ClientID: "c", Version: "2026-04-01", Day: client.DayOf(now), Requests: 800, LastAt: now}, {ClientID: "c", KeyID: "k", Version: "2026-04-01", Named: true, Day: client.DayOf(now), Requests: 801, LastAt: now.Add(time.Minute)}}
			if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func BenchmarkCount(b *testing.B) {
	s, now := usage.New(usage.Deps{Clock: clock.System()}), time.Now()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			s.Count("01a21ca3-11b0-7418-86bd-3db758cbb89f", "01a21ca3-11b0-7418-86bd-3db758cbb89e", "2026-04-01", true, now)
		}
	})
}
