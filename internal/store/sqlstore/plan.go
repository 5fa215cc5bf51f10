package sqlstore

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/quota"
	"samla/internal/store"
)

// RefreshPlan implements store.PlanReader.
func (r reader) RefreshPlan(ctx context.Context, clientID, userID string) (quota.Refresh, error) {
	return one(ctx, r.q, func(r rows) (p quota.Refresh, err error) {
		var perDay, created, updated int64
		var lineages string
		if err = r.Scan(&p.UserID, &p.ClientID, &perDay, &lineages, &created, &updated); err != nil {
			return p, err
		}
		p.PerDay, p.CreatedAt, p.UpdatedAt = int(perDay), fromMicros(created), fromMicros(updated)
		if lineages != "" {
			err = decode(lineages, &p.Lineages)
		}
		return p, err
	}, `SELECT user_id, client_id, per_day, consents, created_at, updated_at FROM refresh_plans WHERE user_id = $1 AND client_id = $2`, userID, clientID)
}

// authorizedConsents uses the index consents_live.
const authorizedConsents = ` FROM consents c WHERE c.user_id = $1 AND c.client_id = $2 AND c.collection_id = ''
AND c.status IN ('INITIATED', 'AWAITING_AUTHORIZATION', 'AUTHORIZED') AND c.status = 'AUTHORIZED' ORDER BY c.id DESC LIMIT $3 + 0`

// AuthorizedConsents implements store.PlanReader.
func (r reader) AuthorizedConsents(ctx context.Context, clientID, userID string, limit int) ([]consent.Consent, error) {
	return list(ctx, r.q, scanConsent, `SELECT `+columns("c", consentNames, false)+authorizedConsents, userID, clientID, int64(limit))
}

