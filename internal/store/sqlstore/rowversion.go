package sqlstore

import (
	"context"
	"sync"

	"samla/internal/store"
)

// rowVersion changes whenever the view of a row does.
type rowVersion struct{ rev, innerRev, polledAt, anonymized int64 }

// versionCache keeps views where other processes write too. A poll reads only the
// version of a row, and takes the view from the cache when the version is still
// the same. A version has a few bytes and nothing to decode, a row has a sealed
// part. The answer is as fresh as the version that was read. A nil versionCache
// keeps nothing.
type versionCache[V any] struct {
	text    string // query for ids = ANY($1): id and the members of rowVersion
	version func(V) rowVersion

	mu            sync.Mutex
	recent, older map[string]V
}

// maxVersions is how many views a versionCache keeps. Then the older half is
// dropped.
const maxVersions = 32 << 10

const isAnonymized = `CASE WHEN COALESCE(u.anonymized_at, 0) = 0 THEN 0::bigint ELSE 1::bigint END`

var (
	consentVersions = `SELECT c.id, c.rev, 0::bigint, 0::bigint, ` + isAnonymized + `
FROM consents c LEFT JOIN users u ON u.id = c.user_id WHERE c.id = ANY($1)`

	collectionVersions = `SELECT k.id, k.rev, COALESCE(c.rev, 0), k.polled_at, ` + isAnonymized + `
FROM collections k LEFT JOIN users u ON u.id = k.user_id LEFT JOIN consents c ON ` + innerConsent + ` WHERE k.id = ANY($1)`
)

func consentVersion(v store.ConsentView) rowVersion {
	return rowVersion{rev: v.Rev, anonymized: flag(v.UserAnonymized)}
}

func collectionVersion(v store.CollectionView) rowVersion {
	version := rowVersion{rev: v.Rev, polledAt: micros(v.PolledAt), anonymized: flag(v.UserAnonymized)}
	if v.Consent != nil {
		version.innerRev = v.Consent.Rev
	}
	return version
}

func newVersionCache[V any](text string, version func(V) rowVersion) *versionCache[V] {
	return &versionCache[V]{text: text, version: version, recent: map[string]V{}}
}

// read calls set with each cached view whose row still has its version, and returns
// the other ids.
func (c *versionCache[V]) read(ctx context.Context, q querier, ids []string, set func(id string, v V)) ([]string, error) {
	if c == nil {
		return ids, nil
	}
	cached, others := c.get(ids)
	if len(cached) == 0 {
		return others, nil
	}
	asked := make([]string, 0, len(cached))
	for id := range cached {
		asked = append(asked, id)
	}
	found, err := q.query(ctx, c.text, asked)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var id string
		var now rowVersion
		if err := found.Scan(&id, &now.rev, &now.innerRev, &now.polledAt, &now.anonymized); err != nil {
			return nil, err
		}
		if v := cached[id]; c.version(v) == now {
			set(id, v)
		} else {
			others = append(others, id)
		}
	}
	return others, found.Err()
}

// get splits ids into those with a cached view and the others.
func (c *versionCache[V]) get(ids []string) (cached map[string]V, others []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cached = make(map[string]V, len(ids))
	for _, id := range ids {
		v, ok := c.recent[id]
		if !ok {
			if v, ok = c.older[id]; ok {
				c.set(id, v)
			}
		}
		if ok {
			cached[id] = v
		} else {
			others = append(others, id)
		}
	}
	return cached, others
}

// put caches a view that was read.
func (c *versionCache[V]) put(id string, v V) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(id, v)
}

// set caches a view. The caller holds the lock.
func (c *versionCache[V]) set(id string, v V) {
	if len(c.recent) >= maxVersions/2 {
		c.older, c.recent = c.recent, make(map[string]V, maxVersions/2)
	}
	c.recent[id] = v
}
