package webhooks

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/event"
	"samla/internal/jobs"
	"samla/internal/seal"
	"samla/internal/store"
	"samla/internal/uuid7"
	"samla/internal/webhook"
	"samla/internal/webhook/post"
)

const (
	lease         = jobs.Lease
	renewInterval = lease / 4
	claimInterval = jobs.Interval
	maxClaim      = 64
	// maxEndpoints is how many endpoints a node delivers to at once, of which one client
	// gets half at most. Each has a few goroutines and connections.
	maxEndpoints = 1024
	// PauseAfter is the default of DispatcherDeps.PauseAfter.
	PauseAfter = 5 * 24 * time.Hour
)

// DispatcherDeps is what the dispatcher works with. Observe and Trace may be nil.
type DispatcherDeps struct {
	Store  store.Store
	Vault  seal.Vault
	Clock  clock.Clock
	IDs    *uuid7.Generator
	Log    *slog.Logger
	Client *post.Client
	Random io.Reader // for the jitter of retries; nil = none
	// PauseAfter is how long all attempts may fail before an endpoint is paused; 0 = 5
	// days.
	PauseAfter time.Duration
	Observe    func(Observation) // is called for each attempt that was recorded
	// Trace is called with the header of each attempt when it begins. end is called when
	// it has ended, unless it was not made.
	Trace func(http.Header) (end func(webhook.Outcome))
}

// Observation is what a metric can count of an attempt.
type Observation struct {
	Outcome webhook.Outcome
	First   bool          // of its event and endpoint
	Waited  time.Duration // of a first attempt: from the record of the event to its beginning
}

// Dispatcher delivers. Each node has one. The row of an endpoint is a job: the node that
// has its lease delivers to it, with a courier of its own. So no endpoint waits for another one, and the
// clients share the couriers.
type Dispatcher struct {
	DispatcherDeps
	signal chan struct{}

	mu       sync.Mutex
	slots    jobs.Slots
	couriers map[string]*courier
	woken    map[string]bool // endpoints of events that are being put in order

	quit, abandon context.CancelFunc
	loops, all    sync.WaitGroup
}

// NewDispatcher returns a dispatcher that does not run yet.
func NewDispatcher(d DispatcherDeps) *Dispatcher {
	if d.PauseAfter <= 0 {
		d.PauseAfter = PauseAfter
	}
	if d.Observe == nil {
		d.Observe = func(Observation) {}
	}
	if d.Trace == nil {
		d.Trace = func(http.Header) func(webhook.Outcome) { return func(webhook.Outcome) {} }
	}
	return &Dispatcher{DispatcherDeps: d, signal: make(chan struct{}, 1), slots: jobs.NewSlots(maxEndpoints), couriers: map[string]*courier{}, woken: map[string]bool{}}
}

// FanOut adds the deliveries of events, in the transaction that gives them their position
// (events.FanOut).
func (d *Dispatcher) FanOut(ctx context.Context, tx store.Tx, all []event.Event) error {
	ids, err := tx.FanOut(ctx, all, d.Clock.Now())
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		d.woken[id] = true
	}
	return err
}

// Sequenced wakes the couriers after that transaction.
func (d *Dispatcher) Sequenced([]event.Event) {
	d.mu.Lock()
	woken := d.woken
	d.woken = map[string]bool{}
	d.mu.Unlock()
	for id := range woken {
		d.Wake(id)
	}
}

// Wake says that deliveries of an endpoint may be due. It never blocks.
func (d *Dispatcher) Wake(endpointID string) {
	d.mu.Lock()
	c := d.couriers[endpointID]
	d.mu.Unlock()
	if c != nil {
		signal(c.wake)
	}
	signal(d.signal) // the courier may be about to end
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Start starts to deliver. It ends with Stop and not with ctx.
func (d *Dispatcher) Start(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	loop, quit := context.WithCancel(ctx)
	couriers, abandon := context.WithCancel(ctx)
	d.quit, d.abandon = quit, abandon
	d.loops.Go(func() { d.claimLoop(loop, couriers) })
	d.loops.Go(func() { d.renewLoop(couriers) })
}

// grace is how long Stop waits for attempts in flight.
const grace = 2 * time.Second

// Stop begins no more attempts, gives those in flight two seconds, and cancels the others:
// they are made again. It waits until ctx ends.
func (d *Dispatcher) Stop(ctx context.Context) error {
	if d.quit == nil {
		return nil
	}
	d.quit()
	d.mu.Lock()
	for _, c := range d.couriers {
		c.stop()
	}
	d.mu.Unlock()
	done := make(chan struct{})
	go func() {
		d.all.Wait()
		d.abandon()
		d.loops.Wait()
		close(done)
	}()
	timer := d.Clock.NewTimer(grace)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return nil
		case <-timer.C():
			d.abandon()
		case <-ctx.Done():
			d.abandon()
			return ctx.Err()
		}
	}
}

