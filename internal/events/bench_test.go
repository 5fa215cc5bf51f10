package events_test

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/event"
	"samla/internal/events"
	"samla/internal/store"
	"samla/internal/testpg"
)

// BenchmarkSequencer_Latency measures from the return of the commit that added an event
// until the sequencer has committed its place, with 1 and 16 writers.
func BenchmarkSequencer_Latency(b *testing.B) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": testpg.URL} {
		for name, writers := range map[string]int{"one writer": 1, "16 writers": 16} {
			b.Run(engine+"/"+name, func(b *testing.B) {
				s := open(b, dsn(b))
				numbered := make([]atomic.Int64, b.N)
				left := make(chan struct{}, b.N)
				run(b, events.Deps{Store: s, Sequenced: func(all []event.Event) {
					now := time.Now().UnixNano()
					for _, e := range all {
						numbered[e.At.UnixMicro()-1].Store(now)
						left <- struct{}{}
					}
				}})
				committed := make([]int64, b.N)
				var next atomic.Int64
				b.SetParallelism(writers) // per processor
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						i := next.Add(1) - 1
						e := newEvent("r", "{}")
						e.At = time.UnixMicro(i + 1) // 0 is no time in the store
						add(b, s, e)
						committed[i] = time.Now().UnixNano()
					}
				})
				for range b.N {
					<-left
				}
				b.StopTimer()
				took := make([]time.Duration, b.N)
				for i := range took {
					took[i] = max(time.Duration(numbered[i].Load()-committed[i]), 0)
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
			})
		}
	}
}

// BenchmarkAddEvent measures what an event adds to a transaction with one other row: with
// none, with an event, and with an event that a sequencer numbers meanwhile.
func BenchmarkAddEvent(b *testing.B) {
	for engine, dsn := range map[string]func(testing.TB) string{"sqlite": func(t testing.TB) string { return t.TempDir() }, "postgres": testpg.URL} {
		for _, with := range []string{"no event", "event", "event numbered"} {
			b.Run(engine+"/"+with, func(b *testing.B) {
				s := open(b, dsn(b))
				if with == "event numbered" {
					run(b, events.Deps{Store: s})
				}
				b.SetParallelism(8)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						e := newEvent("r", `{"collectionId":"c0ffee00-1234-5678-9abc-def012345678","status":"COMPLETED"}`)
						if err := s.Write(b.Context(), func(tx store.Tx) error {
							if err := tx.AddClient(b.Context(), client.Client{ID: e.ID, CreatedAt: start}); err != nil || with == "no event" {
								return err
							}
							return tx.AddEvent(b.Context(), e)
						}); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
