package metrics

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/webhook"
)

// SampleInterval is the time between two reads of the store. A scrape reads nothing.
const SampleInterval = 15 * time.Second

// sampleTimeout bounds the reads of one sample.
const sampleTimeout = 10 * time.Second

// samples are gauges of what lies in the store.
type samples struct {
	up, at                        prometheus.Gauge
	due, oldestDue, parked        *prometheus.GaugeVec
	endpoints                     *prometheus.GaugeVec
	pending, oldestPending        prometheus.Gauge
	unchained                     prometheus.Gauge
	epochs, oldestEpoch, newEpoch prometheus.Gauge
}

func newSamples(r registerer) samples {
	return samples{
		up:            r.gauge("samla_store_up", "1: the database answered the last sample; 0: it did not, and the other samples are older."),
		at:            r.gauge("samla_sample_timestamp_seconds", "When the figures of queues, webhooks, keys and the audit log were read last."),
		due:           r.gauges("samla_queue_due", "Rows that are due and that no worker has taken, 100000 at most.", "queue"),
		oldestDue:     r.gauges("samla_queue_oldest_due_seconds", "How long the first of these rows has been due.", "queue"),
		parked:        r.gauges("samla_queue_parked", "Rows whose handler failed too often and that wait for an operator, 100000 at most.", "queue"),
		endpoints:     r.gauges("samla_webhook_endpoints", "Webhook endpoints.", "state"),
		pending:       r.gauge("samla_webhook_pending", "Deliveries to active endpoints that have not succeeded yet."),
		oldestPending: r.gauge("samla_webhook_oldest_pending_seconds", "How long the oldest of these has been due."),
		unchained:     r.gauge("samla_audit_unchained_age_seconds", "Age of the oldest entry of the audit log that is not chained; 0: there is none."),
		epochs:        r.gauge("samla_epoch_keys", "Epoch keys in the key directory."),
		oldestEpoch:   r.gauge("samla_epoch_oldest_timestamp_seconds", "When the epoch of the oldest epoch key began; 0: there is none."),
		newEpoch:      r.gauge("samla_epoch_newest_timestamp_seconds", "When the epoch of the newest epoch key began; 0: there is none."),
	}
}

// SamplerDeps is what a Sampler reads.
type SamplerDeps struct {
	Store interface {
		QueueFigures(ctx context.Context, q store.Queue, now time.Time) (store.QueueFigures, error)
		WebhookFigures(ctx context.Context, now time.Time) (webhook.Figures, error)
		UnchainedEntries(ctx context.Context, limit int) ([]audit.Entry, error)
	}
	Epochs func() ([]seal.EpochID, error) // that have a key, oldest first
	Clock  clock.Clock
	Log    *slog.Logger
}

// Sample reads the store at once and then each SampleInterval, until ctx ends.
func (m *Metrics) Sample(ctx context.Context, d SamplerDeps) {
	for {
		if err := m.sampleOnce(ctx, d); err != nil && ctx.Err() == nil {
			d.Log.Error("the figures for metrics could not be read", "error", err)
		}
		if clock.Sleep(ctx, d.Clock, SampleInterval) != nil {
			return
		}
	}
}

// sampleOnce reads everything. A database that fails leaves the figures as they are.
func (m *Metrics) sampleOnce(ctx context.Context, d SamplerDeps) error {
	limited, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	now := d.Clock.Now()
	err := m.sampleStore(limited, d, now)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		m.up.Set(0)
	} else {
		m.up.Set(1)
		m.at.Set(float64(now.UnixMilli()) / 1e3)
	}
	return errors.Join(err, m.sampleEpochs(d))
}

func (m *Metrics) sampleStore(ctx context.Context, d SamplerDeps, now time.Time) error {
	for _, q := range store.Queues() {
		f, err := d.Store.QueueFigures(ctx, q, now)
		if err != nil {
			return err
		}
		m.due.WithLabelValues(q.String()).Set(float64(f.Due))
		m.oldestDue.WithLabelValues(q.String()).Set(f.OldestDue.Seconds())
		m.parked.WithLabelValues(q.String()).Set(float64(f.Parked))
	}
	hooks, err := d.Store.WebhookFigures(ctx, now)
	if err != nil {
		return err
	}
	m.endpoints.WithLabelValues(string(webhook.Active)).Set(float64(hooks.Active))
	m.endpoints.WithLabelValues(string(webhook.Paused)).Set(float64(hooks.Paused))
	m.pending.Set(float64(hooks.Pending))
	m.oldestPending.Set(hooks.Oldest.Seconds())
	entries, err := d.Store.UnchainedEntries(ctx, 1)
	if err != nil {
		return err
	}
	age := time.Duration(0)
	if len(entries) > 0 {
		age = max(now.Sub(entries[0].At), 0)
	}
	m.unchained.Set(age.Seconds())
	return nil
}

func (m *Metrics) sampleEpochs(d SamplerDeps) error {
	ids, err := d.Epochs()
	if err != nil {
		return err
	}
	m.epochs.Set(float64(len(ids)))
	if len(ids) > 0 {
		oldest, _ := ids[0].Begin()
		newest, _ := ids[len(ids)-1].Begin()
		m.oldestEpoch.Set(float64(oldest.Unix()))
		m.newEpoch.Set(float64(newest.Unix()))
	}
	return nil
}
