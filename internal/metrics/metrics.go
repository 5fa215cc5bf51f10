// Package metrics counts what a node does, for Prometheus. It observes: the parts of a node
// tell it what has ended (requests, calls, transactions, attempts), and a Sampler reads at an
// interval what lies in the store. A scrape reads memory only.
//
// The values of labels come from closed sets: the companies of the banks file, routes of
// the contract, and kinds. A value outside its set is counted as "other". No label has an
// id, an address, or anything else that a caller or an institution can choose.
package metrics

import (
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"samla/internal/clock"
	"samla/internal/deviation"
	"samla/internal/institution"
)

// other stands for every value that is not in the set of its label.
const other = "other"

// set is the values that a label can have.
type set map[string]bool

func setOf[T ~string](values ...T) set {
	s := set{}
	for _, v := range values {
		s[string(v)] = true
	}
	return s
}

// of returns the value if the set has it.
func (s set) of(value string) string {
	if s[value] {
		return value
	}
	return other
}

// Config is what is measured. All members are required.
type Config struct {
	Institutions institution.Institutions
	Deviations   *deviation.Register
	Clock        clock.Clock
}

// Metrics has the figures of one node. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	requests
	calls
	signing
	flows
	transactions
	deliveries
	samples
}

// New returns figures that are all zero.
func New(c Config) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	r := registerer{m.registry}
	m.requests = newRequests(r)
	m.calls = newCalls(r, c.Institutions)
	m.signing = newSigning(r, c.Institutions)
	m.flows = newFlows(r)
	m.transactions = newTransactions(r)
	m.deliveries = newDeliveries(r, c.Clock)
	m.samples = newSamples(r)
	r.MustRegister(totals{c.Deviations}, certificates{c.Institutions}, signatures{c.Institutions}, buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers GET /metrics with the figures in the text format of Prometheus. It
// belongs on a listener of its own that clients of the API cannot reach.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	return mux
}

// maxScrapes is how many scrapes are answered at the same time.
const maxScrapes = 4

// buildInfo says which program runs.
func buildInfo() prometheus.Collector {
	version, revision := "devel", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "samla_build_info", Help: "1; which program runs.",
		ConstLabels: prometheus.Labels{"version": version, "revision": revision, "go": runtime.Version()}}, func() float64 { return 1 })
}

// registerer makes and registers families.
type registerer struct{ prometheus.Registerer }

func (r registerer) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func (r registerer) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	r.MustRegister(c)
	return c
}

func (r registerer) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	r.MustRegister(v)
	return v
}

func (r registerer) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	r.MustRegister(g)
	return g
}

func (r registerer) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(v)
	return v
}

func (r registerer) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
	r.MustRegister(h)
	return h
}

// Buckets in seconds. Those of short work end where a client has given up.
var (
	shortBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	callBuckets  = []float64{.01, .025, .05, .1, .25, .5, 1, 2, 5, 12}
	waitBuckets  = []float64{.005, .025, .1, .5, 1, 5, 30, 300, 3600}
)
