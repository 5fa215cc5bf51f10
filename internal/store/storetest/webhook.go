package storetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"samla/internal/client"
	"samla/internal/event"
	"samla/internal/store"
	"samla/internal/webhook"
)

func (f fixture) addEndpoint(c client.Client, events ...string) webhook.Endpoint {
	f.Helper()
	e := webhook.Endpoint{ID: newID(), ClientID: c.ID, State: webhook.Active, Events: events, CreatedAt: start, ChangedAt: start,
		Sealed: []byte{1, 0, 255}, Rev: 1}
	f.write(func(tx store.Tx) error { return tx.AddWebhookEndpoint(f.ctx, e) })
	return e
}

// fanOut adds events of a resource each, and their deliveries at the time now.
func (f fixture) fanOut(now time.Time, events ...event.Event) (added []event.Event, woken []string) {
	f.Helper()
	f.write(func(tx store.Tx) (err error) {
		for _, e := range events {
			if err := tx.AddEvent(f.ctx, e); err != nil {
				return err
			}
		}
		if added, err = tx.SequenceEvents(f.ctx, now, len(events)); err != nil {
			return err
		}
		woken, err = tx.FanOut(f.ctx, added, now)
		return err
	})
	slices.Sort(woken)
	return added, woken
}

func (f fixture) eventOf(resource string, t event.Type) event.Event {
	e := f.newEvent(t)
	e.Resource = resource
	return e
}

func (f fixture) due(endpointID string, lane webhook.Lane, now time.Time) []webhook.Delivery {
	f.Helper()
	all, err := f.s.DueDeliveries(f.ctx, endpointID, lane, now, 1000)
	if err != nil {
		f.Error(err)
	}
	return all
}

func eventIDs(ds []webhook.Delivery) []string {
	var ids []string
	for _, d := range ds {
		ids = append(ids, d.EventID)
	}
	return ids
}

func testWebhookEndpoints(_ *testing.T, f fixture) {
	other := f.addClient()
	a, b := f.addEndpoint(f.client, "COLLECTION", "CONSENT_FAILED"), f.addEndpoint(f.client)
	f.addEndpoint(other)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddWebhookEndpoint(f.ctx, a) })
	got, err := f.s.WebhookEndpoint(f.ctx, a.ID)
	check(f, "endpoint", got, err, a)
	all, err := f.s.WebhookEndpoints(f.ctx, f.client.ID)
	if diff := gocmp.Diff([]webhook.Endpoint{a, b}, all, cmpopts.EquateEmpty()); diff != "" || err != nil {
		f.Errorf("endpoints: %s, %v", diff, err)
	}
	_, err = f.s.WebhookEndpoint(f.ctx, newID())
	missing(f, "unknown", got, err)

	next := a.Pause(webhook.Gone, start.Add(time.Hour))
	next.Sealed, next.Events, next.FailingSince = []byte{7}, []string{"COLLECTION"}, start
	var put webhook.Endpoint
	f.write(func(tx store.Tx) (err error) {
		put, err = tx.PutWebhookEndpoint(f.ctx, next)
		return err
	})
	next.Rev, next.Dirty = 2, 1
	check(f, "put", put, nil, next)
	got, err = f.s.WebhookEndpoint(f.ctx, a.ID)
	check(f, "changed", got, err, next)
	rev, dirty, err := f.s.WebhookVersion(f.ctx, a.ID)
	check(f, "version", [2]int64{rev, dirty}, err, [2]int64{2, 1})
	f.fails(store.ErrConflict, func(tx store.Tx) error {
		_, err := tx.PutWebhookEndpoint(f.ctx, a)
		return err
	})
	f.write(func(tx store.Tx) error { return tx.SetWebhookFailing(f.ctx, b.ID, start.Add(time.Minute)) })
	got, err = f.s.WebhookEndpoint(f.ctx, b.ID)
	check(f, "failing", got.FailingSince, err, start.Add(time.Minute))

	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(f.ctx, other.ID, a.ID) })
	f.write(func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(f.ctx, f.client.ID, a.ID) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(f.ctx, f.client.ID, a.ID) })
	f.fails(store.ErrNotFound, func(tx store.Tx) error {
		_, err := tx.PutWebhookEndpoint(f.ctx, next)
		return err
	})
	_, err = f.s.WebhookEndpoint(f.ctx, a.ID)
	missing(f, "deleted", got, err)
	figures, err := f.s.WebhookFigures(f.ctx, start)
	check(f, "figures", figures, err, webhook.Figures{Active: 2})
}

