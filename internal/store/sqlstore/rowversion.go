package sqlstore

import (
	"context"
	"sync"

	"samla/internal/store"
	"samla/internal/user"
)

// rowVersion changes whenever the view of a row does.
type rowVersion struct{ rev, innerRev, polledAt, anonymized int64 }

// versionCache keeps views where other processes write too. A poll reads only the
// version of a row, and takes the view from the cache when the version is still
// the same. A version has a few bytes and nothing to decode, a row has a sealed
// part. When nothing was committed to the database since the versions were read, no row
// is read at all. The answer is as fresh as the snapshot that was read. A nil
// versionCache keeps nothing.
type versionCache[V any] struct {
	text    string // query for ids = ANY($1), unless the snapshot is still $2: see versionsOf
	version func(V) rowVersion

	mu            sync.Mutex
	snapshot      string // of the database, at the last query; "" = not known
	number        uint64 // of that snapshot
	recent, older map[string]checkedView[V]
}

// checkedView is a view whose row had its version in the snapshot of this number.
type checkedView[V any] struct {
	view V
	at   uint64
}

// maxVersions is how many views a versionCache keeps. Then the older half is
// dropped.
const maxVersions = 32 << 10

const isAnonymized = `CASE WHEN COALESCE(u.anonymized_at, 0) = 0 THEN 0::bigint ELSE 1::bigint END`

var (
	consentVersions = versionsOf(`c.id, c.rev, 0::bigint, 0::bigint, `+isAnonymized,
		`consents c LEFT JOIN users u ON u.id = c.user_id`, `c.id`)

	collectionVersions = versionsOf(`k.id, k.rev, COALESCE(c.rev, 0), k.polled_at, `+isAnonymized,
		`collections k LEFT JOIN users u ON u.id = k.user_id LEFT JOIN consents c ON `+innerConsent, `k.id`)

	userVersions = versionsOf(`u.id, u.updated_at, 0::bigint, 0::bigint, `+isAnonymized, `users u`, `u.id`)
)

// versionsOf returns a query for ids and the members of rowVersion. Its first row has no
// id, and the snapshot of the query in its last column. Two snapshots with the same text
// see the same rows: a transaction that commits in between takes an id that the second
// one knows, or leaves the list of the running ones. So the rows are not read when the
// snapshot is still $2; the engine evaluates that condition once.
func versionsOf(columns, tables, id string) string {
	return `SELECT '', 0::bigint, 0::bigint, 0::bigint, 0::bigint, pg_current_snapshot()::text
UNION ALL SELECT ` + columns + `, '' FROM ` + tables + ` WHERE pg_current_snapshot()::text <> $2 AND ` + id + ` = ANY($1)`
}

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

// userVersion: a user changes once, when it is anonymized.
func userVersion(u user.User) rowVersion {
	return rowVersion{rev: micros(u.UpdatedAt), anonymized: flag(u.Anonymized())}
}

func newVersionCache[V any](text string, version func(V) rowVersion) *versionCache[V] {
	return &versionCache[V]{text: text, version: version, recent: map[string]checkedView[V]{}}
}

// read calls set with each cached view whose row still has its version, and returns
// the other ids.
func (c *versionCache[V]) read(ctx context.Context, q querier, ids []string, set func(id string, v V)) ([]string, error) {
	if c == nil {
		return ids, nil
	}
	cached, others, known := c.get(ids)
	if len(cached) == 0 {
		return others, nil
	}
	asked := make([]string, 0, len(cached))
	for id := range cached {
		asked = append(asked, id)
	}
	now, snapshot, err := c.versions(ctx, q, asked, known)
	if err != nil {
		c.saw("") // what the database does meanwhile is not known
		return nil, err
	}
	if snapshot == known {
		for id, v := range cached {
			set(id, v)
		}
		return others, nil
	}
	number := c.saw(snapshot)
	for id, version := range now {
		v := cached[id]
		if c.version(v) != version {
			others = append(others, id)
			continue
		}
		set(id, v)
		c.check(id, v, number)
	}
	return others, nil
}

// versions returns the versions of rows, and the snapshot in which they were read. If
// that is still the known one, there are no versions.
func (c *versionCache[V]) versions(ctx context.Context, q querier, ids []string, known string) (now map[string]rowVersion, snapshot string, err error) {
	found, err := q.query(ctx, c.text, ids, known)
	if err != nil {
		return nil, "", err
	}
	defer found.Close()
	now = make(map[string]rowVersion, len(ids))
	for found.Next() {
		var id, seen string
		var v rowVersion
		if err := found.Scan(&id, &v.rev, &v.innerRev, &v.polledAt, &v.anonymized, &seen); err != nil {
			return nil, "", err
		}
		if id == "" {
			snapshot = seen
		} else {
			now[id] = v
		}
	}
	return now, snapshot, found.Err()
}

// get splits ids into those with a cached view and the others. It also returns the last
// snapshot, if all cached views were checked in it; else "".
func (c *versionCache[V]) get(ids []string) (cached map[string]V, others []string, known string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cached, known = make(map[string]V, len(ids)), c.snapshot
	for _, id := range ids {
		v, ok := c.recent[id]
		if !ok {
			if v, ok = c.older[id]; ok {
				c.set(id, v)
			}
		}
		if !ok {
			others = append(others, id)
			continue
		}
		cached[id] = v.view
		if v.at != c.number {
			known = ""
		}
	}
	return cached, others, known
}

// saw notes the snapshot of the last query and returns its number.
func (c *versionCache[V]) saw(snapshot string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.snapshot != snapshot || snapshot == "" {
		c.snapshot = snapshot
		c.number++
	}
	return c.number
}

// put caches a view that was read.
func (c *versionCache[V]) put(id string, v V) {
	if c != nil {
		c.check(id, v, 0)
	}
}

// check caches a view that was checked in a snapshot; 0 is none.
func (c *versionCache[V]) check(id string, v V, at uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set(id, checkedView[V]{v, at})
}

// set caches a view. The caller holds the lock.
func (c *versionCache[V]) set(id string, v checkedView[V]) {
	if len(c.recent) >= maxVersions/2 {
		c.older, c.recent = c.recent, make(map[string]checkedView[V], maxVersions/2)
	}
	c.recent[id] = v
}
