package store

import (
	"context"
	"time"

	"samla/internal/event"
	"samla/internal/webhook"
)

// WebhookReader reads the endpoints of webhooks, and their deliveries and attempts. A
// deleted endpoint is not found.
type WebhookReader interface {
	// WebhookEndpoint reads an endpoint of any client.
	WebhookEndpoint(ctx context.Context, id string) (webhook.Endpoint, error)
	// WebhookEndpoints lists the endpoints of a client, oldest first.
	WebhookEndpoints(ctx context.Context, clientID string) ([]webhook.Endpoint, error)
	// WebhookVersion reads what changes of an endpoint: Rev and Dirty.
	WebhookVersion(ctx context.Context, id string) (rev, dirty int64, err error)
	// WebhookDelivery reads a delivery, without At and Body.
	WebhookDelivery(ctx context.Context, endpointID, eventID string) (webhook.Delivery, error)
	// DueDeliveries lists deliveries of a lane that are due at the time now and that no
	// other delivery blocks (webhook.Delivery.Blocks), longest due first, at most limit.
	DueDeliveries(ctx context.Context, endpointID string, lane webhook.Lane, now time.Time, limit int) ([]webhook.Delivery, error)
	// NextDelivery returns the next time after now at which a delivery of the endpoint
	// becomes due or stops to block others, or zero if there is none.
	NextDelivery(ctx context.Context, endpointID string, now time.Time) (time.Time, error)
	// PendingDeliveries counts the pending deliveries of a lane.
	PendingDeliveries(ctx context.Context, endpointID string, lane webhook.Lane) (int, error)
	// WebhookAttempts lists the attempts of an endpoint, newest first.
	WebhookAttempts(ctx context.Context, endpointID string, p Page) ([]webhook.Attempt, error)
	// WebhookReplay reads the last replay of a range.
	WebhookReplay(ctx context.Context, endpointID string) (webhook.Replay, error)
	// CountReplay counts the events that a replay between two positions would have.
	CountReplay(ctx context.Context, endpointID string, after, before int64) (int, error)
	// WebhookFigures sums up all endpoints.
	WebhookFigures(ctx context.Context, now time.Time) (webhook.Figures, error)
}

// WebhookWriter writes them. Whatever makes a delivery due also makes its endpoint due in
// the queue Webhooks, unless a node has a lease on it: that node sees Dirty grow. Dirty of
// a paused endpoint grows too, so that a transaction that resumes it comes before or after.
type WebhookWriter interface {
	// AddWebhookEndpoint stores an endpoint. Errors: ErrExists.
	AddWebhookEndpoint(ctx context.Context, e webhook.Endpoint) error
	// PutWebhookEndpoint stores what can change of an endpoint if its Rev is still e.Rev,
	// and returns it with the next Rev. Errors: ErrNotFound, ErrConflict.
	PutWebhookEndpoint(ctx context.Context, e webhook.Endpoint) (webhook.Endpoint, error)
	// SetWebhookFailing stores since when all attempts fail; zero: they do not. It does
	// not change Rev.
	SetWebhookFailing(ctx context.Context, id string, since time.Time) error
	// DeleteWebhookEndpoint deletes an endpoint of a client, its URL and its secrets. The
	// sweep deletes its deliveries and attempts. Errors: ErrNotFound.
	DeleteWebhookEndpoint(ctx context.Context, clientID, id string) error

	// FanOut adds a delivery of each event to each endpoint of its client that gets its
	// type: to the lane Live, or Backlog while the endpoint is paused. A test is added to
	// the endpoint that it is about. The events follow each other in Seq, as
	// SequenceEvents has returned them in this transaction. It returns the ids of the
	// endpoints that have become due.
	FanOut(ctx context.Context, events []event.Event, now time.Time) (endpoints []string, err error)
	// RecordAttempt stores a delivery as it is after its next attempt (webhook.Delivery.After),
	// and the attempt. A delivery that is no longer pending, or has had another attempt
	// meanwhile, stays as it is; the attempt is stored nevertheless.
	RecordAttempt(ctx context.Context, d webhook.Delivery, a webhook.Attempt) error
	// ReleaseWebhook gives back the lease that ends at lease and makes the endpoint due at
	// the time next (zero = never). It reports false and does nothing if the lease is lost,
	// or if Dirty is no longer dirty.
	ReleaseWebhook(ctx context.Context, id string, lease time.Time, dirty int64, next time.Time) (bool, error)
	// MoveToBacklog moves up to limit pending deliveries from Live to Backlog, and
	// returns how many.
	MoveToBacklog(ctx context.Context, endpointID string, limit int) (int, error)
	// HastenBacklog makes up to limit deliveries due that wait for a retry, and returns
	// how many.
	HastenBacklog(ctx context.Context, endpointID string, now time.Time, limit int) (int, error)
	// ReplayEvent makes an event due for an endpoint as webhook.Delivery.Replay says; an
	// event that never had a delivery there gets one.
	ReplayEvent(ctx context.Context, endpointID string, e event.Event, now time.Time) error
	// AddWebhookReplay starts a replay of the events of the endpoint's client between two
	// positions whose types the endpoint gets, and returns it with their number. Errors: ErrNotFound, ErrExists while another
	// one runs; ErrConflict if after is not nil and the endpoint's last replay has another id
	// ("" = there was none).
	AddWebhookReplay(ctx context.Context, r webhook.Replay, after *string) (webhook.Replay, error)
	// FeedReplay adds up to limit of the next events of the running replay to the lane
	// Replayed. Without a next event and a pending one it ends the replay. Errors: ErrNotFound when no
	// replay runs.
	FeedReplay(ctx context.Context, endpointID string, now time.Time, limit int) (webhook.Replay, error)
	// SweepWebhooks deletes up to limit deliveries, and as many attempts, of events with
	// a Seq less than before and of deleted endpoints, and returns how many rows.
	SweepWebhooks(ctx context.Context, before time.Time, limit int) (int, error)
}

// UpdateWebhookEndpoint changes one endpoint, as UpdateConsent does a consent.
func UpdateWebhookEndpoint(ctx context.Context, s interface {
	WebhookReader
	Transactor
}, id string, change Change[webhook.Endpoint]) (webhook.Endpoint, error) {
	read := func() (webhook.Endpoint, error) { return s.WebhookEndpoint(ctx, id) }
	put := func(tx Tx, old, next webhook.Endpoint) (webhook.Endpoint, error) {
		next.ID, next.ClientID, next.CreatedAt, next.Rev = old.ID, old.ClientID, old.CreatedAt, old.Rev
		return tx.PutWebhookEndpoint(ctx, next)
	}
	return update(ctx, s, read, put, change)
}