func testFanOut(_ *testing.T, f fixture) {
	other := f.addClient()
	wants, paused := f.addEndpoint(f.client, "COLLECTION"), f.addEndpoint(f.client, "COLLECTION", "CONSENT_FAILED")
	foreign := f.addEndpoint(other, "COLLECTION")
	f.write(func(tx store.Tx) error {
		_, err := tx.PutWebhookEndpoint(f.ctx, paused.Pause(webhook.ByClient, start))
		return err
	})
	test := f.eventOf(wants.ID, event.TypeTest)
	added, woken := f.fanOut(start, f.eventOf("r", event.TypeCollection), f.eventOf("s", event.TypeConsentFailed), test)
	check(f, "woken", woken, nil, []string{wants.ID})
	got := f.due(wants.ID, webhook.Live, start.Add(time.Second))
	want := []webhook.Delivery{
		{EndpointID: wants.ID, EventID: added[0].ID, Seq: added[0].Seq, Resource: "r", Progress: webhook.Pending, DueAt: added[0].RecordedAt(), At: added[0].At, Body: added[0].Body},
		{EndpointID: wants.ID, EventID: test.ID, Seq: added[2].Seq, Resource: wants.ID, Progress: webhook.Pending, DueAt: added[2].RecordedAt(), At: test.At, Body: test.Body},
	}
	check(f, "deliveries", got, nil, want)
	check(f, "live deliveries of the paused one", len(f.due(paused.ID, webhook.Live, start.Add(time.Second))), nil, 0)
	check(f, "backlog of the paused one", eventIDs(f.due(paused.ID, webhook.Backlog, start.Add(time.Second))), nil, []string{added[0].ID, added[1].ID})
	rev, dirty, err := f.s.WebhookVersion(f.ctx, paused.ID)
	check(f, "version of the paused one", [2]int64{rev, dirty}, err, [2]int64{2, 2})
	check(f, "of another client", len(f.due(foreign.ID, webhook.Live, start.Add(time.Second))), nil, 0)
	figures, err := f.s.WebhookFigures(f.ctx, start.Add(time.Minute))
	check(f, "figures", figures, err, webhook.Figures{Active: 2, Paused: 1, Pending: 2, Oldest: time.Minute})

	// After the pause, a live event takes the backlog of its resource with it.
	paused, err = f.s.WebhookEndpoint(f.ctx, paused.ID)
	check(f, "state", paused.State, err, webhook.Paused)
	f.write(func(tx store.Tx) error {
		_, err := tx.PutWebhookEndpoint(f.ctx, paused.Resume(start))
		return err
	})
	more, woken := f.fanOut(start.Add(time.Minute), f.eventOf("s", event.TypeConsentFailed))
	check(f, "woken", woken, nil, []string{paused.ID})
	check(f, "live", eventIDs(f.due(paused.ID, webhook.Live, start.Add(time.Hour))), nil, []string{added[1].ID})
	d := want[0]
	d.EndpointID, d.EventID = paused.ID, added[1].ID
	f.write(func(tx store.Tx) error {
		d, err := f.s.WebhookDelivery(f.ctx, paused.ID, added[1].ID)
		if err != nil {
			return err
		}
		return tx.RecordAttempt(f.ctx, d.After(webhook.Outcome{Status: 204}, start, 0), webhook.Attempt{ID: newID()})
	})
	check(f, "live afterwards", eventIDs(f.due(paused.ID, webhook.Live, start.Add(time.Hour))), nil, []string{more[0].ID})
	check(f, "backlog", eventIDs(f.due(paused.ID, webhook.Backlog, start.Add(time.Hour))), nil, []string{added[0].ID})
}

