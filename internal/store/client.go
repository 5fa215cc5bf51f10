package store

import (
	"context"
	"time"

	"samla/internal/client"
)

// ClientReader reads clients.
type ClientReader interface {
	Client(ctx context.Context, id string) (client.Client, error)
	// Clients lists all clients, oldest first.
	Clients(ctx context.Context) ([]client.Client, error)
}

// ClientWriter stores clients. They are never deleted.
type ClientWriter interface {
	// AddClient stores a client. Errors: ErrExists when the id is taken.
	// It stores no identity.
	AddClient(ctx context.Context, c client.Client) error
	// PutIdentity stores who a client is by law, in place of what was stored before.
	PutIdentity(ctx context.Context, clientID string, i client.Identity) error
}

// ReturnURLReader reads the addresses to which a client may have persons sent at the end
// of an authorization.
type ReturnURLReader interface {
	// HasReturnURL reports whether a client has registered exactly this address.
	HasReturnURL(ctx context.Context, clientID, url string) (bool, error)
	// ReturnURLs lists the addresses of a client, sorted.
	ReturnURLs(ctx context.Context, clientID string) ([]string, error)
}

// ReturnURLWriter registers such addresses.
type ReturnURLWriter interface {
	// AddReturnURL registers an address. Errors: ErrExists.
	AddReturnURL(ctx context.Context, clientID, url string, at time.Time) error
	// DeleteReturnURL takes it back. Consents that wait keep it. Errors: ErrNotFound.
	DeleteReturnURL(ctx context.Context, clientID, url string) error
}

// APIKeyReader reads API keys.
type APIKeyReader interface {
	// APIKeyByHash finds an API key, revoked ones included.
	APIKeyByHash(ctx context.Context, h client.Hash) (client.Key, error)
	// APIKeys lists all API keys, newest first.
	APIKeys(ctx context.Context) ([]client.Key, error)
}

// APIKeyWriter stores API keys. They are never deleted.
type APIKeyWriter interface {
	// AddAPIKey stores an API key. Errors: ErrExists when the hash is taken.
	AddAPIKey(ctx context.Context, k client.Key) error
	// RevokeAPIKey revokes an API key. A key that was revoked before keeps its time.
	// Errors: ErrNotFound.
	RevokeAPIKey(ctx context.Context, id string, at time.Time) error
}
