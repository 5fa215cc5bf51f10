package authorize_test

import (
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/institution"
)

func TestRevoke_FindsOnlyTheConsentsOfTheUser(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	inner := b.request()
	inner.CollectionID = b.IDs.New()
	hidden, err := b.Create(t.Context(), inner, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, ids := range map[string][3]string{
		"unknown":             {b.User.ClientID, b.User.ID, b.IDs.New()},
		"another user's":      {b.User.ClientID, b.IDs.New(), string(c.ID)},
		"another client's":    {b.IDs.New(), b.User.ID, string(c.ID)},
		"inside a collection": {b.User.ClientID, b.User.ID, string(hidden.ID)},
	} {
		_, err := b.Revoke(t.Context(), ids[0], ids[1], consent.ID(ids[2]))
		isFault(t, name, err, fault.ConsentNotFound)
		_, _, err = b.Poll(t.Context(), ids[0], ids[1], consent.ID(ids[2]))
		isFault(t, name, err, fault.ConsentNotFound)
	}
	revoked, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Advance(time.Hour)
	again, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	if err != nil || !again.RevokedAt.Equal(revoked.RevokedAt) || len(b.dueMessages()) != 1 {
		t.Errorf("revoked again: %+v, %v", again, err)
	}
}

func TestRevoke_RefusesFinalConsents(t *testing.T) {
	b := newEnv(t)
	c := b.run(b.create().ID)
	b.Clock.Set(c.ExpiresAt)
	b.checkEnd(b.look(c.ID), consent.Expired, "")
	_, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	isFault(t, "expired", err, fault.ConsentNotRevocable)

	b = newEnv(t)
	b.bank.onOpen = func(institution.OpenRequest) (institution.Opened, error) {
		return institution.Opened{}, kind(institution.Refused)
	}
	c = b.run(b.create().ID)
	_, err = b.Revoke(t.Context(), b.User.ClientID, b.User.ID, c.ID)
	isFault(t, "failed", err, fault.ConsentNotRevocable)
}

// A client may keep the id of any consent of a lineage. The user who revokes by it is not
// read any longer, and the bank is told.
func TestRevoke_ByAnIDOfTheLineage(t *testing.T) {
	for name, first := range map[string]func(b *env) consent.ID{
		"of the renewed one": func(b *env) consent.ID { return b.run(b.create().ID).ID },
		"of one that expired before": func(b *env) consent.ID {
			b.bank.onRead = b.validFor(4)
			c := b.run(b.create().ID)
			b.Clock.Set(c.ExpiresAt)
			b.look(c.ID)
			b.bank.onRead = b.validFor(90)
			return c.ID
		},
	} {
		b := newEnv(t)
		old := first(b)
		next := b.run(b.mustRenew(old).ID)
		if next.Status != consent.Authorized {
			t.Fatalf("%s: the new one is %s", name, next.Status)
		}
		b.dueMessages() // of the old one
		for range 2 {   // repeated, it says the same
			got, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, old)
			if err != nil || got.Status != consent.Revoked || b.Consent(next.ID).Status != consent.Revoked {
				t.Errorf("%s: %s %s, %v; the living one is %s", name, got.ID, got.Status, err, b.Consent(next.ID).Status)
			}
		}
		if n := len(b.dueMessages()); n != 1 {
			t.Errorf("%s: the bank is told %d times", name, n)
		}
	}
}

// With the living consent ends the renewal of it that waits. A renewal that is named ends
// alone, also when the call is repeated.
func TestRevoke_EndsARenewalThatWaits(t *testing.T) {
	b := newEnv(t)
	old := b.run(b.create().ID)
	next := b.mustRenew(old.ID)
	for range 2 {
		if got, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, next.ID); err != nil || got.ID != next.ID || got.Status != consent.Revoked {
			t.Errorf("%s %s, %v", got.ID, got.Status, err)
		}
	}
	if c := b.Consent(old.ID); c.Status != consent.Authorized {
		t.Fatalf("the old one is %s", c.Status)
	}
	next = b.mustRenew(old.ID)
	got, err := b.Revoke(t.Context(), b.User.ClientID, b.User.ID, old.ID)
	if err != nil || got.ID != old.ID || got.Status != consent.Revoked || b.Consent(next.ID).Status != consent.Revoked {
		t.Errorf("%s %s, %v; the renewal is %s", got.ID, got.Status, err, b.Consent(next.ID).Status)
	}
}
