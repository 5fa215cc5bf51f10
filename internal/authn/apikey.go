package authn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"samla/internal/audit"
	"samla/internal/client"
	"samla/internal/fault"
	"samla/internal/journal"
	"samla/internal/store"
)

const (
	// keyCacheAge is how long a read API key is cached. A revocation takes effect
	// on other nodes within this time.
	keyCacheAge  = 5 * time.Second
	keyCacheSize = 10_000
	// maxKey is the longest API key, in bytes.
	maxKey = 255
)

var errUnknownKey = errors.New("authn: the API key is unknown or revoked")

// authenticateKey looks up an API key by its hash. Its timing depends on the hash
// only, and nobody can choose a key whose hash is close to that of another.
func (a *Authenticator) authenticateKey(ctx context.Context, secret string) (Identity, *fault.Fault) {
	if len(secret) > maxKey {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	h := client.HashOf(secret)
	if k, ok := a.keys.Peek(h); ok {
		return Identity{Kind: APIKey, ClientID: k.ClientID, KeyID: k.ID}, nil
	}
	if _, ok := a.unknownKeys.Peek(h); ok {
		return Identity{}, fault.New(fault.Unauthorized)
	}
	k, err := a.keys.Get(ctx, h, func(ctx context.Context) (client.Key, error) {
		k, err := a.store.APIKeyByHash(ctx, h)
		if errors.Is(err, store.ErrNotFound) || err == nil && !k.Valid() {
			return client.Key{}, errUnknownKey
		}
		return k, err
	})
	switch {
	case errors.Is(err, errUnknownKey):
		a.unknownKeys.Put(h, struct{}{})
		return Identity{}, fault.New(fault.Unauthorized)
	case err != nil:
		return Identity{}, fault.Wrap(fmt.Errorf("authn: look up an API key: %w", err))
	}
	return Identity{Kind: APIKey, ClientID: k.ClientID, KeyID: k.ID}, nil
}

// CreateKey creates an API key for the client with the given name, and the client
// itself when there is none. An empty secret means a new random one; a given one
// has 1 to 255 printable ASCII characters and no spaces. When the client already
// has a key with the given secret, CreateKey returns that key, so that a restart
// with the same configuration changes nothing. The secret is returned and not
// stored. Error: store.ErrExists when the secret is that of another client or of
// a revoked key.
func (a *Authenticator) CreateKey(ctx context.Context, clientName, keyName, secret string) (client.Key, string, error) {
	if clientName == "" {
		return client.Key{}, "", errors.New("authn: a client needs a name")
	}
	if secret == "" {
		var err error
		if secret, err = client.NewSecret(a.random); err != nil {
			return client.Key{}, "", fmt.Errorf("authn: make an API key: %w", err)
		}
	} else if len(secret) > maxKey || strings.ContainsFunc(secret, func(r rune) bool { return r < '!' || r > '~' }) {
		return client.Key{}, "", errors.New("authn: an API key has 1 to 255 printable ASCII characters and no spaces")
	}
	now := a.clk.Now()
	newClient := client.Client{ID: a.ids.New(), Name: clientName, CreatedAt: now}
	newKey := client.Key{ID: a.ids.New(), Name: keyName, Hash: client.HashOf(secret), CreatedAt: now}
	stored := newKey
	err := a.store.Write(ctx, func(tx store.Tx) error {
		owner, err := findOrAddClient(ctx, tx, newClient)
		if err != nil {
			return err
		}
		stored = newKey
		stored.ClientID = owner.ID
		found, err := tx.APIKeyByHash(ctx, newKey.Hash)
		if errors.Is(err, store.ErrNotFound) {
			if err := tx.AddAPIKey(ctx, stored); err != nil {
				return err
			}
			return tx.AddAuditEntry(ctx, audit.OfKey(a.ids, audit.APIKeyCreated, owner.ID, stored.ID, now))
		}
		if err == nil && (found.ClientID != owner.ID || !found.Valid()) {
			return store.ErrExists
		}
		stored = found
		return err
	})
	if err != nil {
		return client.Key{}, "", fmt.Errorf("authn: create an API key: %w", err)
	}
	a.unknownKeys.Drop(newKey.Hash)
	return stored, secret, nil
}

// findOrAddClient returns the client with the name of c, or adds c.
func findOrAddClient(ctx context.Context, tx store.Tx, c client.Client) (client.Client, error) {
	all, err := tx.Clients(ctx)
	if err != nil {
		return client.Client{}, err
	}
	for _, found := range all {
		if found.Name == c.Name {
			return found, nil
		}
	}
	return c, tx.AddClient(ctx, c)
}

// ListKeys lists all API keys, newest first, revoked ones included.
func (a *Authenticator) ListKeys(ctx context.Context) ([]client.Key, error) {
	return a.store.APIKeys(ctx)
}

// RevokeKey revokes the API key with the given id. It takes effect at once on this
// node and within five seconds on the others. Error: store.ErrNotFound.
func (a *Authenticator) RevokeKey(ctx context.Context, id string) error {
	now := a.clk.Now()
	err := a.journal.Record(ctx, journal.Record{Kind: journal.KeyRevoked, ID: id})
	if err == nil {
		err = a.store.Write(ctx, func(tx store.Tx) error { return a.revoke(ctx, tx, id, now) })
	}
	if err != nil {
		return fmt.Errorf("authn: revoke API key %s: %w", id, err)
	}
	a.keys.Clear() // the cache is by hash, which the id does not give
	return nil
}

// revoke revokes a key, and writes so to the audit log if it was valid.
func (a *Authenticator) revoke(ctx context.Context, tx store.Tx, id string, now time.Time) error {
	keys, err := tx.APIKeys(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k client.Key) bool { return k.ID == id })
	if i >= 0 && keys[i].Valid() {
		if err := tx.AddAuditEntry(ctx, audit.OfKey(a.ids, audit.APIKeyRevoked, keys[i].ClientID, id, now)); err != nil {
			return err
		}
	}
	return tx.RevokeAPIKey(ctx, id, now)
}
