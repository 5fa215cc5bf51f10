package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"samla/internal/audit"
	"samla/internal/consent"
)

const (
	auditColumns = `id, happened_at, client_id, user_id, consent_id, kind, detail`
	auditFields  = 7
)

func scanEntry(r rows) (e audit.Entry, err error) {
	var at int64
	err = r.Scan(&e.ID, &at, &e.ClientID, &e.UserID, (*string)(&e.ConsentID), &e.Kind, &e.Detail)
	e.At, e.Detail = fromMicros(at), fromBlob(e.Detail)
	return e, err
}

func entryArgs(e audit.Entry) []any {
	return []any{e.ID, micros(e.At), e.ClientID, e.UserID, string(e.ConsentID), e.Kind, blob(e.Detail)}
}

// AuditEntries implements store.AuditReader. An entry moves from one table to the other
// in one transaction, and one statement sees it in one of them.
func (r reader) AuditEntries(ctx context.Context, consentID consent.ID) ([]audit.Entry, error) {
	return list(ctx, r.q, scanEntry, `SELECT `+auditColumns+` FROM evidence WHERE consent_id = $1 AND consent_id <> ''
UNION ALL SELECT `+auditColumns+` FROM audit_log WHERE consent_id = $1 AND consent_id <> '' ORDER BY happened_at, id`, string(consentID))
}

// NewestEntries implements store.AuditReader.
func (r reader) NewestEntries(ctx context.Context, ids []consent.ID, kinds []audit.Kind, each int) ([]audit.Entry, error) {
	var found []audit.Entry
	for rest := texts(ids); len(rest) > 0; {
		in, args := inList(2, &rest)
		of := ` FROM %s WHERE consent_id ` + in + ` AND consent_id <> '' AND kind IN (` + quoted(kinds) + `)`
		more, err := list(ctx, r.q, scanEntry, `SELECT `+auditColumns+` FROM (SELECT `+auditColumns+`, ROW_NUMBER() OVER (PARTITION BY consent_id, kind ORDER BY happened_at DESC, id DESC) AS place FROM (
SELECT `+auditColumns+fmt.Sprintf(of, "evidence")+` UNION ALL SELECT `+auditColumns+fmt.Sprintf(of, "audit_log")+`) e) n WHERE place <= $1 + 0 ORDER BY happened_at, id`,
			append([]any{int64(each)}, args...)...)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	slices.SortStableFunc(found, func(a, b audit.Entry) int { return a.At.Compare(b.At) })
	return found, nil
}

// texts returns those of some ids that a database can hold, as text.
func texts(ids []consent.ID) []string {
	all := make([]string, 0, len(ids))
	for _, id := range ids {
		if storable(string(id)) {
			all = append(all, string(id))
		}
	}
	return all
}

// UnchainedEntries implements store.AuditReader.
func (r reader) UnchainedEntries(ctx context.Context, limit int) ([]audit.Entry, error) {
	return list(ctx, r.q, scanEntry, `SELECT `+auditColumns+` FROM evidence ORDER BY happened_at, id LIMIT $1 + 0`, int64(limit))
}

// NewestUnchained implements store.AuditReader.
func (r reader) NewestUnchained(ctx context.Context, limit int) ([]audit.Entry, error) {
	return list(ctx, r.q, scanEntry, `SELECT `+auditColumns+` FROM evidence ORDER BY happened_at DESC, id DESC LIMIT $1 + 0`, int64(limit))
}

// AddAuditEntry implements store.AuditWriter.
func (t *tx) AddAuditEntry(ctx context.Context, e audit.Entry) error {
	t.entries = append(t.entries, e)
	return t.q.execLater(ctx, `INSERT INTO evidence (`+auditColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`, entryArgs(e)...)
}

const (
	accessWorkers = 2   // statements that run at once
	accessBatch   = 128 // entries in one statement
)

// insertEntriesTexts are the statements for 1, 2, … entries.
var insertEntriesTexts = inserts(`INSERT INTO evidence (`+auditColumns+`) VALUES `, auditFields, accessBatch, ` ON CONFLICT DO NOTHING`)

// RecordAccess implements store.AccessRecorder.
func (s *Store) RecordAccess(ctx context.Context, e audit.Entry) error { return s.access.do(ctx, e) }

// insertEntries stores entries. One that exists was stored by an earlier try.
func insertEntries(ctx context.Context, q querier, batch []*insertion[audit.Entry]) error {
	args := make([]any, 0, len(batch)*auditFields)
	for _, r := range batch {
		args = append(args, entryArgs(r.row)...)
	}
	_, err := q.exec(ctx, insertEntriesTexts[len(batch)], args...)
	return err
}
