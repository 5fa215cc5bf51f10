package storetest

import (
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/store"
	"samla/internal/user"
)

func testClients(t *testing.T, f fixture) {
	other := f.addClient()
	got, err := f.s.Client(f.ctx, other.ID)
	check(f, "client", got, err, other)
	all, err := f.s.Clients(f.ctx)
	check(f, "clients", all, err, []client.Client{f.client, other})
	_, err = f.s.Client(f.ctx, newID())
	missing(f, "no such client", got, err)
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddClient(f.ctx, other) })
	if kind := f.s.Kind(); kind != "sqlite" && kind != "postgres" {
		t.Errorf("kind %q", kind)
	}
	if err := f.s.Ping(f.ctx); err != nil {
		t.Error(err)
	}
}

func testKeys(_ *testing.T, f fixture) {
	old := client.Key{ID: newID(), ClientID: f.client.ID, Name: "old", Hash: client.HashOf("a"), CreatedAt: start}
	fresh := client.Key{ID: newID(), ClientID: f.client.ID, Name: "new", Hash: client.HashOf("b"), CreatedAt: start.Add(time.Hour)}
	f.write(func(tx store.Tx) error { return tx.AddAPIKey(f.ctx, fresh) })
	f.write(func(tx store.Tx) error { return tx.AddAPIKey(f.ctx, old) })
	twice := fresh
	twice.ID = newID()
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddAPIKey(f.ctx, twice) })

	all, err := f.s.APIKeys(f.ctx)
	check(f, "newest first", all, err, []client.Key{fresh, old})
	got, err := f.s.APIKeyByHash(f.ctx, fresh.Hash)
	check(f, "by hash", got, err, fresh)
	_, err = f.s.APIKeyByHash(f.ctx, client.HashOf("c"))
	missing(f, "unknown key", got, err)

	fresh.RevokedAt = start.Add(2 * time.Hour)
	f.write(func(tx store.Tx) error { return tx.RevokeAPIKey(f.ctx, fresh.ID, fresh.RevokedAt) })
	f.write(func(tx store.Tx) error { return tx.RevokeAPIKey(f.ctx, fresh.ID, start.Add(3*time.Hour)) })
	got, err = f.s.APIKeyByHash(f.ctx, fresh.Hash)
	check(f, "revoked once and for all, and still found", got, err, fresh)
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.RevokeAPIKey(f.ctx, newID(), start) })
}

func testUsers(_ *testing.T, f fixture) {
	got, err := f.s.User(f.ctx, f.client.ID, f.user.ID)
	check(f, "user", got, err, f.user)
	got, err = f.s.UserByExternalID(f.ctx, f.client.ID, f.user.ExternalID)
	check(f, "by external id", got, err, f.user)

	stranger := f.addClient()
	_, err = f.s.User(f.ctx, stranger.ID, f.user.ID)
	missing(f, "somebody else's user", got, err)
	_, err = f.s.UserByExternalID(f.ctx, stranger.ID, f.user.ExternalID)
	missing(f, "somebody else's external id", got, err)
	_, err = f.s.User(f.ctx, f.client.ID, newID())
	missing(f, "no such user", got, err)

	twin := newUser(f.client)
	twin.ExternalID = f.user.ExternalID
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddUser(f.ctx, twin) })
	twin.ClientID = stranger.ID
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

func testAnonymized(_ *testing.T, f fixture) {
	gone, _ := f.user.Anonymize(start.Add(time.Hour))
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, f.user, gone) })
	got, err := f.s.User(f.ctx, f.client.ID, gone.ID)
	check(f, "anonymized", got, err, gone)
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
	gone, _ = again.Anonymize(start.Add(2 * time.Hour))
	f.write(func(tx store.Tx) error { return tx.PutUser(f.ctx, again, gone) })
}

// exists tells whether a user was stored, for tests of what was rolled back.
func (f fixture) exists(u user.User) bool {
	f.Helper()
	_, err := f.s.User(f.ctx, u.ClientID, u.ID)
	return err == nil
}