// ConsentsByID implements store.PlanReader.
func (r reader) ConsentsByID(ctx context.Context, clientID, userID string, ids []consent.ID) ([]consent.Consent, error) {
	var found []consent.Consent
	for rest := texts(ids); len(rest) > 0; {
		in, args := inList(3, &rest)
		more, err := list(ctx, r.q, scanConsent, selectConsent+`WHERE c.user_id = $1 AND c.client_id = $2 AND c.collection_id = '' AND c.id `+in+
			` ORDER BY c.id DESC`, append([]any{userID, clientID}, args...)...)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// UnattendedCalls implements store.PlanReader.
func (r reader) UnattendedCalls(ctx context.Context, lineage consent.ID, since time.Time) ([]quota.Read, error) {
	return list(ctx, r.q, func(r rows) (read quota.Read, err error) {
		var at, calls int64
		err = r.Scan(&read.Counter, &at, &calls)
		read.At, read.Calls = fromMicros(at), int(calls)
		return read, err
	}, `SELECT counter, called_at, calls FROM unattended_calls WHERE lineage = $1 AND called_at > $2 ORDER BY called_at, counter`,
		string(lineage), micros(since))
}

// lastReads returns the query of LastReads for a number of statuses: one for each part. They
// use the index collections_consent.
func lastReads(statuses int) string {
	newest := func(i int, condition string) string {
		return `SELECT r` + strconv.Itoa(i) + `.* FROM (SELECT k.id, k.attended, k.status, CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END AS began, k.accounts
FROM collections k WHERE k.mode = 'STORED' AND k.consent_id IN (` + lineageIDs + `) AND (k.starts_at = 0 OR k.began_at > 0)` + condition +
			` ORDER BY k.id DESC LIMIT 1) AS r` + strconv.Itoa(i)
	}
	text := newest(0, ``)
	for i := range statuses {
		text += ` UNION ALL ` + newest(i+1, ` AND k.status = $`+strconv.Itoa(i+2))
	}
	return text
}

// unattendedRunning searches the index collections_unattended, as unattendedSince does.
const unattendedRunning = `SELECT k.id, k.attended, k.status, CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END AS began, k.accounts FROM collections k
WHERE k.consent_id IN (` + lineageIDs + `) AND k.attended = 0 AND k.created_at > $3 AND k.status IN ('RUNNING', 'COLLECTING')
AND (CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END) > $2 ORDER BY began DESC, k.id DESC`

func scanLineageRead(r rows) (read store.LineageRead, err error) {
	var attended, began int64
	var accounts string
	err = r.Scan(&read.ID, &attended, (*string)(&read.Status), &began, &accounts)
	read.Attended, read.BeganAt, read.Filtered = attended != 0, fromMicros(began), accounts != ""
	return read, err
}

// LastReads implements store.PlanReader.
func (r reader) LastReads(ctx context.Context, lineage consent.ID, in []collection.Status) ([]store.LineageRead, error) {
	args := []any{string(lineage)}
	for _, status := range in {
		args = append(args, string(status))
	}
	return list(ctx, r.q, scanLineageRead, lastReads(len(in)), args...)
}

// UnattendedRunning implements store.PlanReader.
func (r reader) UnattendedRunning(ctx context.Context, lineage consent.ID, since time.Time) ([]store.LineageRead, error) {
	return list(ctx, r.q, scanLineageRead, unattendedRunning, string(lineage), micros(since), micros(since.Add(-longestQueue)))
}

// PutRefreshPlan implements store.PlanWriter.
func (t *tx) PutRefreshPlan(ctx context.Context, p quota.Refresh) error {
	lineages := ""
	if p.Lineages != nil {
		var err error
		if lineages, err = encode(p.Lineages); err != nil {
			return err
		}
	}
	return t.q.execLater(ctx, `INSERT INTO refresh_plans (user_id, client_id, per_day, consents, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id) DO UPDATE SET per_day = excluded.per_day, consents = excluded.consents, updated_at = excluded.updated_at`,
		p.UserID, p.ClientID, int64(p.PerDay), lineages, micros(p.CreatedAt), micros(p.UpdatedAt))
}

// DeleteRefreshPlan implements store.PlanWriter.
func (t *tx) DeleteRefreshPlan(ctx context.Context, clientID, userID string) error {
	n, err := t.q.exec(ctx, `DELETE FROM refresh_plans WHERE user_id = $1 AND client_id = $2`, userID, clientID)
	return requireRow(n, err, store.ErrNotFound)
}

// DeletePlansOf implements store.PlanWriter.
func (t *tx) DeletePlansOf(ctx context.Context, clientID, userID string) error {
	if err := t.q.execLater(ctx, `DELETE FROM refresh_plans WHERE user_id = $1 AND client_id = $2`, userID, clientID); err != nil {
		return err
	}
	return t.q.execLater(ctx, `DELETE FROM schedules WHERE user_id = $1 AND client_id = $2`, userID, clientID)
}

// CountCalls implements store.PlanWriter. The order of the rows is always the same, so that
// two transactions do not lock them in opposite orders.
func (t *tx) CountCalls(ctx context.Context, lineage consent.ID, collectionID string, at time.Time, calls map[string]int) error {
	for _, counter := range slices.Sorted(maps.Keys(calls)) {
		if err := t.q.execLater(ctx, `INSERT INTO unattended_calls (collection_id, counter, lineage, called_at, calls)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (collection_id, counter) DO UPDATE SET called_at = excluded.called_at, calls = unattended_calls.calls + excluded.calls`,
			collectionID, counter, string(lineage), micros(at), int64(calls[counter])); err != nil {
			return err
		}
	}
	return nil
}

// sweepCalls deletes calls that count no more.
func (t *tx) sweepCalls(ctx context.Context, now time.Time) (int64, error) {
	return t.q.exec(ctx, `DELETE FROM unattended_calls WHERE (collection_id, counter) IN
(SELECT collection_id, counter FROM unattended_calls WHERE called_at < $1 ORDER BY called_at LIMIT $2 + 0)`,
		micros(now.Add(-2*quota.Window)), int64(sweepRows))
}
