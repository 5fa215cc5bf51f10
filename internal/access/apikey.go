package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"samla/internal/client"
	"samla/internal/fault"
	"samla/internal/store"
)

const (
	// keyAge is how long a look-up of an API key is believed: a revocation on
	// another node is effective within it.
	keyAge   = 5 * time.Second
	keyCount = 10_000
	// maxKey bounds the text of a key given by the operator.
	maxKey = 255
)

var errStranger = errors.New("access: no such key, or revoked")

// identifyKey looks a key up by its hash. The time it takes depends on the hash
// only, which nobody can steer towards another key's.
func (g *Gate) identifyKey(ctx context.Context, secret string) (Identity, *fault.Fault) {
	if len(secret) > maxKey {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	h := client.HashOf(secret)
	if k, ok := g.keys.Peek(h); ok {
		return Identity{Kind: APIKey, ClientID: k.ClientID, KeyID: k.ID}, nil
	}
	if _, ok := g.strangers.Peek(h); ok {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	k, err := g.keys.Get(ctx, h, func(ctx context.Context) (client.Key, error) {
		k, err := g.store.KeyByHash(ctx, h)
		if errors.Is(err, store.ErrNotFound) || err == nil && !k.Valid() {
			return client.Key{}, errStranger
		}
		return k, err
	})
	switch {
	case errors.Is(err, errStranger):
		g.strangers.Put(h, struct{}{})
		return Identity{}, fault.New(fault.Unauthorized)
	case err != nil:
		return Identity{}, fault.Wrap(fmt.Errorf("access: look up an API key: %w", err))
	}
	return Identity{Kind: APIKey, ClientID: k.ClientID, KeyID: k.ID}, nil
}

// CreateKey makes an API key for the client of the given name, which is made
// too when there is none. An empty secret means a new random one; a given one
// is 1 to 255 printable ASCII characters without spaces. A given secret that the
// same client holds already gives that key again, so that a start with the same
// configuration changes nothing. The secret is returned and kept nowhere.
// Errors: store.ErrExists when the secret belongs to another client or to a
// revoked key.
func (g *Gate) CreateKey(ctx context.Context, clientName, keyName, secret string) (client.Key, string, error) {
	if clientName == "" {
		return client.Key{}, "", errors.New("access: a client needs a name")
	}
	if secret == "" {
		var err error
		if secret, err = client.NewSecret(g.random); err != nil {
			return client.Key{}, "", fmt.Errorf("access: make an API key: %w", err)
		}
	} else if !printable(secret, '!', maxKey) {
		return client.Key{}, "", errors.New("access: an API key is 1 to 255 printable ASCII characters without spaces")
	}
	now := g.clk.Now()
	fresh := client.Client{ID: g.ids.New(), Name: clientName, CreatedAt: now}
	key := client.Key{ID: g.ids.New(), Name: keyName, Hash: client.HashOf(secret), CreatedAt: now}
	stored := key
	err := g.store.Write(ctx, func(tx store.Tx) error {
		owner, err := clientNamed(ctx, tx, fresh)
		if err != nil {
			return err
		}
		stored = key
		stored.ClientID = owner.ID
		held, err := tx.KeyByHash(ctx, key.Hash)
		if errors.Is(err, store.ErrNotFound) {
			return tx.AddKey(ctx, stored)
		}
		if err == nil && (held.ClientID != owner.ID || !held.Valid()) {
			return store.ErrExists
		}
		stored = held
		return err
	})
	if err != nil {
		return client.Key{}, "", fmt.Errorf("access: create an API key: %w", err)
	}
	g.strangers.Drop(key.Hash)
	return stored, secret, nil
}

// clientNamed finds the client with the name of fresh, or adds fresh.
func clientNamed(ctx context.Context, tx store.Tx, fresh client.Client) (client.Client, error) {
	all, err := tx.Clients(ctx)
	if err != nil {
		return client.Client{}, err
	}
	for _, c := range all {
		if c.Name == fresh.Name {
			return c, nil
		}
	}
	return fresh, tx.AddClient(ctx, fresh)
}

// ListKeys lists all API keys, newest first, revoked ones included.
func (g *Gate) ListKeys(ctx context.Context) ([]client.Key, error) { return g.store.Keys(ctx) }

// RevokeKey revokes the API key with the given id: at once on this node, within
// five seconds on every other. Errors: store.ErrNotFound.
func (g *Gate) RevokeKey(ctx context.Context, id string) error {
	now := g.clk.Now()
	err := g.store.Write(ctx, func(tx store.Tx) error { return tx.RevokeKey(ctx, id, now) })
	if err != nil {
		return fmt.Errorf("access: revoke API key %s: %w", id, err)
	}
	g.keys.Clear() // the id does not tell the hash; the rest is back after one read each
	return nil
}

// printable reports whether s has 1 to limit characters from lowest to '~'.
func printable(s string, lowest byte, limit int) bool {
	if len(s) == 0 || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] < lowest || s[i] > '~' {
			return false
		}
	}
	return true
}
