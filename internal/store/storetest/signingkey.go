package storetest

import (
	"testing"
	"time"

	"samla/internal/session"
	"samla/internal/store"
)

func testSigningKeys(_ *testing.T, f fixture) {
	old := session.SigningKey{ID: "kid-1", CreatedAt: start, Sealed: []byte{1}, Public: []byte(`{"kty":"OKP"}`)}
	fresh := session.SigningKey{ID: "kid-0", CreatedAt: start.Add(time.Hour), Sealed: []byte{2}, Public: []byte(`{}`)}
	f.write(func(tx store.Tx) error { return tx.AddSigningKey(f.ctx, fresh) })
	f.write(func(tx store.Tx) error { return tx.AddSigningKey(f.ctx, old) })
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddSigningKey(f.ctx, old) })
	all, err := f.s.SigningKeys(f.ctx)
	check(f, "signing keys", all, err, []session.SigningKey{old, fresh})
	f.write(func(tx store.Tx) error { return tx.DeleteSigningKey(f.ctx, old.ID) })
	all, err = f.s.SigningKeys(f.ctx)
	check(f, "after deleting", all, err, []session.SigningKey{fresh})
	f.fails(store.ErrNotFound, func(tx store.Tx) error { return tx.DeleteSigningKey(f.ctx, old.ID) })
}
