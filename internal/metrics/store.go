package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/store"
	"samla/internal/store/sqlstore"
)

// outages are the words for the reasons of outages.
var outages = map[store.Outage]string{store.Unreachable: "UNREACHABLE", store.Locked: "LOCKED", store.DiskFull: "DISK_FULL", store.TimedOut: "TIMED_OUT"}

// transactions counts what the store does.
type transactions struct {
	committed, undone prometheus.Counter
	took, size, disk  prometheus.Histogram
	outages           *prometheus.CounterVec
}

func newTransactions(r registerer) transactions {
	ended := r.counters("samla_store_transactions_total", "Transactions that write; UNDONE: they failed, or had nothing to change.", "result")
	t := transactions{
		committed: ended.WithLabelValues("COMMITTED"), undone: ended.WithLabelValues("UNDONE"),
		took:    r.histogram("samla_store_transaction_duration_seconds", "Time of transactions that write, with the wait for their turn and their commit.", shortBuckets),
		size:    r.histogram("samla_store_commit_transactions", "Transactions that share one commit (SQLite; PostgreSQL: always 1).", []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}),
		disk:    r.histogram("samla_store_commit_duration_seconds", "Time of commits alone.", shortBuckets),
		outages: r.counters("samla_store_outages_total", "Reads and writes that failed because the database could not serve.", "reason"),
	}
	for _, word := range outages {
		t.outages.WithLabelValues(word)
	}
	return t
}

// Transaction implements sqlstore.Observer.
func (t transactions) Transaction(took time.Duration, undone bool, outage store.Outage) {
	if undone {
		t.undone.Inc()
	} else {
		t.committed.Inc()
	}
	t.took.Observe(took.Seconds())
	t.Outage(outage)
}

// Commit implements sqlstore.Observer.
func (t transactions) Commit(shared int, took time.Duration) {
	t.size.Observe(float64(shared))
	t.disk.Observe(took.Seconds())
}

// Outage counts a call of the store that failed by an outage; "" is none.
func (t transactions) Outage(o store.Outage) {
	if word, ok := outages[o]; ok {
		t.outages.WithLabelValues(word).Inc()
	}
}

var (
	poolDesc      = prometheus.NewDesc("samla_store_connections", "Connections to the database: those that read (SQLite), or all (PostgreSQL).", []string{"state"}, nil)
	poolWaits     = prometheus.NewDesc("samla_store_connection_waits_total", "Waits for a free connection to the database.", nil, nil)
	poolWaitsTime = prometheus.NewDesc("samla_store_connection_wait_seconds_total", "Time of these waits.", nil, nil)
)

// ObservePool adds the state of the store's connections. It is called once.
func (m *Metrics) ObservePool(state func() sqlstore.Pool) { m.registry.MustRegister(pool{state}) }

type pool struct{ state func() sqlstore.Pool }

// Describe implements prometheus.Collector.
func (pool) Describe(to chan<- *prometheus.Desc) {
	to <- poolDesc
	to <- poolWaits
	to <- poolWaitsTime
}

// Collect implements prometheus.Collector.
func (p pool) Collect(to chan<- prometheus.Metric) {
	s := p.state()
	for state, n := range map[string]int{"max": s.Max, "open": s.Open, "in_use": s.InUse} {
		to <- prometheus.MustNewConstMetric(poolDesc, prometheus.GaugeValue, float64(n), state)
	}
	to <- prometheus.MustNewConstMetric(poolWaits, prometheus.CounterValue, float64(s.Waits))
	to <- prometheus.MustNewConstMetric(poolWaitsTime, prometheus.CounterValue, s.Waited.Seconds())
}