// testResumeBesideFanOut resumes an endpoint while deliveries are being added to it. The
// node that gets it may look before these are committed, and must then be told.
func testResumeBesideFanOut(t *testing.T, f fixture) {
	e := f.addEndpoint(f.client, "COLLECTION")
	var paused webhook.Endpoint
	f.write(func(tx store.Tx) (err error) {
		paused, err = tx.PutWebhookEndpoint(f.ctx, e.Pause(webhook.ByClient, start))
		return err
	})
	for range 3 {
		resumed := make(chan webhook.Endpoint, 1)
		f.write(func(tx store.Tx) error {
			if err := tx.AddEvent(f.ctx, f.eventOf("r", event.TypeCollection)); err != nil {
				return err
			}
			added, err := tx.SequenceEvents(f.ctx, start, 10)
			if err != nil {
				return err
			}
			if _, err := tx.FanOut(f.ctx, added, start); err != nil {
				return err
			}
			go func() {
				var now webhook.Endpoint
				f.write(func(tx store.Tx) (err error) {
					now, err = tx.PutWebhookEndpoint(f.ctx, paused.Resume(start))
					return err
				})
				seen := f.due(e.ID, webhook.Backlog, start.Add(time.Hour)) // what the node sees that is woken by it
				_, dirty, err := f.s.WebhookVersion(f.ctx, e.ID)
				if len(seen) == 0 && dirty == now.Dirty || err != nil {
					t.Errorf("a delivery that nobody is told of, %v", err)
				}
				resumed <- now
			}()
			select { // it waits here, or has gone on before these deliveries can be seen
			case now := <-resumed:
				resumed <- now
			case <-time.After(10 * time.Millisecond):
			}
			return nil
		})
		now := <-resumed
		for _, d := range f.due(e.ID, webhook.Backlog, start.Add(time.Hour)) {
			f.write(func(tx store.Tx) error {
				return tx.RecordAttempt(f.ctx, d.After(webhook.Outcome{Status: 204}, start, 0), webhook.Attempt{ID: newID(), EndpointID: e.ID})
			})
		}
		f.write(func(tx store.Tx) (err error) {
			paused, err = tx.PutWebhookEndpoint(f.ctx, now.Pause(webhook.ByClient, start))
			return err
		})
	}
}

