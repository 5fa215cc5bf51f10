package webhooks

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"samla/internal/clock"
	"samla/internal/store"
	"samla/internal/webhook"
	"samla/internal/webhook/post"
)

const (
	window = 64 // deliveries that are read at once
	// maxUnrecorded is how many attempts may wait for their record. They are made again
	// if the process dies.
	maxUnrecorded = 64
	// linger is how long a courier without work keeps its lease, and poll how often it
	// looks meanwhile for events that other nodes have put in order.
	linger = 2 * time.Second
	poll   = 250 * time.Millisecond
	// feed is how many events of a replay are added at once.
	feed = 256
)

// courier delivers to one endpoint as long as this node has its lease. One goroutine, run,
// decides; attempts and their records are made by others.
type courier struct {
	d           *Dispatcher
	id, company string
	ctx         context.Context
	cancel      context.CancelFunc
	done        chan struct{}
	wake        chan struct{}
	stopping    chan struct{}
	stop        func() // begins no more attempts

	mu    sync.Mutex
	until time.Time // of the lease

	// Only run uses these.
	endpoint webhook.Endpoint
	secrets  webhook.Confidential
	receiver *post.Receiver
	url      string
	due      []webhook.Delivery // read, and not begun
	loadedAt time.Time          // when they were read
	stale    bool               // reading again may give more
	news     bool               // and what goes first
	busy     map[string]bool    // events in flight, or not recorded
	held     map[string]bool    // their resources
	inFlight int
	results  []result // not recorded, and not being recorded
	records  int      // being recorded
	finished chan result
	recorded chan record
	writing  sync.WaitGroup // the record that is being made
}

// result is an attempt that was made, or was not.
type result struct {
	webhook.Delivery
	outcome webhook.Outcome
	at      time.Time
	begun   bool
	rev     int64 // of the endpoint that it was made to
}

// record is what was recorded.
type record struct {
	results []result
	failing time.Time // as stored
}

func newCourier(ctx context.Context, d *Dispatcher, j store.Job) *courier {
	ctx, cancel := context.WithCancel(ctx)
	c := &courier{d: d, id: j.ID, company: j.Company, ctx: ctx, cancel: cancel, done: make(chan struct{}), wake: make(chan struct{}, 1),
		stopping: make(chan struct{}), until: j.LeaseEnds, busy: map[string]bool{}, held: map[string]bool{},
		finished: make(chan result, post.Connections), recorded: make(chan record, 1)}
	c.stop = sync.OnceFunc(func() { close(c.stopping) })
	return c
}

func (c *courier) leaseEnds() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.until
}

func (c *courier) renewed(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = until
}

// order is what waits for each other: a resource, its replays apart.
func order(d webhook.Delivery) string {
	if d.Lane == webhook.Replayed {
		return "replay " + d.Resource
	}
	return d.Resource
}

// run delivers until there is nothing to do, the lease is lost or the node stops.
func (c *courier) run() {
	defer func() {
		c.writing.Wait() // it must not come after those of the next courier
		if c.receiver != nil {
			c.receiver.Close()
		}
	}()
	c.stale = true
	for failed := 0; c.ctx.Err() == nil; {
		more, err := c.step()
		if err == nil {
			failed = 0
			if more {
				continue
			}
			return
		}
		if errors.Is(err, store.ErrNotFound) {
			return // the endpoint was deleted
		}
		failed++
		if c.ctx.Err() == nil {
			c.d.Log.Error("webhooks cannot be delivered, it is tried again", "endpoint", c.id, "error", err)
		}
		_ = clock.Sleep(c.ctx, c.d.Clock, clock.Backoff(failed, poll, 10*time.Second))
	}
}

// step begins what can begin and waits for what happens next. It reports false when the
// lease was given back.
func (c *courier) step() (more bool, err error) {
	if (c.news && !c.hasLive() || c.stale && c.startable() < 0) && len(c.results)+c.records < maxUnrecorded && !c.isStopping() {
		c.stale, c.news = false, false
		if err := c.load(); err != nil {
			c.stale = true
			return false, err
		}
	}
	c.begin()
	c.beginRecord()
	if c.inFlight == 0 && c.records == 0 && len(c.results) == 0 && len(c.due) == 0 && !c.stale || c.isStopping() && c.inFlight == 0 && c.records == 0 && len(c.results) == 0 {
		return c.idle()
	}
	stopping := c.stopping
	if c.isStopping() {
		stopping = nil
	}
	select {
	case r := <-c.finished:
		c.inFlight--
		if r.begun {
			c.results = append(c.results, r)
		} else {
			c.free(r.Delivery)
			c.stale, c.due = true, nil
		}
	case r := <-c.recorded:
		c.records = 0
		c.stale = true
		for _, one := range r.results {
			c.free(one.Delivery)
		}
		c.endpoint.FailingSince = r.failing
	case <-c.wake:
		c.stale, c.news = true, true
	case <-stopping:
		c.due = nil
	case <-c.ctx.Done():
		for ; c.inFlight > 0; c.inFlight-- {
			<-c.finished
		}
		return false, nil
	}
	return true, nil
}

