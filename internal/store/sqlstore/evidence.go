package sqlstore

import (
	"context"
	"samla/internal/audit"
	"samla/internal/consent"
)

const evidenceColumns = `id, happened_at, client_id, user_id, consent_id, kind, detail`

// AuditEntries implements store.Reader.
func (r reader) AuditEntries(ctx context.Context, consentID consent.ID) ([]audit.Entry, error) {
	return list(ctx, r.q, func(r rows) (e audit.Entry, err error) {
		var at int64
		err = r.Scan(&e.ID, &at, &e.ClientID, &e.UserID, (*string)(&e.ConsentID), &e.Kind, &e.Detail)
		e.At, e.Detail = moment(at), fromBlob(e.Detail)
		return e, err
	}, `SELECT `+evidenceColumns+` FROM evidence WHERE consent_id = $1 AND consent_id <> '' ORDER BY happened_at, id`, string(consentID))
}

// AddAuditEntry implements store.Tx. An entry is never overwritten: a second one
// with the same id fails the transaction.
func (t *tx) AddAuditEntry(ctx context.Context, e audit.Entry) error {
	return t.q.later(ctx, `INSERT INTO evidence (`+evidenceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.ID, micros(e.At), e.ClientID, e.UserID, string(e.ConsentID), e.Kind, blob(e.Detail))
}