func testAttempts(_ *testing.T, f fixture) {
	e := f.addEndpoint(f.client, "COLLECTION")
	events, _ := f.fanOut(start, f.eventOf("r", event.TypeCollection), f.eventOf("r", event.TypeCollection), f.eventOf("s", event.TypeCollection))
	now := start.Add(time.Second)
	due := f.due(e.ID, webhook.Live, now)
	check(f, "the first of each resource", eventIDs(due), nil, []string{events[0].ID, events[2].ID})
	record := func(d webhook.Delivery, o webhook.Outcome) webhook.Attempt {
		d = d.After(o, now, 0)
		a := webhook.Attempt{ID: newID(), EndpointID: e.ID, EventID: d.EventID, Number: d.Total, At: now, Outcome: o, NextAt: d.DueAt}
		f.write(func(tx store.Tx) error { return tx.RecordAttempt(f.ctx, d, a) })
		return a
	}
	failed := record(due[0], webhook.Outcome{Status: 500, Err: webhook.StatusNot2xx, Took: time.Millisecond})
	stale := record(due[0], webhook.Outcome{Status: 200})
	d, err := f.s.WebhookDelivery(f.ctx, e.ID, due[0].EventID)
	check(f, "a stale attempt changes nothing", d.Progress, err, webhook.Pending)
	check(f, "while it waits", eventIDs(f.due(e.ID, webhook.Live, now)), nil, []string{events[2].ID})
	next, err := f.s.NextDelivery(f.ctx, e.ID, now)
	check(f, "next", next, err, d.DueAt)
	next, err = f.s.NextDelivery(f.ctx, e.ID, d.DueAt)
	check(f, "the end of the hold", next, err, d.HoldUntil)
	check(f, "after the hold", eventIDs(f.due(e.ID, webhook.Live, d.HoldUntil)), nil, []string{events[1].ID, events[2].ID, events[0].ID})
	log, err := f.s.WebhookAttempts(f.ctx, e.ID, store.Page{Limit: 10})
	stale.Number, failed.Number = 1, 1
	check(f, "log", log, err, []webhook.Attempt{stale, failed})
	log, err = f.s.WebhookAttempts(f.ctx, e.ID, store.Page{Limit: 10, After: stale.ID})
	check(f, "second page", log, err, []webhook.Attempt{failed})
	done := record(due[1], webhook.Outcome{Status: 200})
	d, err = f.s.WebhookDelivery(f.ctx, e.ID, due[1].EventID)
	check(f, "delivered", d.Progress, err, webhook.Delivered)

	n := 0
	count := func(fn func(tx store.Tx) (int, error)) int {
		f.write(func(tx store.Tx) (err error) {
			n, err = fn(tx)
			return err
		})
		return n
	}
	check(f, "moved", count(func(tx store.Tx) (int, error) { return tx.MoveToBacklog(f.ctx, e.ID, 10) }), nil, 2)
	check(f, "hastened", count(func(tx store.Tx) (int, error) { return tx.HastenBacklog(f.ctx, e.ID, now, 10) }), nil, 1)
	check(f, "backlog", eventIDs(f.due(e.ID, webhook.Backlog, now)), nil, []string{events[0].ID})
	check(f, "pending", must(f, func() (int, error) { return f.s.PendingDeliveries(f.ctx, e.ID, webhook.Backlog) }), nil, 2)
	if n := count(func(tx store.Tx) (int, error) { return tx.SweepWebhooks(f.ctx, start, 100) }); n != 0 {
		f.Errorf("swept %d rows too early", n)
	}
	_ = done
	if n := count(func(tx store.Tx) (int, error) { return tx.SweepWebhooks(f.ctx, start.Add(time.Minute), 100) }); n != 3 {
		f.Errorf("swept %d rows, want the deliveries", n) // the ids of the attempts have the time of the test
	}
	f.write(func(tx store.Tx) error { return tx.DeleteWebhookEndpoint(f.ctx, f.client.ID, e.ID) })
	check(f, "swept of the deleted", count(func(tx store.Tx) (int, error) { return tx.SweepWebhooks(f.ctx, start, 100) }), nil, 3)
	check(f, "its row", count(func(tx store.Tx) (int, error) { return tx.SweepWebhooks(f.ctx, start, 100) }), nil, 1)
	check(f, "nothing", count(func(tx store.Tx) (int, error) { return tx.SweepWebhooks(f.ctx, start, 100) }), nil, 0)
}

func must[T any](f fixture, fn func() (T, error)) T {
	f.Helper()
	v, err := fn()
	if err != nil {
		f.Error(err)
	}
	return v
}

