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

// startSigning starts a one-time collection and advances it to LOGIN.
func (b *env) startSigning() collection.Collection {
	b.Helper()
	c := b.oneTime()
	b.apply(c.ConsentID, consent.Opened{}, consent.Instructed{})
	return b.handle(c.ID)
}

// poll polls a collection at one node.
func (b *env) poll(at *collect.Service, id string) (collect.View, time.Time) {
	b.Helper()
	view, due, err := at.Poll(b.Context(), b.owner(), id)
	if err != nil {
		b.Fatal(err)
	}
	return view, due
}

// A poll renews the lease in memory and is stored every ten seconds.
func TestPoll_IsStoredEveryTenSeconds(t *testing.T) {
	b := newEnv(t)
	c := b.startSigning()
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

// An attended collection that is not polled ends. Its node goes by the polls in memory,
// another node by the row.
func TestLease_EndsUnpolledCollection(t *testing.T) {
	b := newEnv(t)
	c := b.startSigning()
	for range 4 {
		b.Clock.Advance(45 * time.Second)
		b.poll(b.Service, c.ID)
		if c = b.handle(c.ID); c.Status != collection.Login || c.WakeAt.Sub(b.Clock.Now()) < time.Minute {
			t.Fatalf("polled, and %s, looked at again in %s", c.Status, c.WakeAt.Sub(b.Clock.Now()))
		}
	}
	b.Clock.Advance(5 * time.Second)
	b.poll(b.Service, c.ID) // this one is in memory only
	b.Clock.Advance(65 * time.Second)
	if c = b.handle(c.ID); c.Status != collection.Login {
		t.Errorf("65 s after the last poll %s", c.Status)
	}
	b.Service = b.service() // knows the row alone, which is five seconds behind
	b.wantEnded(b.handle(c.ID), collection.AuthenticationTimeout)
	if inner := b.Consent(c.ConsentID); inner.Status != consent.Revoked {
		t.Errorf("the consent inside is %s", inner.Status)
	}
	if _, due := b.poll(b.Service, c.ID); !due.IsZero() {
		t.Errorf("ended, and due by %s", due)
	}
}

// A poll at one node also renews the lease for the node that runs the collection.
func TestLease_IsRenewedByPollsOfAnotherNode(t *testing.T) {
	b := newEnv(t)
	c := b.startSigning()
	other := b.service()
	for range 20 {
		b.Clock.Advance(10 * time.Second)
		b.poll(other, c.ID)
		if c = b.handle(c.ID); c.Status != collection.Login {
			t.Fatalf("polled at the other node, and %s here", c.Status)
		}
	}
}

// The node that is polled does not see that another node ends the collection. It drops
// the polls when no lease depends on them.
func TestPolls_AreDroppedOnEveryNode(t *testing.T) {
	b := newEnv(t)
	other := b.service()
	const n = 50
	for range n {
		c := b.startSigning()
		b.Clock.Advance(time.Second)
		b.poll(other, c.ID)
		if _, err := b.Stop(t.Context(), b.owner(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	if collect.PollsInMemory(b.Service) != 0 {
		t.Errorf("the node that concludes remembers %d polls", collect.PollsInMemory(b.Service))
	}
	b.Clock.Advance(3 * time.Minute)
	c := b.startSigning() // any poll at all
	b.poll(other, c.ID)
	if m := collect.PollsInMemory(other); m != 1 {
		t.Errorf("the other node remembers %d polls of %d collections that have ended", m-1, n)
	}
}

func TestLease_IsNeededByAttendedCollectionsOnly(t *testing.T) {
	b := newEnv(t)
	attended, background := b.start(b.request(b.authorizedConsent(), "192.0.2.7")), b.start(b.request(b.authorizedConsent(), ""))
	b.Clock.Advance(71 * time.Second)
	b.wantEnded(b.handle(attended.ID), collection.Failed)
	b.wantEnded(b.handle(background.ID), collection.Completed)
}

func TestPoll_IsAllowedToTheOwnerOnly(t *testing.T) {
	b := newEnv(t)
	c := b.startSigning()
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

func TestCheckLease_AllowsHalfAMinuteToTen(t *testing.T) {
	for lease, ok := range map[time.Duration]bool{0: false, 29 * time.Second: false, 30 * time.Second: true, time.Minute: true, 10 * time.Minute: true, 11 * time.Minute: false} {
		if err := collect.CheckLease(lease); (err == nil) != ok {
			t.Errorf("%s: %v", lease, err)
		}
	}
}

// The lease is a setting (docs/reference/api.md 5.1).
func TestPoll_RenewsTheLeaseThatIsSet(t *testing.T) {
	b := newEnv(t)
	b.Service.Lease = 2 * time.Minute
	c := b.startSigning()
	b.Clock.Advance(time.Second)
	if _, due := b.poll(b.Service, c.ID); !due.Equal(b.Clock.Now().Add(2 * time.Minute)) {
		t.Errorf("poll again by %s", due)
	}
	b.Clock.Advance(2 * time.Minute)
	if c = b.handle(c.ID); c.Status != collection.Login {
		t.Errorf("with the lease it became %s", c.Status)
	}
	b.Clock.Advance(10 * time.Second)
	if c = b.handle(c.ID); c.Status != collection.AuthenticationTimeout {
		t.Errorf("after the lease it is %s", c.Status)
	}
}
