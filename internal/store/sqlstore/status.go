package sqlstore

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
	"samla/internal/user"
)

var (
	// consentViews, collectionViews and userViews end before their IN list.
	consentViews = `SELECT ` + columns("c", consentNames, false) + `, COALESCE(u.anonymized_at, 0)
FROM consents c LEFT JOIN users u ON u.id = c.user_id WHERE c.id `

	collectionViews = `SELECT ` + columns("k", collectionNames, false) + `, COALESCE(u.anonymized_at, 0), ` +
		columns("c", consentNames, true) + `
FROM collections k LEFT JOIN users u ON u.id = k.user_id
LEFT JOIN consents c ON ` + innerConsent + `
WHERE k.id `

	userViews = `SELECT ` + userColumns + ` FROM users WHERE id `

	// innerConsent joins the consent that lives inside a collection.
	innerConsent = `c.id = k.consent_id AND k.mode = '` + string(collection.OneTime) + `' AND k.status IN (` + quoted(running) + `)`
)

// statusReader answers status polls. Where this process is the only writer, it
// answers from a status cache. Else polls share queries, and on PostgreSQL such a
// query reads only the versions of rows whose views are in memory.
type statusReader struct {
	consents    *statusBatcher[store.ConsentView]
	collections *statusBatcher[store.CollectionView]
	users       *statusBatcher[user.User]
}

// newStatusReader returns a reader with a status cache if onlyWriter is set, and
// with a version cache if the engine has arrays, which its queries need.
func newStatusReader(q querier, onlyWriter, arrays bool) statusReader {
	r := statusReader{newStatusBatcher(q, consentViews, scanConsentView), newStatusBatcher(q, collectionViews, scanCollectionView),
		newStatusBatcher(q, userViews, scanUserView)}
	if arrays {
		r.consents.versions = newVersionCache(consentVersions, consentVersion)
		r.collections.versions = newVersionCache(collectionVersions, collectionVersion)
		r.users.versions = newVersionCache(userVersions, userVersion)
		r.consents.gathers, r.collections.gathers, r.users.gathers = true, true, true
	}
	if onlyWriter {
		r.consents.cache, r.collections.cache = newStatusCache[store.ConsentView](), newStatusCache[store.CollectionView]()
		r.users.cache = newStatusCache[user.User]()
	}
	return r
}

// beginWrite keeps views that a transaction changes out of the status caches until
// endWrite.
func (r statusReader) beginWrite(t *tx) {
	r.consents.cache.beginWrite(t.changed, t.allChanged)
	r.collections.cache.beginWrite(t.changed, t.allChanged)
	r.users.cache.beginWrite(nil, t.allChanged) // a user changes together with the views
}

func (r statusReader) endWrite(t *tx) {
	r.consents.cache.endWrite(t.changed, t.allChanged)
	r.collections.cache.endWrite(t.changed, t.allChanged)
	r.users.cache.endWrite(nil, t.allChanged)
}

// ConsentStatus implements store.StatusReader. Callers share what the view points
// to and must not write to it.
func (s *Store) ConsentStatus(ctx context.Context, id consent.ID) (store.ConsentView, error) {
	return s.status.consents.get(ctx, string(id))
}

// CollectionStatus implements store.StatusReader. Callers share what the view
// points to and must not write to it.
func (s *Store) CollectionStatus(ctx context.Context, id string) (store.CollectionView, error) {
	return s.status.collections.get(ctx, id)
}

// UserStatus implements store.StatusReader.
func (s *Store) UserStatus(ctx context.Context, id string) (user.User, error) {
	return s.status.users.get(ctx, id)
}

func scanUserView(r rows) (id string, u user.User, err error) {
	u, err = scanUser(r)
	return u.ID, u, err
}

func scanConsentView(r rows) (id string, v store.ConsentView, err error) {
	var row consentRow
	var anonymized int64
	if err := r.Scan(append(row.dest(), &anonymized)...); err != nil {
		return "", v, err
	}
	v.Consent, err = row.value()
	v.WakeAt, v.UserAnonymized = time.Time{}, anonymized != 0
	return string(v.ID), v, err
}

func scanCollectionView(r rows) (id string, v store.CollectionView, err error) {
	var row collectionRow
	var inner consentRow
	var anonymized int64
	if err := r.Scan(append(append(row.dest(), &anonymized), inner.dest()...)...); err != nil {
		return "", v, err
	}
	if v.Collection, err = row.value(); err != nil {
		return "", v, err
	}
	v.WakeAt, v.UserAnonymized = time.Time{}, anonymized != 0
	if inner.c.ID != "" {
		c, err := inner.value()
		if err != nil {
			return "", v, err
		}
		c.WakeAt = time.Time{}
		v.Consent = &c
	}
	return v.ID, v, nil
}
