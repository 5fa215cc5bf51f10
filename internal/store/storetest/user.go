package storetest

import (
	"testing"
	"time"

	"samla/internal/store"
	"samla/internal/user"
)

func testUsers(_ *testing.T, f fixture) {
	got, err := f.s.User(f.ctx, f.client.ID, f.user.ID)
	check(f, "user", got, err, f.user)
	got, err = f.s.UserByExternalID(f.ctx, f.client.ID, f.user.ExternalID)
	check(f, "by external id", got, err, f.user)

	otherClient := f.addClient()
	_, err = f.s.User(f.ctx, otherClient.ID, f.user.ID)
	missing(f, "another client's user", got, err)
	_, err = f.s.UserByExternalID(f.ctx, otherClient.ID, f.user.ExternalID)
	missing(f, "another client's external id", got, err)
	_, err = f.s.User(f.ctx, f.client.ID, newID())
	missing(f, "no such user", got, err)

	twin := newUser(f.client)
	twin.ExternalID = f.user.ExternalID
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddUser(f.ctx, twin) })
	twin.ClientID = otherClient.ID
	f.write(func(tx store.Tx) error { return tx.AddUser(f.ctx, twin) })

	mine := twin
	mine.ClientID, mine.ExternalID = f.client.ID, "taken over"
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.PutUser(f.ctx, mine, mine) })
	old := f.addUser(f.client)
	second := old
	second.ExternalID = f.user.ExternalID
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.PutUser(f.ctx, old, second) })
	second.ExternalID, second.UpdatedAt = "another name, with 'quotes' and \u00e5\u00e4\u00f6", start.Add(time.Minute)
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, old, second) })
	got, err = f.s.User(f.ctx, f.client.ID, second.ID)
	check(f, "updated", got, err, second)
	f.fails(store.ErrConflict, func(tx store.Tx) error { return tx.PutUser(f.ctx, old, second) })
	got, err = f.s.User(f.ctx, f.client.ID, second.ID)
	check(f, "after a lost compare-and-swap", got, err, second)
}

func testAnonymizedUser(_ *testing.T, f fixture) {
	anonymized, _ := f.user.Anonymize(start.Add(time.Hour))
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, f.user, anonymized) })
	got, err := f.s.User(f.ctx, f.client.ID, anonymized.ID)
	check(f, "anonymized", got, err, anonymized)
	_, err = f.s.UserByExternalID(f.ctx, f.client.ID, f.user.ExternalID)
	missing(f, "an anonymized user's external id", got, err)
	_, err = f.s.UserByExternalID(f.ctx, f.client.ID, "")
	missing(f, "the empty external id of one anonymized", got, err)

	again := newUser(f.client)
	again.ExternalID = f.user.ExternalID
	f.write(func(tx store.Tx) error { return tx.AddUser(f.ctx, again) })
	got, err = f.s.UserByExternalID(f.ctx, f.client.ID, again.ExternalID)
	check(f, "the external id is free again", got, err, again)
	// Several anonymized users of one client are no conflict.
	anonymized, _ = again.Anonymize(start.Add(2 * time.Hour))
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, again, anonymized) })
}

// exists reports whether a user is stored.
func (f fixture) exists(u user.User) bool {
	f.Helper()
	_, err := f.s.User(f.ctx, u.ClientID, u.ID)
	return err == nil
}