// testDueDeliveriesModel compares the query with webhook.Delivery.Blocks on random states.
func testDueDeliveriesModel(t *testing.T, f fixture) {
	e := f.addEndpoint(f.client, "COLLECTION")
	r := rand.New(rand.NewPCG(1, 2))
	var events []event.Event
	for range 60 {
		events = append(events, f.eventOf(fmt.Sprint("r", r.IntN(6)), event.TypeCollection))
	}
	events, _ = f.fanOut(start, events...)
	now := start.Add(time.Minute)
	for round := range 200 {
		v := events[r.IntN(len(events))]
		d := must(f, func() (webhook.Delivery, error) { return f.s.WebhookDelivery(f.ctx, e.ID, v.ID) })
		f.write(func(tx store.Tx) error {
			if r.IntN(4) == 0 {
				return tx.ReplayEvent(f.ctx, e.ID, v, now)
			}
			o := webhook.Outcome{Status: 200}
			if r.IntN(3) > 0 {
				o = webhook.Outcome{Err: webhook.TimedOut}
			}
			if d.Progress != webhook.Pending {
				return nil
			}
			return tx.RecordAttempt(f.ctx, d.After(o, now, r.Float64()), webhook.Attempt{ID: newID(), EndpointID: e.ID})
		})
		if r.IntN(2) == 0 {
			now = now.Add(time.Duration(r.IntN(400)) * time.Second)
		}
		var all []webhook.Delivery
		for _, v := range events {
			all = append(all, must(f, func() (webhook.Delivery, error) { return f.s.WebhookDelivery(f.ctx, e.ID, v.ID) }))
		}
		for _, lane := range webhook.Lanes() {
			var want []webhook.Delivery
			for _, d := range all {
				blocked := slices.ContainsFunc(all, func(b webhook.Delivery) bool { return b.Blocks(d, now) })
				if d.Progress == webhook.Pending && d.Lane == lane && !d.DueAt.After(now) && !blocked {
					want = append(want, d)
				}
			}
			slices.SortFunc(want, func(a, b webhook.Delivery) int { return cmp.Or(a.DueAt.Compare(b.DueAt), cmp.Compare(a.Seq, b.Seq)) })
			if diff := gocmp.Diff(eventIDs(want), eventIDs(f.due(e.ID, lane, now)), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("round %d, lane %d (-want +got):\n%s", round, lane, diff)
			}
		}
	}
}

