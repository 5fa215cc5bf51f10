package sqlstore

import (
	"context"
	"time"

	"samla/internal/client"
	"samla/internal/store"
)

const (
	clientColumns = `id, name, created_at`
	selectClients = `SELECT c.id, c.name, c.created_at, COALESCE(i.legal_name, ''), COALESCE(i.number, ''), COALESCE(i.authority, ''), COALESCE(i.contact, '')
		FROM clients c LEFT JOIN client_identities i ON i.client_id = c.id `
	keyColumns = `id, client_id, name, hash, created_at, revoked_at`
)

func scanClient(r rows) (client.Client, error) {
	var c client.Client
	var created int64
	i := &c.Identity
	err := r.Scan(&c.ID, &c.Name, &created, &i.LegalName, &i.Number, &i.Authority, &i.Contact)
	c.CreatedAt = fromMicros(created)
	return c, err
}

func scanKey(r rows) (client.Key, error) {
	var k client.Key
	var hash []byte
	var created, revoked int64
	err := r.Scan(&k.ID, &k.ClientID, &k.Name, &hash, &created, &revoked)
	copy(k.Hash[:], hash)
	k.CreatedAt, k.RevokedAt = fromMicros(created), fromMicros(revoked)
	return k, err
}

// Client implements store.ClientReader.
func (r reader) Client(ctx context.Context, id string) (client.Client, error) {
	return one(ctx, r.q, scanClient, selectClients+`WHERE c.id = $1`, id)
}

// Clients implements store.ClientReader.
func (r reader) Clients(ctx context.Context) ([]client.Client, error) {
	return list(ctx, r.q, scanClient, selectClients+`ORDER BY c.created_at, c.id`)
}

// APIKeyByHash implements store.APIKeyReader.
func (r reader) APIKeyByHash(ctx context.Context, h client.Hash) (client.Key, error) {
	return one(ctx, r.q, scanKey, `SELECT `+keyColumns+` FROM api_keys WHERE hash = $1`, h[:])
}

// APIKeys implements store.APIKeyReader.
func (r reader) APIKeys(ctx context.Context) ([]client.Key, error) {
	return list(ctx, r.q, scanKey, `SELECT `+keyColumns+` FROM api_keys ORDER BY created_at DESC, id DESC`)
}

// AddClient implements store.ClientWriter.
func (t *tx) AddClient(ctx context.Context, c client.Client) error {
	n, err := t.q.exec(ctx, `INSERT INTO clients (`+clientColumns+`) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		c.ID, c.Name, micros(c.CreatedAt))
	return requireRow(n, err, store.ErrExists)
}

// PutIdentity implements store.ClientWriter.
func (t *tx) PutIdentity(ctx context.Context, clientID string, i client.Identity) error {
	_, err := t.q.exec(ctx, `INSERT INTO client_identities (client_id, legal_name, number, authority, contact) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (client_id) DO UPDATE SET legal_name = $2, number = $3, authority = $4, contact = $5`,
		clientID, i.LegalName, i.Number, i.Authority, i.Contact)
	return err
}

// AddAPIKey implements store.APIKeyWriter.
func (t *tx) AddAPIKey(ctx context.Context, k client.Key) error {
	n, err := t.q.exec(ctx, `INSERT INTO api_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		k.ID, k.ClientID, k.Name, k.Hash[:], micros(k.CreatedAt), micros(k.RevokedAt))
	return requireRow(n, err, store.ErrExists)
}

// RevokeAPIKey implements store.APIKeyWriter.
func (t *tx) RevokeAPIKey(ctx context.Context, id string, at time.Time) error {
	n, err := t.q.exec(ctx, `UPDATE api_keys SET revoked_at = CASE WHEN revoked_at = 0 THEN $2 ELSE revoked_at END WHERE id = $1`,
		id, micros(at))
	return requireRow(n, err, store.ErrNotFound)
}

func scanText(r rows) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// HasReturnURL implements store.ReturnURLReader.
func (r reader) HasReturnURL(ctx context.Context, clientID, url string) (bool, error) {
	found, err := list(ctx, r.q, scanText, `SELECT url FROM return_urls WHERE client_id = $1 AND url = $2`, clientID, url)
	return len(found) > 0, err
}

// ReturnURLs implements store.ReturnURLReader.
func (r reader) ReturnURLs(ctx context.Context, clientID string) ([]string, error) {
	return list(ctx, r.q, scanText, `SELECT url FROM return_urls WHERE client_id = $1 ORDER BY url`, clientID)
}

// AddReturnURL implements store.ReturnURLWriter.
func (t *tx) AddReturnURL(ctx context.Context, clientID, url string, at time.Time) error {
	n, err := t.q.exec(ctx, `INSERT INTO return_urls (client_id, url, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, clientID, url, micros(at))
	return requireRow(n, err, store.ErrExists)
}

// DeleteReturnURL implements store.ReturnURLWriter.
func (t *tx) DeleteReturnURL(ctx context.Context, clientID, url string) error {
	n, err := t.q.exec(ctx, `DELETE FROM return_urls WHERE client_id = $1 AND url = $2`, clientID, url)
	return requireRow(n, err, store.ErrNotFound)
}
