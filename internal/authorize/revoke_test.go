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
