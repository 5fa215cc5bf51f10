package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/api"
)

// requests counts answered requests of the API.
type requests struct {
	answered *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newRequests(r registerer) requests {
	return requests{
		answered: r.counters("samla_http_requests_total", "Requests of the API that were answered, by the class of their status; none: the client was gone.",
			"method", "route", "version", "class"),
		took: r.histograms("samla_http_request_duration_seconds", "Time from the header of a request to the last byte of its answer.", shortBuckets,
			"method", "route", "version"),
	}
}

// ObserveRoute returns what counts the requests of one route (api.Config.Observe).
func (r requests) ObserveRoute(route api.Route) api.RequestObserver {
	return &routeCounter{all: r, labels: []string{route.Method, route.Pattern, route.Version}}
}

// classes are the classes of a status.
var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// routeCounter counts the requests of one route. It looks its series up once: a status poll
// costs two additions.
type routeCounter struct {
	all     requests
	labels  []string
	classes [len(classes)]atomic.Pointer[prometheus.Counter]
	took    atomic.Pointer[prometheus.Observer]
}

// Observe implements api.RequestObserver.
func (c *routeCounter) Observe(status int, took time.Duration) {
	class := min(max(status/100, 0), len(classes)-1)
	counter := c.classes[class].Load()
	if counter == nil {
		found := c.all.answered.WithLabelValues(append(c.labels[:len(c.labels):len(c.labels)], classes[class])...)
		counter = &found
		c.classes[class].Store(counter)
	}
	(*counter).Inc()
	histogram := c.took.Load()
	if histogram == nil {
		found := c.all.took.WithLabelValues(c.labels...)
		histogram = &found
		c.took.Store(histogram)
	}
	(*histogram).Observe(took.Seconds())
}
