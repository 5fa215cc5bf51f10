package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/authorize"
	"samla/internal/institution"
)

var (
	returns   = setOf(authorize.ReturnOutcomes()...)
	exchanges = setOf(authorize.ExchangeOutcomes()...)
	refreshes = setOf(authorize.RefreshOutcomes()...)
)

// signing counts what comes of persons who sign on pages of institutions, and of tokens. It
// implements authorize.Observer.
type signing struct {
	companies                      companies
	returned, exchanged, refreshed *prometheus.CounterVec
}

var _ authorize.Observer = signing{}

func newSigning(r registerer, all institution.Institutions) signing {
	return signing{companies: companies{all},
		returned: r.counters("samla_returns_total", "Browsers that came back from a page of an institution, and short codes that were typed, by what came of it.",
			"company", "outcome"),
		exchanged: r.counters("samla_exchanges_total", "Exchanges of what persons came back with, by what came of it.", "company", "outcome"),
		refreshed: r.counters("samla_token_refreshes_total", "Access tokens that had to be replaced, by what came of it.", "company", "outcome"),
	}
}

// Returned implements authorize.Observer.
func (s signing) Returned(company string, o authorize.ReturnOutcome) {
	s.returned.WithLabelValues(s.companies.of(company), returns.of(string(o))).Inc()
}

// Exchanged implements authorize.Observer.
func (s signing) Exchanged(company string, o authorize.ExchangeOutcome) {
	s.exchanged.WithLabelValues(s.companies.of(company), exchanges.of(string(o))).Inc()
}

// Refreshed implements authorize.Observer.
func (s signing) Refreshed(company string, o authorize.RefreshOutcome) {
	s.refreshed.WithLabelValues(s.companies.of(company), refreshes.of(string(o))).Inc()
}

var outageDesc = prometheus.NewDesc("samla_token_outage_suspected",
	"1: the institution refuses the tokens of many persons; it is asked seldom, and no consent ends by it before a day is over.", []string{"company"}, nil)

// ObserveOutages adds the suspected outages, as authorize.Service.SuspectedOutages lists
// them. It is called once.
func (m *Metrics) ObserveOutages(suspected func() []string) {
	m.registry.MustRegister(tokenOutages{m.signing.companies, suspected})
}

type tokenOutages struct {
	companies companies
	suspected func() []string
}

// Describe implements prometheus.Collector.
func (tokenOutages) Describe(to chan<- *prometheus.Desc) { to <- outageDesc }

// Collect implements prometheus.Collector.
func (o tokenOutages) Collect(to chan<- prometheus.Metric) {
	seen := set{}
	for _, id := range o.suspected() {
		if company := o.companies.of(id); !seen[company] {
			seen[company] = true
			to <- prometheus.MustNewConstMetric(outageDesc, prometheus.GaugeValue, 1, company)
		}
	}
}
