package collect_test

import (
	"testing"
	"time"

	"samla/internal/collect"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/store"
)

// signing starts a one-time collection and brings it to LOGIN.
func (b *bench) signing() collection.Collection {
	b.Helper()
	c := b.oneTime()
	b.comes(c.ConsentID, consent.Opened{}, consent.Instructed{})
	return b.look(c.ID)
}

// poll polls a collection at one node.
func (b *bench) poll(at *collect.Service, id string) (store.CollectionView, time.Time) {
	b.Helper()
	view, due, err := at.Poll(b.Context(), b.owner(), id)
	if err != nil {
		b.Fatal(err)
	}
	return view, due
}

// A poll renews the lease in memory and is written down every ten seconds.
func TestPollsAreWrittenDownSeldom(t *testing.T) {
	b := newBench(t)
	c := b.signing()
	written := map[time.Time]bool{}
	for range 60 {
		b.Clock.Advance(time.Second)
		_, due := b.poll(b.Service, c.ID)
		if want := b.Clock.Now().Add(time.Minute); !due.Equal(want) {
			t.Errorf("polled, and due by %s instead of %s", due, want)
		}
		row := b.row(c.ID)
		written[row.PolledAt] = true
		if behind := b.Clock.Now().Sub(row.PolledAt); behind >= 10*time.Second {
			t.Errorf("the row is %s behind", behind)
		}
		if row.Rev != c.Rev {
			t.Error("a poll changes the row's revision")
		}
	}
	if n := len(written); n < 6 || n > 7 {
		t.Errorf("written down %d times in a minute", n)
	}
}

// TestLease: an attended collection ends when nobody polls, by what its node
// remembers, or else by the row.
func TestLease(t *testing.T) {
	b := newBench(t)
	c := b.signing()
	for range 4 {
		b.Clock.Advance(45 * time.Second)
		b.poll(b.Service, c.ID)
		if c = b.look(c.ID); c.Status != collection.Login || c.WakeAt.Sub(b.Clock.Now()) < time.Minute {
			t.Fatalf("polled, and %s, looked at again in %s", c.Status, c.WakeAt.Sub(b.Clock.Now()))
		}
	}
	b.Clock.Advance(5 * time.Second)
	b.poll(b.Service, c.ID) // this one is in memory only
	b.Clock.Advance(65 * time.Second)
	if c = b.look(c.ID); c.Status != collection.Login {
		t.Errorf("65 s after the last poll %s", c.Status)
	}
	b.Service = b.service() // knows the row alone, which is five seconds behind
	b.ended(b.look(c.ID), collection.AuthenticationTimeout)
	if inner := b.Consent(c.ConsentID); inner.Status != consent.Revoked {
		t.Errorf("the consent inside is %s", inner.Status)
	}
	if _, due := b.poll(b.Service, c.ID); !due.IsZero() {
		t.Errorf("ended, and due by %s", due)
	}
}

// A poll at one node keeps the collection alive for the other, which may run it.
func TestLeaseOverNodes(t *testing.T) {
	b := newBench(t)
	c := b.signing()
	other := b.service()
	for range 20 {
		b.Clock.Advance(10 * time.Second)
		b.poll(other, c.ID)
		if c = b.look(c.ID); c.Status != collection.Login {
			t.Fatalf("polled at the other node, and %s here", c.Status)
		}
	}
}

// A node that is polled does not see the end of a collection that another node
// concludes. It forgets the polls when they no longer matter.
func TestPolls_AreForgottenOnEveryNode(t *testing.T) {
	b := newBench(t)
	other := b.service()
	const n = 50
	for range n {
		c := b.signing()
		b.Clock.Advance(time.Second)
		b.poll(other, c.ID)
		if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if collect.Remembered(b.Service) != 0 {
		t.Errorf("the node that concludes remembers %d polls", collect.Remembered(b.Service))
	}
	b.Clock.Advance(3 * time.Minute)
	c := b.signing() // any poll at all
	b.poll(other, c.ID)
	if m := collect.Remembered(other); m != 1 {
		t.Errorf("the other node remembers %d polls of %d collections that have ended", m-1, n)
	}
}

func TestUnpolledWhileNobodySigns(t *testing.T) {
	b := newBench(t)
	attended, background := b.start(b.request(b.granted(), "192.0.2.7")), b.start(b.request(b.granted(), ""))
	b.Clock.Advance(71 * time.Second)
	b.ended(b.look(attended.ID), collection.Failed)
	b.ended(b.look(background.ID), collection.Completed)
}

func TestPollIsTheOwners(t *testing.T) {
	b := newBench(t)
	c := b.signing()
	for name, o := range map[string]collect.Owner{
		"another user": {ClientID: b.User.ClientID, UserID: b.IDs.New()}, "another client": {ClientID: b.IDs.New()},
	} {
		_, _, err := b.Poll(t.Context(), o, c.ID)
		isFault(t, name, err, fault.CollectionNotFound)
	}
	_, _, err := b.Poll(t.Context(), b.owner(), b.IDs.New())
	isFault(t, "unknown", err, fault.CollectionNotFound)
	if _, _, err := b.Poll(t.Context(), collect.Owner{ClientID: b.User.ClientID}, c.ID); err != nil {
		t.Errorf("the client itself: %v", err)
	}
	gone, _ := b.User.Anonymize(b.Clock.Now())
	b.Write(func(tx store.Tx) error { return tx.PutUser(t.Context(), b.User, gone) })
	_, _, err = b.Poll(t.Context(), b.owner(), c.ID)
	isFault(t, "a user who is gone", err, fault.Unauthorized)
}
