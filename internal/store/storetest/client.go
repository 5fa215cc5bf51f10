package storetest

import (
	"testing"
	"time"

	"samla/internal/client"
	"samla/internal/store"
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
	for _, other.Identity = range []client.Identity{{LegalName: "Other AB", Number: "1", Authority: "FI", Contact: "a@b.example"}, {LegalName: "Other"}, {}} {
		f.write(func(tx store.Tx) error { return tx.PutIdentity(f.ctx, other.ID, other.Identity) })
		got, err = f.s.Client(f.ctx, other.ID)
		check(f, "client with an identity", got, err, other)
		all, err = f.s.Clients(f.ctx)
		check(f, "clients with identities", all, err, []client.Client{f.client, other})
	}
	if kind := f.s.Kind(); kind != "sqlite" && kind != "postgres" {
		t.Errorf("kind %q", kind)
	}
	if err := f.s.Ping(f.ctx); err != nil {
		t.Error(err)
	}
}

func testAPIKeys(_ *testing.T, f fixture) {
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

func testReturnURLs(_ *testing.T, f fixture) {
	other := f.addClient()
	add := func(clientID, url string) {
		f.write(func(tx store.Tx) error { return tx.AddReturnURL(f.ctx, clientID, url, start) })
	}
	add(f.client.ID, "https://b.example/back")
	add(f.client.ID, "https://a.example/back?x=1")
	add(other.ID, "https://c.example/")
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddReturnURL(f.ctx, f.client.ID, "https://b.example/back", start) })
	all, err := f.s.ReturnURLs(f.ctx, f.client.ID)
	check(f, "of the client, sorted", all, err, []string{"https://a.example/back?x=1", "https://b.example/back"})
	for url, want := range map[string]bool{
		"https://b.example/back": true, "https://b.example/back/": false, "https://b.example/back?x": false, "https://c.example/": false, "": false,
	} {
		got, err := f.s.HasReturnURL(f.ctx, f.client.ID, url)
		check(f, "registered "+url, got, err, want)
	}
	f.write(func(tx store.Tx) error { return tx.DeleteReturnURL(f.ctx, f.client.ID, "https://b.example/back") })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteReturnURL(f.ctx, f.client.ID, "https://b.example/back") })
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteReturnURL(f.ctx, f.client.ID, "https://c.example/") })
	got, err := f.s.HasReturnURL(f.ctx, f.client.ID, "https://b.example/back")
	check(f, "taken back", got, err, false)
}
