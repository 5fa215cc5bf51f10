package sqlstore

import (
	"context"
	"fmt"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

const (
	collectionNames = `id, client_id, user_id, consent_id, company, login_method, mode, attended, accounts, status, created_at, status_changed_at, polled_at, data_until, erased_at, sealed, rev, wake_at, version, starts_at, began_at, mapping`

	insertCollection = `INSERT INTO collections (` + collectionNames + `, keep_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $14)
ON CONFLICT DO NOTHING`

	updateCollection = `UPDATE collections SET consent_id = $3, company = $4, login_method = $5, mode = $6, attended = $7,
accounts = $8, status = $9, status_changed_at = $10, data_until = $11, keep_until = $11, erased_at = $12, sealed = $13,
wake_at = $14, starts_at = $15, began_at = $16, mapping = $17, job_attempts = 0, job_error = '', parked_at = 0, rev = rev + 1 WHERE id = $1 AND rev = $2`
)

var selectCollection = `SELECT ` + columns("k", collectionNames, false) + ` FROM collections k`

// collectionRow is where the columns of collectionNames are read into.
type collectionRow struct {
	k                                                 collection.Collection
	accounts                                          string
	attended                                          int64
	created, changed, polled, dataUntil, erased, wake int64
	starts, began, mapping                            int64
}

func (r *collectionRow) dest() []any {
	k := &r.k
	return []any{&k.ID, &k.ClientID, &k.UserID, (*string)(&k.ConsentID), &k.Company, &k.LoginMethod, (*string)(&k.Mode), &r.attended,
		&r.accounts, (*string)(&k.Status), &r.created, &r.changed, &r.polled, &r.dataUntil, &r.erased, &k.Sealed, &k.Rev, &r.wake, &k.Version, &r.starts, &r.began, &r.mapping}
}

func (r *collectionRow) value() (collection.Collection, error) {
	k := r.k
	k.Attended, k.Sealed = r.attended != 0, fromBlob(k.Sealed)
	k.CreatedAt, k.StatusChangedAt, k.PolledAt = fromMicros(r.created), fromMicros(r.changed), fromMicros(r.polled)
	k.DataUntil, k.ErasedAt, k.WakeAt = fromMicros(r.dataUntil), fromMicros(r.erased), fromMicros(r.wake)
	k.StartsAt, k.BeganAt, k.Mapping = fromMicros(r.starts), fromMicros(r.began), int(r.mapping)
	if r.accounts == "" {
		return k, nil
	}
	return k, decode(r.accounts, &k.Filter)
}

func scanCollection(r rows) (collection.Collection, error) {
	var row collectionRow
	if err := r.Scan(row.dest()...); err != nil {
		return collection.Collection{}, err
	}
	return row.value()
}

func encodeFilter(accounts []string) (string, error) {
	if accounts == nil {
		return "", nil
	}
	return encode(accounts)
}

// Collection implements store.CollectionReader.
func (r reader) Collection(ctx context.Context, id string) (collection.Collection, error) {
	return one(ctx, r.q, scanCollection, selectCollection+` WHERE k.id = $1`, id)
}

// longestQueue is how long a queued collection waits at most before it begins: those that
// were created earlier need not be looked at.
const longestQueue = 8 * 24 * time.Hour

// unattendedSince searches the index collections_unattended once for each consent of
// the lineage. A queued collection counts from when it began.
const unattendedSince = `SELECT CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END AS at FROM collections k
WHERE k.consent_id IN (` + lineageIDs + `) AND k.attended = 0 AND k.created_at > $3
AND (CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END) > $2 ORDER BY at, k.id`

// UnattendedSince implements store.CollectionReader.
func (r reader) UnattendedSince(ctx context.Context, lineage consent.ID, since time.Time) ([]time.Time, error) {
	started, err := list(ctx, r.q, column[int64], unattendedSince, string(lineage), micros(since), micros(since.Add(-longestQueue)))
	if err != nil {
		return nil, err
	}
	times := make([]time.Time, len(started))
	for i, us := range started {
		times[i] = fromMicros(us)
	}
	return times, nil
}

// UnattendedUnder implements store.CollectionReader.
func (r reader) UnattendedUnder(ctx context.Context, ids []consent.ID, since time.Time) (map[consent.ID][]time.Time, error) {
	type begun struct {
		under consent.ID
		at    int64
	}
	all := map[consent.ID][]time.Time{}
	for rest := texts(ids); len(rest) > 0; {
		in, args := inList(3, &rest)
		rows, err := list(ctx, r.q, func(r rows) (b begun, err error) {
			err = r.Scan((*string)(&b.under), &b.at)
			return b, err
		}, `SELECT k.consent_id, CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END AS at FROM collections k
WHERE k.consent_id `+in+` AND k.attended = 0 AND k.created_at > $2 AND (CASE WHEN k.starts_at = 0 THEN k.created_at ELSE k.began_at END) > $1 ORDER BY at, k.id`,
			append([]any{micros(since), micros(since.Add(-longestQueue))}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, b := range rows {
			all[b.under] = append(all[b.under], fromMicros(b.at))
		}
	}
	return all, nil
}

const withData = `SELECT id, company, mapping FROM collections WHERE id > $1 AND id < $2
AND status IN ('` + string(collection.Completed) + `', '` + string(collection.CompletedPartial) + `') AND erased_at = 0 AND data_until > $3
AND ($4 = '' OR company = $4) ORDER BY id LIMIT $5 + 0`

// CollectionsWithData implements store.CollectionReader. The ids are UUIDs of version 7,
// which begin with the time.
func (r reader) CollectionsWithData(ctx context.Context, f store.DataFilter, now time.Time, limit int) ([]store.Mapped, error) {
	after, before := max(f.After, idsFrom(f.Since)), afterAllIDs
	if !f.Until.IsZero() {
		before = idsFrom(f.Until)
	}
	return list(ctx, r.q, scanMapped, withData, after, before, micros(now), f.Company, int64(limit))
}

// idsFrom returns a text that is less than the ids that are made at a time or later, and
// greater than earlier ones.
func idsFrom(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	ms := max(0, t.UnixMilli())
	return fmt.Sprintf("%08x-%04x-", ms>>16, ms&0xffff)
}

func scanMapped(r rows) (m store.Mapped, err error) {
	var mapping int64
	err = r.Scan(&m.ID, &m.Company, &mapping)
	m.Mapping = int(mapping)
	return m, err
}

// AddCollection implements store.CollectionWriter.
func (t *tx) AddCollection(ctx context.Context, k collection.Collection) error {
	accounts, err := encodeFilter(k.Filter)
	if err != nil {
		return err
	}
	t.changesCollection(k.ID)
	n, err := t.q.exec(ctx, insertCollection, k.ID, k.ClientID, nullable(k.UserID), string(k.ConsentID), k.Company, k.LoginMethod,
		string(k.Mode), flag(k.Attended), accounts, string(k.Status), micros(k.CreatedAt), micros(k.StatusChangedAt),
		micros(k.PolledAt), micros(k.DataUntil), micros(k.ErasedAt), blob(k.Sealed), k.Rev, micros(k.WakeAt), k.Version, micros(k.StartsAt), micros(k.BeganAt), int64(k.Mapping))
	return requireRow(n, err, store.ErrExists)
}

// PutCollection implements store.CollectionWriter.
func (t *tx) PutCollection(ctx context.Context, k collection.Collection) (collection.Collection, error) {
	accounts, err := encodeFilter(k.Filter)
	if err != nil {
		return k, err
	}
	t.changesCollection(k.ID)
	n, err := t.q.exec(ctx, updateCollection, k.ID, k.Rev, string(k.ConsentID), k.Company, k.LoginMethod, string(k.Mode),
		flag(k.Attended), accounts, string(k.Status), micros(k.StatusChangedAt), micros(k.DataUntil), micros(k.ErasedAt),
		blob(k.Sealed), micros(k.WakeAt), micros(k.StartsAt), micros(k.BeganAt), int64(k.Mapping))
	if err != nil {
		return k, err
	}
	if n == 0 {
		return k, t.conflict(ctx, "collections", k.ID)
	}
	k.Rev++
	return k, nil
}

// WakeCollection implements store.CollectionWriter.
func (t *tx) WakeCollection(ctx context.Context, id string, now time.Time) error {
	t.changesCollection(id)
	n, err := t.q.exec(ctx, `UPDATE collections SET wake_at = CASE WHEN wake_at > $2 THEN $2 ELSE wake_at END WHERE id = $1`,
		id, micros(now))
	return requireRow(n, err, store.ErrNotFound)
}

// RecordPoll implements store.CollectionWriter.
func (t *tx) RecordPoll(ctx context.Context, id string, at time.Time) error {
	t.changesCollection(id)
	n, err := t.q.exec(ctx, `UPDATE collections SET polled_at = CASE WHEN polled_at < $2 THEN $2 ELSE polled_at END WHERE id = $1`,
		id, micros(at))
	return requireRow(n, err, store.ErrNotFound)
}
