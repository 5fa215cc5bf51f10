package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"samla/internal/apiclient"
	"samla/internal/client"
	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/store"
	"samla/internal/webhook/post"
)

// WebhooksResult is what delivering to one endpoint costs.
type WebhooksResult struct {
	Store     string        `json:"store"`
	Rate      float64       `json:"rate"`  // events delivered and recorded a second
	Limit     float64       `json:"limit"` // bare POSTs a second to the same receiver, over as many connections
	Ratio     float64       `json:"ratio"`
	Delay50   time.Duration `json:"delay50Ns"` // from the commit of an event to its first attempt at the receiver
	Delay99   time.Duration `json:"delay99Ns"`
	Delivered int           `json:"delivered"`
}

// String returns a line.
func (r WebhooksResult) String() string {
	return fmt.Sprintf("webhooks %s: %.0f events/s of %.0f bare POSTs/s (%.2f); from commit to receiver p50 %v, p99 %v", r.Store, r.Rate, r.Limit, r.Ratio,
		r.Delay50.Round(10*time.Microsecond), r.Delay99.Round(10*time.Microsecond))
}

// machine is the clock of what is measured.
var machine = clock.System()

const (
	hookBatch = 2000 // events of a round
	hookDelay = 300  // events whose delay is measured, one at a time
)

// arrivals are when the receiver got which event.
type arrivals struct {
	mu   sync.Mutex
	at   map[string]time.Time
	more chan struct{}
}

func (a *arrivals) serve(w http.ResponseWriter, r *http.Request) {
	now, id := machine.Now(), r.Header.Get("X-Insurely-Event-Id")
	writeBare(w, http.StatusOK, nil)
	a.mu.Lock()
	if _, known := a.at[id]; !known {
		a.at[id] = now
	}
	a.mu.Unlock()
	select {
	case a.more <- struct{}{}:
	default:
	}
}

// wait waits until so many events have arrived.
func (a *arrivals) wait(ctx context.Context, n int) error {
	for {
		a.mu.Lock()
		got := len(a.at)
		a.mu.Unlock()
		if got >= n {
			return nil
		}
		select {
		case <-a.more:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d events arrived: %w", got, n, ctx.Err())
		}
	}
}

// Webhooks measures deliveries to one endpoint. Events that were kept are delivered, rounds times,
// beside a loop of bare POSTs of the same body over as many connections. Then single
// events are added, and the delay of their first attempt is measured.
func Webhooks(ctx context.Context, c Config) (r WebhooksResult, err error) {
	l, end, err := c.start(ctx)
	if err != nil {
		return r, err
	}
	defer end()
	s := l.Server.Store()
	r.Store = s.Kind()
	got := &arrivals{at: map[string]time.Time{}, more: make(chan struct{}, 1)}
	receiver, err := serveHandler(ctx, got.serve)
	if err != nil {
		return r, err
	}
	defer receiver.Close()
	api := &apiclient.Client{Base: l.Server.URL(), APIKey: l.APIKey, HTTP: &http.Client{}}
	key, err := s.APIKeyByHash(ctx, client.HashOf(l.APIKey))
	if err != nil {
		return r, err
	}
	e, err := api.CreateWebhookEndpoint(ctx, "http://"+receiver.address+"/hook", nil)
	if err != nil {
		return r, err
	}
	newEvent := func(i int) event.Event {
		id := uuid.Must(uuid.NewV7()).String()
		return event.Event{ID: id, ClientID: key.ClientID, Type: event.TypeCollection, Version: "2026-04-01", Resource: fmt.Sprint("bench-", i%500),
			At: machine.Now(), Body: []byte(`{"collectionId":"c0ffee00-1234-5678-9abc-def012345678","status":"COMPLETED","eventId":"` + id + `","timestamp":"2026-06-11T09:21:44.512Z"}`)}
	}
	var rates, limits []float64
	for range c.Rounds {
		bare, err := runCallers(ctx, receiver.address, post.Connections, c.Duration, barePost(newEvent(0)))
		if err != nil {
			return r, err
		}
		limits = append(limits, float64(bare)/c.Duration.Seconds())
		rate, err := r.deliver(ctx, s, api, e.ID, got, newEvent)
		if err != nil {
			return r, err
		}
		rates = append(rates, rate)
	}
	r.Rate, r.Limit = middle(rates), middle(limits)
	r.Ratio = r.Rate / r.Limit
	delays, err := delaysOf(ctx, s, got, newEvent)
	if err != nil {
		return r, err
	}
	slices.Sort(delays)
	r.Delay50, r.Delay99 = delays[len(delays)/2], delays[len(delays)*99/100]
	return r, nil
}

func middle(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// barePost sends the body of an event with a header of about the same size.
func barePost(e event.Event) func(*conn, int) error {
	request := fmt.Appendf(nil, "POST /hook HTTP/1.1\r\nHost: receiver\r\nContent-Type: application/json\r\nX-Insurely-Event-Id: bare\r\n"+
		"X-Insurely-Signature: %064d\r\nwebhook-id: %s\r\nwebhook-signature: v1,%044d\r\nContent-Length: %d\r\n\r\n%s", 0, e.ID, 0, len(e.Body), e.Body)
	return func(c *conn, _ int) error {
		status, body, err := c.do(request)
		if err != nil {
			return err
		}
		return checkStatus(http.StatusOK, status, body)
	}
}

// deliver adds events while the endpoint is paused, and measures the rate at which they
// arrive after it was resumed.
func (r *WebhooksResult) deliver(ctx context.Context, s store.Store, api *apiclient.Client, id string, got *arrivals, newEvent func(int) event.Event) (float64, error) {
	if err := api.PauseWebhookEndpoint(ctx, id, true); err != nil {
		return 0, err
	}
	got.mu.Lock()
	got.at = map[string]time.Time{}
	got.mu.Unlock()
	if err := s.Write(ctx, func(tx store.Tx) error {
		for i := range hookBatch {
			if err := tx.AddEvent(ctx, newEvent(i)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return 0, err
	}
	for waiting := true; waiting; {
		var err error
		if waiting, err = s.UnsequencedEvents(ctx); err != nil {
			return 0, err
		}
		if err := clock.Sleep(ctx, machine, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	start := machine.Now()
	if err := api.PauseWebhookEndpoint(ctx, id, false); err != nil {
		return 0, err
	}
	if err := got.wait(ctx, hookBatch); err != nil {
		return 0, err
	}
	r.Delivered += hookBatch
	return hookBatch / machine.Now().Sub(start).Seconds(), nil
}

// delaysOf adds events one at a time and returns from the commit of each to its arrival.
func delaysOf(ctx context.Context, s store.Store, got *arrivals, newEvent func(int) event.Event) ([]time.Duration, error) {
	got.mu.Lock()
	got.at = map[string]time.Time{}
	got.mu.Unlock()
	var delays []time.Duration
	for i := range hookDelay {
		e := newEvent(i)
		if err := s.Write(ctx, func(tx store.Tx) error { return tx.AddEvent(ctx, e) }); err != nil {
			return nil, err
		}
		committed := machine.Now()
		if err := got.wait(ctx, i+1); err != nil {
			return nil, err
		}
		got.mu.Lock()
		delays = append(delays, max(got.at[e.ID].Sub(committed), 0))
		got.mu.Unlock()
		if err := clock.Sleep(ctx, machine, 3*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return delays, nil
}
