package sqlstore

import (
	"context"
	"time"

	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/store"
)

var (
	pollConsents = `SELECT ` + columns("c", consentNames, false) + `, COALESCE(u.anonymized_at, 0)
FROM consents c LEFT JOIN users u ON u.id = c.user_id WHERE c.id `

	pollCollections = `SELECT ` + columns("k", collectionNames, false) + `, COALESCE(u.anonymized_at, 0), ` +
		columns("c", consentNames, true) + `
FROM collections k LEFT JOIN users u ON u.id = k.user_id
LEFT JOIN consents c ON ` + innerConsent + `
WHERE k.id `

	// innerConsent joins the consent that lives inside a collection.
	innerConsent = `c.id = k.consent_id AND k.mode = '` + string(collection.OneTime) + `' AND k.status IN (` + quoted(running) + `)`
)

// hot answers status polls: from memory where this process is the only writer,
// else by queries that polls share, and on PostgreSQL from memory that such a
// query has just found to be true.
type hot struct {
	consents    *polls[store.ConsentView]
	collections *polls[store.CollectionView]
}

// newHot is told whether this process is the only writer, and whether the engine
// has arrays, which stamps are asked for with.
func newHot(q querier, cached, arrays bool) hot {
	h := hot{consents: newPolls(q, pollConsents, scanConsentView), collections: newPolls(q, pollCollections, scanCollectionView)}
	h.consents.stamps = newStamps(arrays, stampConsents, stampOfConsent)
	h.collections.stamps = newStamps(arrays, stampCollections, stampOfCollection)
	if cached {
		h.consents.cache, h.collections.cache = newCache[store.ConsentView](), newCache[store.CollectionView]()
	}
	return h
}

// hold keeps polls away from the memory of what a transaction is about to
// change; release lets them back when the outcome can be read.
func (h hot) hold(t *tx) {
	h.consents.cache.hold(t.touched, t.all)
	h.collections.cache.hold(t.touched, t.all)
}

func (h hot) release(t *tx) {
	h.consents.cache.release(t.touched, t.all)
	h.collections.cache.release(t.touched, t.all)
}

// ConsentStatus implements store.StatusReader. Callers share what the view points to and
// must not write to it.
func (s *Store) ConsentStatus(ctx context.Context, id consent.ID) (store.ConsentView, error) {
	return s.hot.consents.get(ctx, string(id))
}

// CollectionStatus implements store.StatusReader. Callers share what the view points to
// and must not write to it.
func (s *Store) CollectionStatus(ctx context.Context, id string) (store.CollectionView, error) {
	return s.hot.collections.get(ctx, id)
}

func scanConsentView(r rows) (id string, v store.ConsentView, err error) {
	var row consentRow
	var gone int64
	if err := r.Scan(append(row.dest(), &gone)...); err != nil {
		return "", v, err
	}
	v.Consent, err = row.value()
	v.WakeAt, v.UserGone = time.Time{}, gone != 0
	return string(v.ID), v, err
}

func scanCollectionView(r rows) (id string, v store.CollectionView, err error) {
	var row collectionRow
	var inner consentRow
	var gone int64
	if err := r.Scan(append(append(row.dest(), &gone), inner.dest()...)...); err != nil {
		return "", v, err
	}
	if v.Collection, err = row.value(); err != nil {
		return "", v, err
	}
	v.WakeAt, v.UserGone = time.Time{}, gone != 0
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
