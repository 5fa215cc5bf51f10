// Package metrics hands the numbers of a node to Prometheus. The values of labels come
// from closed sets: companies of the banks file, and kinds.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"samla/internal/deviation"
)

// Handler answers GET with the numbers in the text format of Prometheus. It belongs on
// a listener of its own that clients of the API cannot reach.
func Handler(deviations *deviation.Register) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(totals{deviations})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
	return mux
}

// totals collects the deviations of institutions' answers.
type totals struct{ *deviation.Register }

var deviationsTotal = prometheus.NewDesc("samla_deviations_total",
	"Deviations of institutions' answers in completed collections since the node started; incomplete: with which data is missing.",
	[]string{"company", "kind", "incomplete"}, nil)

// Describe implements prometheus.Collector.
func (t totals) Describe(to chan<- *prometheus.Desc) { to <- deviationsTotal }

// Collect implements prometheus.Collector.
func (t totals) Collect(to chan<- prometheus.Metric) {
	for _, total := range t.Totals() {
		incomplete := "false"
		if total.Kind.Incomplete() {
			incomplete = "true"
		}
		to <- prometheus.MustNewConstMetric(deviationsTotal, prometheus.CounterValue, float64(total.N), total.Company, string(total.Kind), incomplete)
	}
}
