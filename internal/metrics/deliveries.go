package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/webhook"
	"samla/internal/webhooks"
)

// delivered is the outcome of an attempt that succeeded.
const delivered = "DELIVERED"

var (
	attemptOutcomes = setOf(append(webhook.Errors(), delivered)...)
	eventTypes      = setOf(event.Types()...)
)

// deliveries counts events and the attempts to deliver them.
type deliveries struct {
	clock          clock.Clock
	attempts       *prometheus.CounterVec
	took, waited   prometheus.Histogram
	sequenced      *prometheus.CounterVec
	sequencedAfter prometheus.Histogram
}

func newDeliveries(r registerer, c clock.Clock) deliveries {
	return deliveries{clock: c,
		attempts: r.counters("samla_webhook_attempts_total", "Attempts to deliver events to webhook endpoints that were recorded.", "outcome"),
		took:     r.histogram("samla_webhook_attempt_duration_seconds", "Time of these attempts until the status line, or the failure.", callBuckets),
		waited: r.histogram("samla_webhook_first_attempt_wait_seconds", "Time from the place of an event in the list to the first attempt to deliver it.",
			waitBuckets),
		sequenced:      r.counters("samla_events_total", "Events that this node gave their place in the list; the sum over the nodes is that of all events.", "type"),
		sequencedAfter: r.histogram("samla_event_lag_seconds", "Time from the transaction of an event until it had its place.", waitBuckets),
	}
}

// Attempt counts an attempt (webhooks.DispatcherDeps.Observe).
func (d deliveries) Attempt(o webhooks.Observation) {
	outcome := string(o.Outcome.Err)
	if o.Outcome.Success() {
		outcome = delivered
	}
	d.attempts.WithLabelValues(attemptOutcomes.of(outcome)).Inc()
	d.took.Observe(o.Outcome.Took.Seconds())
	if o.First {
		d.waited.Observe(max(o.Waited, 0).Seconds())
	}
}

// Sequenced counts events that have got their place (events.Deps.Sequenced).
func (d deliveries) Sequenced(all []event.Event) {
	now := d.clock.Now()
	for _, e := range all {
		d.sequenced.WithLabelValues(eventTypes.of(string(e.Type))).Inc()
		d.sequencedAfter.Observe(max(now.Sub(e.At), 0).Seconds())
	}
}