func (c *courier) isStopping() bool {
	select {
	case <-c.stopping:
		return true
	default:
		return false
	}
}

func (c *courier) free(d webhook.Delivery) {
	delete(c.busy, d.EventID)
	delete(c.held, order(d))
}

// startable returns the position in due of the first delivery that nothing here keeps
// waiting, or -1.
func (c *courier) startable() int {
	for i := range c.due {
		if !c.held[order(c.due[i])] {
			return i
		}
	}
	return -1
}

// hasLive reports whether a live delivery can begin: then news can wait.
func (c *courier) hasLive() bool {
	i := c.startable()
	return i >= 0 && c.due[i].Lane == webhook.Live
}

// load reads the endpoint and its due deliveries, in the order of the lanes.
func (c *courier) load() error {
	e, err := c.d.Store.WebhookEndpoint(c.ctx, c.id)
	if err != nil {
		return err
	}
	if e.Rev != c.endpoint.Rev {
		if c.secrets, err = opened(c.ctx, c.d.Vault, e); err != nil {
			return err
		}
		if c.url != c.secrets.URL || c.receiver == nil {
			if c.receiver != nil {
				c.receiver.Close()
			}
			c.url, c.receiver = c.secrets.URL, c.d.Client.Receiver(c.secrets.URL)
		}
	}
	c.endpoint, c.due = e, nil
	if e.State != webhook.Active {
		return nil
	}
	now := c.d.Clock.Now()
	c.loadedAt = now
	for _, lane := range webhook.Lanes() {
		if err := c.loadLane(lane, now); err != nil {
			return err
		}
		if len(c.due) >= post.Connections {
			break
		}
	}
	return nil
}

func (c *courier) loadLane(lane webhook.Lane, now time.Time) error {
	// Those in flight and not recorded are due too.
	all, err := c.d.Store.DueDeliveries(c.ctx, c.id, lane, now, window+len(c.busy))
	if err != nil {
		return err
	}
	if lane == webhook.Replayed && len(all) == 0 {
		if all, err = c.feedReplay(now); err != nil {
			return err
		}
	}
	for _, d := range all {
		if !c.busy[d.EventID] && !c.held[order(d)] {
			c.due = append(c.due, d)
		}
	}
	return nil
}