// claimLoop claims due endpoints until ctx ends. couriers is the context of their couriers.
func (d *Dispatcher) claimLoop(ctx, couriers context.Context) {
	for failed := 0; ctx.Err() == nil; {
		d.mu.Lock()
		limit, _ := d.slots.Limit(min(max(d.slots.Free(), 0), maxClaim))
		d.mu.Unlock()
		var claimed []store.Job
		var err error
		if limit.Rows > 0 {
			claimed, err = d.Store.Claim(ctx, store.Webhooks, d.Clock.Now(), lease, limit)
		}
		for _, j := range claimed {
			d.start(couriers, j)
		}
		if len(claimed) > 0 {
			failed = 0
			continue
		}
		wait := claimInterval
		if err != nil {
			failed++
			wait = clock.Backoff(failed, claimInterval, 10*time.Second)
			if ctx.Err() == nil {
				d.Log.Error("due webhook endpoints cannot be claimed", "error", err)
			}
		}
		timer := d.Clock.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-d.signal:
		case <-timer.C():
		}
		timer.Stop()
	}
}

// start runs a courier for a claimed endpoint, after the one that it may still have.
func (d *Dispatcher) start(ctx context.Context, j store.Job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.couriers[j.ID]
	c := newCourier(ctx, d, j)
	d.couriers[j.ID] = c
	d.slots.Take(j.Company)
	d.all.Go(func() {
		defer d.ended(c)
		if before != nil {
			before.cancel() // its lease is lost
			<-before.done
		}
		c.run()
	})
}

func (d *Dispatcher) ended(c *courier) {
	c.cancel()
	close(c.done)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.couriers[c.id] == c {
		delete(d.couriers, c.id)
	}
	d.slots.Release(c.company)
	signal(d.signal)
}

// renewLoop renews the leases of all couriers until ctx ends.
func (d *Dispatcher) renewLoop(ctx context.Context) {
	for clock.Sleep(ctx, d.Clock, renewInterval) == nil {
		d.renew(ctx)
	}
}

// renew renews all leases with one statement for those that end together. A courier whose
// lease is lost ends. While the store does not answer, couriers begin no attempt that could
// last longer than their lease.
func (d *Dispatcher) renew(ctx context.Context) {
	var leases []store.Lease
	holders := map[string]*courier{}
	d.mu.Lock()
	for id, c := range d.couriers {
		leases = append(leases, store.Lease{ID: id, Until: c.leaseEnds()})
		holders[id] = c
	}
	d.mu.Unlock()
	if len(leases) == 0 {
		return
	}
	until := d.Clock.Now().Add(lease).Truncate(time.Microsecond)
	limited, cancel := context.WithTimeout(ctx, lease/2)
	defer cancel()
	held, err := d.Store.RenewLeases(limited, store.Webhooks, leases, until)
	if err != nil {
		if ctx.Err() == nil {
			d.Log.Error("leases of webhook endpoints cannot be renewed", "leases", len(leases), "error", err)
		}
		return
	}
	for _, id := range held {
		holders[id].renewed(until)
		delete(holders, id)
	}
	for _, l := range leases {
		if c := holders[l.ID]; c != nil && c.leaseEnds().Equal(l.Until) {
			c.cancel()
		}
	}
}

// random returns the jitter of a retry, in [0, 1).
func (d *Dispatcher) random() float64 {
	var b [4]byte
	if d.Random != nil {
		d.mu.Lock()
		_, _ = io.ReadFull(d.Random, b[:]) // without randomness there is no jitter
		d.mu.Unlock()
	}
	return float64(binary.BigEndian.Uint32(b[:])) / (1 << 32)
}
