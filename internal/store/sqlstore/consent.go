package sqlstore

import (
	"context"
	"slices"
	"strconv"

	"samla/internal/consent"
	"samla/internal/store"
)

const (
	consentNames = `id, client_id, user_id, collection_id, company, login_method, status, step, requested, granted, created_at, status_changed_at, authorize_by, expires_at, sca_expires_at, revoked_at, failure, open_request_id, authorise_request_id, lineage, renews, renewed_by, expiring_at, visit, person, purpose, sealed, rev, wake_at`

	insertConsent = `INSERT INTO consents (` + consentNames + `)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
ON CONFLICT DO NOTHING`

	updateConsent = `UPDATE consents SET company = $3, login_method = $4, status = $5, step = $6, requested = $7, granted = $8,
status_changed_at = $9, authorize_by = $10, expires_at = $11, sca_expires_at = $12, revoked_at = $13, failure = $14,
open_request_id = $15, authorise_request_id = $16, sealed = $17, wake_at = $18, renewed_by = $19, expiring_at = $20, visit = $21, person = $22,
job_attempts = 0, job_error = '', parked_at = 0, rev = rev + 1 WHERE id = $1 AND rev = $2`
)

var selectConsent = `SELECT ` + columns("c", consentNames, false) + ` FROM consents c `

// consentRow is where the columns of consentNames are read into.
type consentRow struct {
	c                                                                         consent.Consent
	requested, granted, visit                                                 string
	created, changed, authorizeBy, expires, scaExpires, revoked, warned, wake int64
}

func (r *consentRow) dest() []any {
	c := &r.c
	return []any{(*string)(&c.ID), &c.ClientID, &c.UserID, &c.CollectionID, &c.Company, &c.LoginMethod, (*string)(&c.Status),
		(*string)(&c.Step), &r.requested, &r.granted, &r.created, &r.changed, &r.authorizeBy, &r.expires, &r.scaExpires,
		&r.revoked, (*string)(&c.Failure), &c.OpenRequestID, &c.AuthorizeRequestID,
		(*string)(&c.Lineage), (*string)(&c.Renews), (*string)(&c.RenewedBy), &r.warned, &r.visit, &c.Person, &c.Purpose, &c.Sealed, &c.Rev, &r.wake}
}

func (r *consentRow) value() (consent.Consent, error) {
	c := r.c
	c.CreatedAt, c.StatusChangedAt, c.AuthorizeBy = fromMicros(r.created), fromMicros(r.changed), fromMicros(r.authorizeBy)
	c.ExpiresAt, c.SCAExpiresAt, c.RevokedAt = fromMicros(r.expires), fromMicros(r.scaExpires), fromMicros(r.revoked)
	c.Warned, c.WakeAt, c.Sealed = fromMicros(r.warned), fromMicros(r.wake), fromBlob(c.Sealed)
	var err error
	if r.visit != "" {
		c.Visit = new(consent.Visit)
		if err = decode(r.visit, c.Visit); err != nil {
			return c, err
		}
	}
	if c.Requested, err = decodeScope(r.requested); err != nil {
		return c, err
	}
	if r.granted != "" {
		granted, err := decodeScope(r.granted)
		if err != nil {
			return c, err
		}
		c.Granted = &granted
	}
	return c, nil
}

func scanConsent(r rows) (consent.Consent, error) {
	var row consentRow
	if err := r.Scan(row.dest()...); err != nil {
		return consent.Consent{}, err
	}
	return row.value()
}

// scope is a consent.Scope as stored. Unlike on the wire, no account (an empty
// list) and every account (nil) are different.
type scope struct {
	AccountIDs   []string `json:"accountIds"`
	Balances     bool     `json:"balances"`
	Transactions bool     `json:"transactions"`
}

// plainScopes are the scopes of every account, by their text. Nearly all consents
// have one of them, so that a status poll seldom parses a scope.
var plainScopes = func() map[string]consent.Scope {
	known := map[string]consent.Scope{}
	for _, s := range []consent.Scope{{}, {Balances: true}, {Transactions: true}, {Balances: true, Transactions: true}} {
		if text, err := encode(scope(s)); err == nil {
			known[text] = s
		}
	}
	return known
}()

func decodeScope(text string) (consent.Scope, error) {
	if s, ok := plainScopes[text]; ok {
		return s, nil
	}
	var s scope
	err := decode(text, &s)
	return consent.Scope(s), err
}

// encoded are the members of a consent that are stored as JSON.
type encoded struct{ requested, granted, visit string }

func encodeMembers(c consent.Consent) (e encoded, err error) {
	if e.requested, err = encode(scope(c.Requested)); err != nil {
		return e, err
	}
	if c.Granted != nil {
		if e.granted, err = encode(scope(*c.Granted)); err != nil {
			return e, err
		}
	}
	if c.Visit != nil {
		e.visit, err = encode(c.Visit)
	}
	return e, err
}

// Consent implements store.ConsentReader.
func (r reader) Consent(ctx context.Context, id consent.ID) (consent.Consent, error) {
	return one(ctx, r.q, scanConsent, selectConsent+`WHERE c.id = $1`, string(id))
}

