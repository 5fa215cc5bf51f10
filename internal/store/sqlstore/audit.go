package sqlstore

import (
	"context"

	"samla/internal/audit"
	"samla/internal/consent"
)

const auditColumns = `id, happened_at, client_id, user_id, consent_id, kind, detail`

// AuditEntries implements store.AuditReader.
func (r reader) AuditEntries(ctx context.Context, consentID consent.ID) ([]audit.Entry, error) {
	return list(ctx, r.q, func(r rows) (e audit.Entry, err error) {
		var at int64
		err = r.Scan(&e.ID, &at, &e.ClientID, &e.UserID, (*string)(&e.ConsentID), &e.Kind, &e.Detail)
		e.At, e.Detail = fromMicros(at), fromBlob(e.Detail)
		return e, err
	}, `SELECT `+auditColumns+` FROM evidence WHERE consent_id = $1 AND consent_id <> '' ORDER BY happened_at, id`, string(consentID))
}

// AddAuditEntry implements store.AuditWriter.
func (t *tx) AddAuditEntry(ctx context.Context, e audit.Entry) error {
	return t.q.execLater(ctx, `INSERT INTO evidence (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.ID, micros(e.At), e.ClientID, e.UserID, string(e.ConsentID), e.Kind, blob(e.Detail))
}
