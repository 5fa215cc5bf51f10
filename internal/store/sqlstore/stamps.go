package sqlstore

import (
	"context"
	"sync"

	"samla/internal/store"
)

// stamp changes whenever the view that it is of does.
type stamp struct{ rev, inner, polled, gone int64 }

// stamps remembers views where other processes write too. A poll asks for a
// row's stamp only and takes the view from memory when it is still the one: that
// is a few bytes instead of a row with its sealed part, and nothing to decode.
// What a poll sees is as fresh as the stamp it has read.
type stamps[V any] struct {
	text string // query for ids = ANY($1): id and the stamp's members
	of   func(V) stamp

	mu         sync.Mutex
	young, old map[string]V
}

// stampsKept is how many views are remembered before the older half goes.
const stampsKept = 32 << 10

const (
	stampConsents = `SELECT c.id, c.rev, 0::bigint, 0::bigint, CASE WHEN COALESCE(u.anonymized_at, 0) = 0 THEN 0::bigint ELSE 1::bigint END
FROM consents c LEFT JOIN users u ON u.id = c.user_id WHERE c.id = ANY($1)`
)

var stampCollections = `SELECT k.id, k.rev, COALESCE(c.rev, 0), k.polled_at, CASE WHEN COALESCE(u.anonymized_at, 0) = 0 THEN 0::bigint ELSE 1::bigint END
FROM collections k LEFT JOIN users u ON u.id = k.user_id LEFT JOIN consents c ON ` + innerConsent + ` WHERE k.id = ANY($1)`

func stampOfConsent(v store.ConsentView) stamp {
	return stamp{rev: v.Rev, gone: flag(v.UserGone)}
}

func stampOfCollection(v store.CollectionView) stamp {
	s := stamp{rev: v.Rev, polled: micros(v.PolledAt), gone: flag(v.UserGone)}
	if v.Consent != nil {
		s.inner = v.Consent.Rev
	}
	return s
}

// newStamps returns nil, which remembers nothing, unless wanted.
func newStamps[V any](wanted bool, text string, of func(V) stamp) *stamps[V] {
	if !wanted {
		return nil
	}
	return &stamps[V]{text: text, of: of, young: map[string]V{}}
}

// recall finds the remembered views of ids that are still true, tells them, and
// returns the other ids.
func (s *stamps[V]) recall(ctx context.Context, q querier, ids []string, tell func(id string, v V)) ([]string, error) {
	if s == nil {
		return ids, nil
	}
	known, ids := s.known(ids)
	if len(known) == 0 {
		return ids, nil
	}
	asked := make([]string, 0, len(known))
	for id := range known {
		asked = append(asked, id)
	}
	found, err := q.query(ctx, s.text, asked)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var id string
		var now stamp
		if err := found.Scan(&id, &now.rev, &now.inner, &now.polled, &now.gone); err != nil {
			return nil, err
		}
		if v := known[id]; s.of(v) == now {
			tell(id, v)
			continue
		}
		ids = append(ids, id)
	}
	return ids, found.Err()
}

// known splits ids into those with a remembered view and the others.
func (s *stamps[V]) known(ids []string) (known map[string]V, others []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known = make(map[string]V, len(ids))
	for _, id := range ids {
		v, ok := s.young[id]
		if !ok {
			if v, ok = s.old[id]; ok {
				s.keep(id, v)
			}
		}
		if ok {
			known[id] = v
		} else {
			others = append(others, id)
		}
	}
	return known, others
}

// remember keeps a view that was read in full.
func (s *stamps[V]) remember(id string, v V) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(id, v)
}

func (s *stamps[V]) keep(id string, v V) {
	if len(s.young) >= stampsKept/2 {
		s.old, s.young = s.young, make(map[string]V, stampsKept/2)
	}
	s.young[id] = v
}