// feedReplay adds the next events of a replay and reads them.
func (c *courier) feedReplay(now time.Time) ([]webhook.Delivery, error) {
	r, err := c.d.Store.WebhookReplay(c.ctx, c.id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !r.Running() {
		return nil, nil
	}
	if err == nil {
		err = c.d.Store.Write(c.ctx, func(tx store.Tx) error {
			_, err := tx.FeedReplay(c.ctx, c.id, now, feed)
			return err
		})
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return c.d.Store.DueDeliveries(c.ctx, c.id, webhook.Replayed, now, window)
}

// begin begins attempts while connections are free.
func (c *courier) begin() {
	for c.inFlight < post.Connections && len(c.results)+c.records < maxUnrecorded && !c.isStopping() {
		i := c.startable()
		if i < 0 {
			if len(c.due) > 0 { // the rest waits for what is in flight
				c.due, c.stale = nil, true
			}
			return
		}
		d := c.due[i]
		c.due = append(c.due[:i:i], c.due[i+1:]...)
		c.busy[d.EventID], c.held[order(d)] = true, true
		c.inFlight++
		go c.attempt(d, c.endpoint.Rev, c.secrets, c.receiver)
	}
}

// Reasons why an attempt must not be made any more.
var (
	errChanged  = errors.New("webhooks: the endpoint has changed")
	errNotBegun = errors.New("webhooks: the lease ends, or the store does not answer")
)

// attempt makes one attempt, unless the endpoint has changed or the lease could end before it.
func (c *courier) attempt(d webhook.Delivery, rev int64, secrets webhook.Confidential, receiver *post.Receiver) {
	r := result{Delivery: d, rev: rev}
	var refused error
	ended := func(webhook.Outcome) {}
	sign := func(h http.Header) error {
		now, _, err := c.d.Store.WebhookVersion(c.ctx, c.id)
		r.at = c.d.Clock.Now()
		if err == nil && now != rev {
			refused = errChanged
		} else if err != nil || c.ctx.Err() != nil || c.leaseEnds().Sub(r.at) < webhook.Timeout {
			refused = errNotBegun
		}
		if refused != nil {
			return refused
		}
		ended = c.d.Trace(h)
		return webhook.Sign(h, secrets.Secrets(r.at), d.EventID, r.at, d.Body)
	}
	r.outcome, r.begun = receiver.Post(c.ctx, sign, d.Body)
	if errors.Is(refused, errNotBegun) {
		_ = clock.Sleep(c.ctx, c.d.Clock, poll) // the store or the renewal of the lease may need a while
	}
	if refused != nil || c.ctx.Err() != nil && !r.outcome.Success() {
		r.begun = false
	}
	if r.begun {
		ended(r.outcome)
	}
	c.finished <- r
}

// beginRecord records the attempts that wait for it, together.
func (c *courier) beginRecord() {
	if c.records > 0 || len(c.results) == 0 {
		return
	}
	batch, e := c.results, c.endpoint
	c.results, c.records = nil, len(batch)
	c.writing.Go(func() {
		if failing, ok := c.record(batch, e); ok { // else the courier ends
			c.recorded <- record{batch, failing}
		}
	})
}

// record stores attempts, again and again until it succeeds or the courier ends.
func (c *courier) record(batch []result, e webhook.Endpoint) (failing time.Time, ok bool) {
	now := c.d.Clock.Now()
	next := e
	type row struct {
		d webhook.Delivery
		a webhook.Attempt
	}
	rows := make([]row, len(batch))
	for i, r := range batch {
		d := r.Delivery.After(r.outcome, now, c.d.random())
		if r.rev == e.Rev {
			next = next.After(r.outcome, r.at, c.d.PauseAfter)
		}
		rows[i] = row{d, webhook.Attempt{ID: c.d.IDs.New(), EndpointID: c.id, EventID: d.EventID, Number: d.Total, At: r.at, Outcome: r.outcome, NextAt: d.DueAt}}
	}
	write := func(tx store.Tx) error {
		for _, r := range rows {
			if err := tx.RecordAttempt(c.ctx, r.d, r.a); err != nil {
				return err
			}
		}
		if next.State == webhook.Active && !next.FailingSince.Equal(e.FailingSince) {
			return tx.SetWebhookFailing(c.ctx, c.id, next.FailingSince)
		}
		return nil
	}
	for failed := 0; ; {
		err := c.d.Store.Write(c.ctx, write)
		if err == nil && next.State != e.State {
			err = c.pause(next, e.Rev)
		}
		if err == nil {
			break
		}
		failed++
		if c.ctx.Err() != nil {
			return failing, false
		}
		c.d.Log.Error("attempts of webhooks cannot be recorded, it is tried again", "endpoint", c.id, "error", err)
		if clock.Sleep(c.ctx, c.d.Clock, clock.Backoff(failed, poll, 5*time.Second)) != nil {
			return failing, false
		}
	}
	for _, r := range batch {
		o := Observation{Outcome: r.outcome, First: r.Total == 0}
		if o.First {
			o.Waited = r.at.Sub(time.UnixMicro(r.Seq))
		}
		c.d.Observe(o)
	}
	return next.FailingSince, true
}

// pause stores that the endpoint is paused, unless it was changed meanwhile.
func (c *courier) pause(paused webhook.Endpoint, rev int64) error {
	changed := false
	_, err := store.UpdateWebhookEndpoint(c.ctx, c.d.Store, c.id, func(old webhook.Endpoint) (webhook.Endpoint, func(store.Tx) error, error) {
		if changed = old.Rev == rev; !changed {
			return old, nil, store.ErrUnchanged
		}
		return old.Pause(paused.Reason, paused.ChangedAt), nil, nil
	})
	if changed && err == nil {
		c.d.Log.Warn("a webhook endpoint is paused", "endpoint", c.id, "client", c.company, "reason", string(paused.Reason),
			"remedy", "Its client resumes it with POST /webhook-endpoints/{id}/resume; events are kept for 30 days.")
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// idle waits a while for something to do, and then gives the lease back.
func (c *courier) idle() (more bool, err error) {
	var next time.Time
	if c.endpoint.State == webhook.Active {
		if next, err = c.d.Store.NextDelivery(c.ctx, c.id, c.loadedAt); err != nil {
			return false, err
		}
	}
	for end := c.d.Clock.Now().Add(linger); c.endpoint.State == webhook.Active && !c.isStopping(); {
		now := c.d.Clock.Now()
		if c.stale = !next.IsZero() && !next.After(now); c.stale {
			return true, nil
		}
		if !now.Before(end) {
			break
		}
		wait := poll
		if !next.IsZero() {
			wait = min(wait, next.Sub(now))
		}
		if c.stale, err = c.wait(wait); c.stale || err != nil {
			return err == nil, err
		}
	}
	return c.release(next)
}

// wait waits for news, and looks for those of other nodes.
func (c *courier) wait(d time.Duration) (news bool, err error) {
	timer := c.d.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.wake:
		return true, nil
	case <-timer.C():
	case <-c.stopping:
		return false, nil
	case <-c.ctx.Done():
		return false, c.ctx.Err()
	}
	_, dirty, err := c.d.Store.WebhookVersion(c.ctx, c.id)
	return dirty != c.endpoint.Dirty, err
}

// release gives the lease back. It reports that there is more to do if news came in between.
func (c *courier) release(next time.Time) (more bool, err error) {
	if c.isStopping() && c.endpoint.State == webhook.Active {
		next = c.d.Clock.Now() // another node looks whether there is more
	}
	released := false
	err = c.d.Store.Write(c.ctx, func(tx store.Tx) (err error) {
		released, err = tx.ReleaseWebhook(c.ctx, c.id, c.leaseEnds(), c.endpoint.Dirty, next)
		return err
	})
	if err == nil && !released && c.isStopping() {
		return false, nil // the lease ends by itself
	}
	c.stale = true
	return !released, err
}