func testWebhookReplays(_ *testing.T, f fixture) {
	e := f.addEndpoint(f.client, "COLLECTION")
	var all []event.Event
	for range 5 {
		all = append(all, f.eventOf("r", event.TypeCollection))
	}
	all = append(all, f.eventOf("r", event.TypeConsentFailed))
	all, _ = f.fanOut(start, all...)
	now := start.Add(time.Minute)
	for i := range 3 { // two are pending
		d := must(f, func() (webhook.Delivery, error) { return f.s.WebhookDelivery(f.ctx, e.ID, all[i].ID) })
		f.write(func(tx store.Tx) error {
			return tx.RecordAttempt(f.ctx, d.After(webhook.Outcome{Status: 200}, now, 0), webhook.Attempt{ID: newID(), EndpointID: e.ID})
		})
	}
	_, err := f.s.WebhookReplay(f.ctx, e.ID)
	missing(f, "no replay", webhook.Replay{}, err)
	p := webhook.Replay{ID: newID(), EndpointID: e.ID, After: all[0].Seq, Before: all[5].Seq + 1, StartedAt: now}
	f.fails(store.ErrNotFound, func(tx store.Tx) error {
		_, err := tx.FeedReplay(f.ctx, e.ID, now, 10)
		return err
	})
	none := ""
	f.write(func(tx store.Tx) (err error) {
		p, err = tx.AddWebhookReplay(f.ctx, p, &none)
		return err
	})
	check(f, "total", p.Total, nil, 4)
	n, err := f.s.CountReplay(f.ctx, e.ID, p.After, p.Before)
	check(f, "counted before", n, err, 4)
	n, err = f.s.CountReplay(f.ctx, e.ID, p.After, all[1].Seq)
	check(f, "counted between two that follow each other", n, err, 0)
	f.fails(store.ErrExists, func(tx store.Tx) error {
		_, err := tx.AddWebhookReplay(f.ctx, p, nil)
		return err
	})
	got, err := f.s.WebhookReplay(f.ctx, e.ID)
	check(f, "replay", got, err, p)
	feed := func() (p webhook.Replay) {
		f.write(func(tx store.Tx) (err error) {
			p, err = tx.FeedReplay(f.ctx, e.ID, now, 3)
			return err
		})
		return p
	}
	check(f, "queued", feed().Queued, nil, 3)
	check(f, "all queued", feed().Queued, nil, 4)
	check(f, "what was delivered is replayed", eventIDs(f.due(e.ID, webhook.Replayed, now)), nil, []string{all[1].ID})
	check(f, "what is pending stays", eventIDs(f.due(e.ID, webhook.Live, now)), nil, []string{all[3].ID})
	check(f, "it runs", feed().Running(), nil, true)
	for _, i := range []int{1, 2} {
		d := must(f, func() (webhook.Delivery, error) { return f.s.WebhookDelivery(f.ctx, e.ID, all[i].ID) })
		f.write(func(tx store.Tx) error {
			return tx.RecordAttempt(f.ctx, d.After(webhook.Outcome{Status: 200}, now, 0), webhook.Attempt{ID: newID(), EndpointID: e.ID})
		})
	}
	check(f, "ended", feed().EndedAt, nil, now)
	for _, other := range []string{"", newID()} {
		f.fails(store.ErrConflict, func(tx store.Tx) error {
			_, err := tx.AddWebhookReplay(f.ctx, p, &other)
			return err
		})
	}
	last := p.ID
	p = webhook.Replay{ID: newID(), EndpointID: e.ID, After: all[5].Seq, Before: all[5].Seq + 1, StartedAt: now}
	f.write(func(tx store.Tx) (err error) {
		_, err = tx.AddWebhookReplay(f.ctx, p, &last)
		return err
	})
	f.fails(store.ErrExists, func(tx store.Tx) error {
		_, err := tx.AddWebhookReplay(f.ctx, p, &last)
		return err
	})
	check(f, "of no event", feed().EndedAt, nil, now)
	f.write(func(tx store.Tx) (err error) {
		_, err = tx.AddWebhookReplay(f.ctx, p, nil)
		return err
	})
}

func testWebhookLease(_ *testing.T, f fixture) {
	e := f.addEndpoint(f.client, "COLLECTION")
	claim := func(now time.Time) []store.Job {
		return must(f, func() ([]store.Job, error) {
			return f.s.Claim(f.ctx, store.Webhooks, now, time.Minute, store.ClaimLimit{Rows: 10})
		})
	}
	release := func(lease time.Time, dirty int64, next time.Time) (ok bool) {
		f.write(func(tx store.Tx) (err error) {
			ok, err = tx.ReleaseWebhook(f.ctx, e.ID, lease, dirty, next)
			return err
		})
		return ok
	}
	check(f, "a new endpoint is not due", len(claim(start)), nil, 0)
	f.fanOut(start, f.eventOf("r", event.TypeCollection))
	jobs := claim(start)
	if len(jobs) != 1 || jobs[0].ID != e.ID || jobs[0].Company != f.client.ID {
		f.Fatalf("claimed %+v", jobs)
	}
	lease := jobs[0].LeaseEnds
	check(f, "without news", release(lease, 0, time.Time{}), nil, false)
	f.fanOut(start, f.eventOf("r", event.TypeCollection))
	check(f, "events do not break a lease", len(claim(start)), nil, 0)
	check(f, "news", release(lease, 1, time.Time{}), nil, false)
	check(f, "another lease", release(lease.Add(time.Second), 2, time.Time{}), nil, false)
	check(f, "released", release(lease, 2, start.Add(time.Hour)), nil, true)
	check(f, "not due", len(claim(start.Add(time.Minute*59))), nil, 0)
	f.fanOut(start, f.eventOf("r", event.TypeCollection))
	check(f, "due by an event", len(claim(start)), nil, 1)
}
