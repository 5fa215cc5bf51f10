package collection_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/collection"
)

var start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

func anyStatus() *rapid.Generator[collection.Status] {
	return rapid.SampledFrom(append(collection.Statuses(), "NO_SUCH_STATUS"))
}

func anyEvent() *rapid.Generator[collection.Event] {
	return rapid.Custom(func(t *rapid.T) collection.Event {
		s := anyStatus().Draw(t, "status")
		switch rapid.IntRange(0, 5).Draw(t, "event") {
		case 0:
			return collection.Waits{In: s}
		case 1:
			return collection.Reads{}
		case 2:
			return collection.Finished{In: s, KeepUntil: start.AddDate(0, 0, 30)}
		case 3:
			return collection.FailedWith{In: s}
		case 4:
			return collection.Stopped{}
		default:
			return collection.Ticked{Lease: collection.DefaultLease, ChoiceOpen: rapid.Bool().Draw(t, "choice")}
		}
	})
}

func TestApply_KeepsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		c := collection.Collection{Status: collection.Running, CreatedAt: start, PolledAt: start,
			Attended: rapid.Bool().Draw(t, "attended")}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "seconds")) * time.Second)
			if rapid.Bool().Draw(t, "polled") {
				c.PolledAt = now
			}
			e := anyEvent().Draw(t, "e")
			after, err := c.Apply(e, now)
			switch {
			case err != nil && after.Status != c.Status:
				t.Fatalf("illegal %T changed %s to %s", e, c.Status, after.Status)
			case c.Status.Terminal() && after.Status != c.Status:
				t.Fatalf("%s was terminal, became %s", c.Status, after.Status)
			case after.Status.Class() == collection.Unknown:
				t.Fatalf("became %q", after.Status)
			case after.Status.Class() == collection.Success && c.Status != collection.Collecting && c.Status != after.Status:
				t.Fatalf("%s follows %s", after.Status, c.Status)
			case after.Status.HasData() && after.DataUntil.IsZero():
				t.Fatalf("the data of %s is kept forever", after.Status)
			}
			c = after
		}
		ticked, err := c.Apply(collection.Ticked{Lease: 50 * time.Minute}, now.Add(time.Hour))
		if err != nil || (c.Attended && !ticked.Status.Terminal()) || (!c.Attended && ticked.Status != c.Status) {
			t.Fatalf("attended %v: %s became %s (%v) after an hour without a poll", c.Attended, c.Status, ticked.Status, err)
		}
	})
}

func TestApply_EndsUnpolledCollection(t *testing.T) {
	for status, want := range map[collection.Status]collection.Status{
		collection.Running: collection.Failed, collection.Collecting: collection.Failed,
		collection.Login: collection.AuthenticationTimeout, collection.WaitingForUserAction: collection.AuthenticationTimeout,
		collection.TwoFactorPending: collection.AuthenticationTimeout, collection.ContactFormPending: collection.ContactForm,
		collection.CollectionInputPending: collection.CollectionInputTimeout,
	} {
		for _, lease := range []time.Duration{20 * time.Second, collection.DefaultLease, 10 * time.Minute} {
			for _, choice := range []bool{false, true} {
				want := want
				if choice && status == collection.TwoFactorPending {
					want = collection.TwoFactorMethodSelectionTimeout
				}
				c := collection.Collection{Status: status, Attended: true, PolledAt: start}
				tick := collection.Ticked{Lease: lease, ChoiceOpen: choice}
				if early, _ := c.Apply(tick, start.Add(lease)); early.Status != status {
					t.Errorf("%s ended with the lease, although a later poll may not be stored yet", status)
				}
				if late, _ := c.Apply(tick, c.LeaseEnds(lease)); late.Status != want {
					t.Errorf("%s became %s, want %s", status, late.Status, want)
				}
			}
		}
	}
}

func TestStatuses_AreThoseOfTheContract(t *testing.T) {
	if n := len(collection.Statuses()); n != 27 {
		t.Errorf("%d statuses, docs/reference/api.md 5.7 has 27", n)
	}
	var terminal int
	for _, s := range collection.Statuses() {
		if s.Terminal() {
			terminal++
		}
	}
	if terminal != 20 {
		t.Errorf("%d terminal statuses, docs/reference/api.md 5.7 has 20", terminal)
	}
}
