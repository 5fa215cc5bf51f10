package metrics_test

import (
	"testing"
	"time"

	"samla/internal/api"
	"samla/internal/deviation"
)

// BenchmarkRoute measures what a request costs to count, from all processors at once.
func BenchmarkRoute(b *testing.B) {
	route := newMetrics(&deviation.Register{}).ObserveRoute(api.Route{Method: "GET", Pattern: "/users", Version: "2026-04-01"})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			route.Observe(200, time.Millisecond)
		}
	})
}
