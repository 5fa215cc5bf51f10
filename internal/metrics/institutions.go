package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/deviation"
	"samla/internal/fault"
	"samla/internal/institution"
	"samla/internal/institution/intercept"
)

// What a call has in the label kind when it has not failed.
const (
	served    = "OK"
	cancelled = "CANCELLED" // by this server
	nobody    = "NONE"      // is to blame
)

var (
	verbs        = setOf(institution.Verbs()...)
	kinds        = setOf(append(institution.ErrorKinds(), served, cancelled)...)
	attributions = setOf(fault.ByClient, fault.ByBank, fault.BySamla, fault.ByUser, nobody)
)

// calls counts calls to institutions.
type calls struct {
	companies companies
	ended     *prometheus.CounterVec
	took      *prometheus.HistogramVec
}

// companies are the values of the label company: those that the server knows now.
type companies struct{ institution.Institutions }

// of returns a company id, or what stands for all that are not known.
func (c companies) of(id string) string {
	if _, known := c.Find(id); known {
		return id
	}
	return other
}

func newCalls(r registerer, all institution.Institutions) calls {
	return calls{companies: companies{all},
		ended: r.counters("samla_institution_calls_total", "Calls to institutions that have ended, by how, and by who caused a failure.",
			"company", "verb", "kind", "attribution"),
		took: r.histograms("samla_institution_call_duration_seconds", "Time of calls to institutions that were not cancelled by this server.", callBuckets,
			"company", "verb"),
	}
}

// Observe implements intercept.Observer.
func (c calls) Observe(o intercept.Outcome) {
	company, verb := c.companies.of(o.Company), verbs.of(string(o.Verb))
	kind, by := string(o.Kind), string(o.Attribution)
	switch {
	case o.Cancelled:
		kind, by = cancelled, nobody
	case kind == "":
		kind, by = served, nobody
	case by == "":
		by = nobody
	}
	c.ended.WithLabelValues(company, verb, kinds.of(kind), attributions.of(by)).Inc()
	if !o.Cancelled {
		c.took.WithLabelValues(company, verb).Observe(o.Duration.Seconds())
	}
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

// certificates collects when our certificates end.
type certificates struct{ institution.Institutions }

var certificateExpiry = prometheus.NewDesc("samla_certificate_expiry_timestamp_seconds",
	"When our certificate at an institution ends; of several with one use the first.", []string{"company", "use"}, nil)

// Describe implements prometheus.Collector.
func (certificates) Describe(to chan<- *prometheus.Desc) { to <- certificateExpiry }

// Collect implements prometheus.Collector.
func (c certificates) Collect(to chan<- prometheus.Metric) {
	for _, i := range c.All() {
		id := i.Company.ID
		sorted := slices.SortedFunc(slices.Values(i.Certificates), func(a, b institution.Certificate) int { return a.Until.Compare(b.Until) })
		seen := set{}
		for _, one := range sorted {
			if !seen[one.Use] {
				seen[one.Use] = true
				to <- prometheus.MustNewConstMetric(certificateExpiry, prometheus.GaugeValue, float64(one.Until.Unix()), id, one.Use)
			}
		}
	}
}

// signatures collects what signing requests to institutions takes.
type signatures struct{ institution.Institutions }

var (
	signaturesTotal = prometheus.NewDesc("samla_signatures_total", "Signatures of requests to institutions; result FAILED: not made, or its caller had gone.",
		[]string{"company", "result"}, nil)
	signatureSeconds  = prometheus.NewDesc("samla_signature_seconds_total", "Time of signatures, with their wait for a processor.", []string{"company"}, nil)
	signatureWait     = prometheus.NewDesc("samla_signature_wait_seconds_total", "Wait of signatures for a processor.", []string{"company"}, nil)
	signaturesWaiting = prometheus.NewDesc("samla_signatures_waiting", "Requests whose signatures wait for a processor now.", []string{"company"}, nil)
)

// Describe implements prometheus.Collector.
func (signatures) Describe(to chan<- *prometheus.Desc) {
	to <- signaturesTotal
	to <- signatureSeconds
	to <- signatureWait
	to <- signaturesWaiting
}

// Collect implements prometheus.Collector.
func (s signatures) Collect(to chan<- prometheus.Metric) {
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	for _, i := range s.All() {
		id := i.Company.ID
		if i.Signatures == nil {
			continue
		}
		f := i.Signatures()
		to <- prometheus.MustNewConstMetric(signaturesTotal, counter, float64(f.Signed), id, "SIGNED")
		to <- prometheus.MustNewConstMetric(signaturesTotal, counter, float64(f.Failed), id, "FAILED")
		to <- prometheus.MustNewConstMetric(signatureSeconds, counter, f.Took.Seconds(), id)
		to <- prometheus.MustNewConstMetric(signatureWait, counter, f.Waited.Seconds(), id)
		to <- prometheus.MustNewConstMetric(signaturesWaiting, gauge, float64(f.Waiting), id)
	}
}