// listConsents are the queries for the first page of a list and for a later one.
var listConsents, listConsentsAfter = func() (first, later string) {
	page := func(after string) string {
		return packed(`SELECT c.id, c.company, c.status, c.requested, c.expires_at, c.renews, c.renewed_by FROM consents c
WHERE c.user_id = $1 AND c.client_id = $2 AND c.collection_id = ''`+after+` ORDER BY c.id DESC LIMIT $3 + 0`,
			`row.id`, `row.company`, `row.status`, `row.requested`, `row.expires_at`, `row.renews`, `row.renewed_by`)
	}
	return page(``), page(` AND c.id < $4`)
}()

func readConsentSummary(fields []string) (consent.Summary, error) {
	s := consent.Summary{ID: consent.ID(fields[0]), Company: fields[1], Status: consent.Status(fields[2]),
		Renews: consent.ID(fields[5]), RenewedBy: consent.ID(fields[6])}
	expires, err := strconv.ParseInt(fields[4], 10, 64)
	if err != nil {
		return s, err
	}
	s.ExpiresAt = fromMicros(expires)
	s.Requested, err = decodeScope(fields[3])
	return s, err
}

// ConsentsOf implements store.ConsentReader.
func (r reader) ConsentsOf(ctx context.Context, clientID, userID string, p store.Page) ([]consent.Summary, error) {
	text, args := listConsents, []any{userID, clientID, int64(p.Limit)}
	if p.After != "" {
		text, args = listConsentsAfter, append(args, p.After)
	}
	return listPacked(ctx, r.q, 7, readConsentSummary, text, args...)
}

// live are the statuses that are not final.
var live = slices.DeleteFunc(consent.Statuses(), consent.Status.Final)

// liveConsents has the condition of the index consents_live word for word, so that
// both engines use the index.
var liveConsents = selectConsent + `WHERE c.user_id = $1 AND c.client_id = $2 AND c.status IN (` + quoted(live) + `)
ORDER BY c.id DESC LIMIT $3 + 0`

// LiveConsents implements store.ConsentReader.
func (r reader) LiveConsents(ctx context.Context, clientID, userID string, limit int) ([]consent.Consent, error) {
	return list(ctx, r.q, scanConsent, liveConsents, userID, clientID, int64(limit))
}

// lineageConsents uses the primary key and the index consents_lineage.
var lineageConsents = selectConsent + `WHERE c.id IN (` + lineageIDs + `) ORDER BY c.id DESC`

// lineageIDs selects the ids of the lineage $1. It has the condition of the index word
// for word.
const lineageIDs = `SELECT $1 UNION ALL SELECT l.id FROM consents l WHERE l.lineage = $1 AND l.lineage <> ''`

// LineageConsents implements store.ConsentReader.
func (r reader) LineageConsents(ctx context.Context, lineage consent.ID) ([]consent.Consent, error) {
	return list(ctx, r.q, scanConsent, lineageConsents, string(lineage))
}

// AddConsent implements store.ConsentWriter.
func (t *tx) AddConsent(ctx context.Context, c consent.Consent) error {
	e, err := encodeMembers(c)
	if err != nil {
		return err
	}
	t.changesConsent(string(c.ID), c.CollectionID)
	n, err := t.q.exec(ctx, insertConsent, string(c.ID), c.ClientID, nullable(c.UserID), c.CollectionID, c.Company, c.LoginMethod,
		string(c.Status), string(c.Step), e.requested, e.granted, micros(c.CreatedAt), micros(c.StatusChangedAt),
		micros(c.AuthorizeBy), micros(c.ExpiresAt), micros(c.SCAExpiresAt), micros(c.RevokedAt), string(c.Failure),
		c.OpenRequestID, c.AuthorizeRequestID, string(c.Lineage), string(c.Renews), string(c.RenewedBy), micros(c.Warned), e.visit, c.Person, c.Purpose,
		blob(c.Sealed), c.Rev, micros(c.WakeAt))
	return requireRow(n, err, store.ErrExists)
}

// PutConsent implements store.ConsentWriter.
func (t *tx) PutConsent(ctx context.Context, c consent.Consent) (consent.Consent, error) {
	e, err := encodeMembers(c)
	if err != nil {
		return c, err
	}
	t.changesConsent(string(c.ID), c.CollectionID)
	n, err := t.q.exec(ctx, updateConsent, string(c.ID), c.Rev, c.Company, c.LoginMethod, string(c.Status), string(c.Step),
		e.requested, e.granted, micros(c.StatusChangedAt), micros(c.AuthorizeBy), micros(c.ExpiresAt), micros(c.SCAExpiresAt),
		micros(c.RevokedAt), string(c.Failure), c.OpenRequestID, c.AuthorizeRequestID, blob(c.Sealed), micros(c.WakeAt),
		string(c.RenewedBy), micros(c.Warned), e.visit, c.Person)
	if err != nil {
		return c, err
	}
	if n == 0 {
		return c, t.conflict(ctx, "consents", string(c.ID))
	}
	c.Rev++
	return c, nil
}

// LockConsent implements store.ConsentWriter.
func (t *tx) LockConsent(ctx context.Context, id consent.ID) (consent.Consent, error) {
	return one(ctx, t.q, scanConsent, selectConsent+`WHERE c.id = $1`+t.locks.forUpdate, string(id))
}
