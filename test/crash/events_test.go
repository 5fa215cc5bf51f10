package crash

import (
	"context"
	"slices"
	"strings"
	"time"
)

// event is an event in the list of the API.
type event struct {
	EventID, Type string
	Body          struct{ ConsentID, CollectionID, Status string }
}

func (e event) String() string {
	return strings.Join([]string{e.EventID, e.Type, e.Body.ConsentID + e.Body.CollectionID, e.Body.Status}, " ")
}

// readEvents reads the list of events after a cursor until no more follow, and returns the
// cursor to go on with.
func (w *worker) readEvents(ctx context.Context, cursor string, got []event) (string, []event) {
	for ctx.Err() == nil {
		path := "/events?limit=200"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		var page struct {
			Events []event
			Cursor string
			More   bool
		}
		a, err := w.do(ctx, request{method: "GET", path: path})
		if a.decode(&page); err != nil || a.status != 200 || page.Cursor == "" {
			if ctx.Err() == nil {
				w.recorder.addFault("the list of events: %d %s", a.status, a.body)
			}
			break
		}
		if cursor, got = page.Cursor, append(got, page.Events...); !page.More {
			break
		}
	}
	return cursor, got
}

// followEvents follows the list through the kills, until ctx ends.
func (r *crashTest) followEvents(ctx context.Context) {
	w := &worker{crashTest: r}
	for pause(ctx, 100*time.Millisecond) {
		cursor, got := w.readEvents(ctx, r.cursor, r.followed)
		if ctx.Err() != nil {
			return // the last answer may be half a one
		}
		r.cursor, r.followed = cursor, got
	}
}

// checkEvents checks that every state has its event and every event its state, and that the
// follower has the list as it is.
func (r *crashTest) checkEvents(ctx context.Context) {
	w := &worker{crashTest: r}
	var missing, surplus []string
	// The events of the last commits may still wait for their place.
	for deadline := time.Now().Add(resumeTimeout); ; {
		r.cursor, r.followed = w.readEvents(ctx, r.cursor, r.followed)
		missing, surplus = r.compareEvents(ctx)
		if len(missing)+len(surplus) == 0 || time.Now().After(deadline) || !pause(ctx, time.Second) {
			break
		}
	}
	for _, m := range missing {
		r.addLost("the event of %s", m)
	}
	for _, s := range surplus {
		r.recorder.addFault("an event without its state: %s", s)
	}
	if _, all := w.readEvents(ctx, "", nil); !slices.Equal(all, r.followed) {
		r.recorder.addFault("a follower has %d events, the list %d, or in another order", len(r.followed), len(all))
	}
}

// compareEvents compares what the follower has with the rows: which states have no event,
// and which events no state, or a second one.
func (r *crashTest) compareEvents(ctx context.Context) (missing, surplus []string) {
	r.Helper()
	told := map[string]int{}
	for _, e := range r.followed {
		if e.Body.ConsentID+e.Body.CollectionID == "" {
			continue // of an account or a plan
		}
		told[strings.Join([]string{e.Type, e.Body.ConsentID + e.Body.CollectionID, e.Body.Status}, " ")]++
	}
	take := func(kind, id, status string) {
		name := kind + " " + id + " " + status
		if told[name]--; told[name] < 0 {
			missing = append(missing, name)
		}
	}
	for _, c := range r.readConsents(ctx) {
		if c.collectionID != "" {
			continue
		}
		if c.granted != "" {
			take("CONSENT_AUTHORIZED", c.id, "AUTHORIZED")
		}
		if c.status == "REVOKED" || c.status == "EXPIRED" || c.status == "FAILED" {
			take("CONSENT_"+c.status, c.id, c.status)
		}
	}
	for id, status := range r.readCollections(ctx) {
		if !unfinished[status] {
			take("COLLECTION", id, status)
		}
	}
	for name, n := range told {
		if n > 0 {
			surplus = append(surplus, name)
		}
	}
	return missing, surplus
}
