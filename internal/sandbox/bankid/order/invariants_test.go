package order_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/sandbox/bankid/order"
)

var persons = rapid.SampledFrom([]string{"", anna, bo})

func events() *rapid.Generator[order.Event] {
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) order.Event { return order.Open{By: persons.Draw(t, "by")} }),
		rapid.Custom(func(t *rapid.T) order.Event { return order.Approve{By: persons.Draw(t, "by")} }),
		rapid.Custom(func(t *rapid.T) order.Event {
			return order.FailApproval{By: persons.Draw(t, "by"), Hint: "certificateErr"}
		}),
		rapid.SampledFrom([]order.Event{order.Decline{}, order.Cancel{}, order.Collect{}, order.Collect{}}),
	)
}

// pauses generates short durations, and durations just before, at and after a limit.
func pauses() *rapid.Generator[time.Duration] {
	var edges []time.Duration
	for _, limit := range []time.Duration{order.ReadingTime, order.OpenWithin, order.FinishWithin, order.KeepFailed} {
		edges = append(edges, limit-1, limit, limit+1)
	}
	return rapid.OneOf(
		rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "pause"))
		}),
		rapid.SampledFrom(edges),
	)
}

// rank orders the states. The rank of an order never decreases.
func rank(o order.Order) int {
	switch {
	case o.Status != order.Pending:
		return 3
	case o.Hint == order.UserSign:
		return 2
	case o.Hint == order.Started:
		return 1
	}
	return 0
}

func TestOrder_KeepsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := order.New(persons.Draw(t, "expected"), persons.Draw(t, "requirement"), start)
		now, collected := start, 0
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			now = now.Add(pauses().Draw(t, "pause"))
			e := events().Draw(t, "event")
			before := o
			var err error
			o, err = order.Apply(o, e, now)

			if rank(o) < rank(before) {
				t.Fatalf("%T changed the order from %s/%s to %s/%s", e, before.Status, before.Hint, o.Status, o.Hint)
			}
			if err != nil && o != before.Advance(now) {
				t.Fatalf("%T returned %v and changed the order", e, err)
			}
			if before.Status != order.Pending {
				before.Collected = o.Collected
				if o != before {
					t.Fatalf("%T changed an ended order", e)
				}
			}
			if _, ok := e.(order.Collect); ok && err == nil && o.Status != order.Pending {
				collected++
			}
			checkInvariants(t, o, now)
		}
		if collected > 1 {
			t.Fatalf("the result was collected %d times", collected)
		}
	})
}

func checkInvariants(t *rapid.T, o order.Order, now time.Time) {
	if o.Status == order.Pending {
		limit := order.OpenWithin
		if o.Opened() {
			limit = order.FinishWithin
		}
		if now.Sub(o.StartedAt) >= limit {
			t.Fatalf("still %s/%s after %v", o.Status, o.Hint, now.Sub(o.StartedAt))
		}
		if !o.EndedAt.IsZero() {
			t.Fatal("a pending order has an end")
		}
		return
	}
	if o.EndedAt.IsZero() || o.EndedAt.After(now) || o.EndedAt.Sub(o.StartedAt) > order.FinishWithin {
		t.Fatalf("ended %v after its start", o.EndedAt.Sub(o.StartedAt))
	}
	if o.Opened() && o.OpenedAt.Sub(o.StartedAt) >= order.OpenWithin {
		t.Fatalf("opened %v after its start", o.OpenedAt.Sub(o.StartedAt))
	}
	if o.Status == order.Complete {
		if !o.Opened() || o.Signer == "" || o.Hint != "" {
			t.Fatalf("complete without an opening or a signer, or with hint %q", o.Hint)
		}
		if o.Requirement != "" && o.Signer != o.Requirement {
			t.Fatal("complete with another person than required")
		}
	}
}

func TestAdvance_IntermediateCallsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := order.New(anna, "", start)
		now := start
		if rapid.Bool().Draw(t, "opened") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(order.OpenWithin-1)).Draw(t, "openedAfter")))
			var err error
			if o, err = order.Apply(o, order.Open{}, now); err != nil {
				t.Fatal(err)
			}
		}
		once, often := o, o
		for range rapid.IntRange(1, 8).Draw(t, "calls") {
			now = now.Add(pauses().Draw(t, "pause"))
			often = often.Advance(now)
		}
		if once = once.Advance(now); once != often {
			t.Fatalf("one call: %s/%s, several: %s/%s", once.Status, once.Hint, often.Status, often.Hint)
		}
	})
}
