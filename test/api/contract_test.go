package api

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"samla/internal/wire"
	"samla/internal/wire/wiretest"
	"samla/test/harness"
)

// walk calls every operation of a version, and keeps which documented answers it got.
// Every exchange is validated with the contract as always.
type walk struct {
	*env
	store    string
	contract *wiretest.Contract
	mu       sync.Mutex
	seen     map[wiretest.Documented]bool
}

func (w *walk) observe(d wiretest.Documented) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[d] = true
}

// in returns a client that speaks the version of the walk and is observed.
func (w *walk) in(c client) client {
	c.Contract, c.Observe = w.contract, w.observe
	return c
}

// of returns the walk in another env.
func (w *walk) of(e *env) *walk {
	inner := &walk{env: e, store: w.store, contract: w.contract, seen: w.seen}
	inner.acme, inner.other = w.in(e.acme), w.in(e.other)
	return inner
}

// operations calls visit for every operation of the version, with unknownID in its path.
func (w *walk) operations(visit func(op wire.Operation, path string)) {
	visitOperations(w.contract, visit)
}

// unreachable are documented answers that no request to a sound server gets, and where
// they are shown instead. Some are of one store only, whose name is before them.
var unreachable = map[string]string{
	"getHealth 500 INTERNAL_ERROR":    "it reads nothing that can fail; internal/api TestHandler_AnswersPanics shows the answer to a defect",
	"getOpenApi 500 INTERNAL_ERROR":   "as getHealth",
	"getStatus 500 INTERNAL_ERROR":    "as getHealth: what it tells is in memory",
	"getJwks 500 INTERNAL_ERROR":      "as getHealth: the keys are in memory",
	"getReadiness 500 INTERNAL_ERROR": "as getHealth: a database that fails is 503",

	"sqlite getConsentStatus 503 SERVICE_UNAVAILABLE":          "its time is bounded by the store, and a file that is open does not go away; shown on PostgreSQL",
	"sqlite getCollectionStatus 503 SERVICE_UNAVAILABLE":       "as getConsentStatus",
	"sqlite getWealthCollectionStatus 503 SERVICE_UNAVAILABLE": "as getConsentStatus",
}

// Every answer that a document declares is given, over both stores, and is valid by it
// (docs/reference/api.md 2, 1.6; docs/reference/products.md 10.1). An answer that is added to a
// document fails this test until a row gets it.
func TestContract_EveryDocumentedAnswerIsGiven(t *testing.T) {
	t.Parallel()
	for name, database := range harness.Stores {
		for _, v := range versions(t) {
			t.Run(name+"/"+v.contract.Version(), func(t *testing.T) {
				t.Parallel()
				w := &walk{store: name, contract: v.contract, seen: map[wiretest.Documented]bool{}}
				rows, ran := slices.Concat(v.rows, commonRows), 0
				for _, row := range rows {
					t.Run(row.name, func(t *testing.T) {
						defer func() {
							switch {
							case !t.Skipped():
								ran++
							case name == "sqlite":
								t.Error("no row of a store that is always there is skipped")
							}
						}()
						row.run(t, w, database)
					})
				}
				if ran == len(rows) { // not with -run of one row, nor without the store
					w.check(t)
				}
			})
		}
	}
}

// row gets some of the documented answers.
type row struct {
	name string
	run  func(t *testing.T, w *walk, database func(*testing.T) string)
}

// version is a version of the API with the rows that only it has.
type version struct {
	contract *wiretest.Contract
	rows     []row
}

// versions returns all versions.
func versions(t *testing.T) []version {
	t.Helper()
	return []version{{harness.Contract(t), newerRows}, {harness.OlderContract(t), olderRows}}
}

// check compares what the document declares with what was seen.
func (w *walk) check(t *testing.T) {
	t.Helper()
	name := func(d wiretest.Documented) string {
		return strings.TrimSpace(fmt.Sprintf("%s %d %s", d.Operation, d.Status, d.Code))
	}
	documented := w.contract.Documented()
	for _, d := range documented {
		listed := unreachable[name(d)] != "" || unreachable[w.store+" "+name(d)] != ""
		switch {
		case w.seen[d] && listed:
			t.Errorf("%s is listed as unreachable and was reached", name(d))
		case !w.seen[d] && !listed:
			t.Errorf("no row gets %s", name(d))
		}
	}
	for d := range maps.Keys(w.seen) {
		if !slices.Contains(documented, d) {
			t.Errorf("%s is not documented", name(d))
		}
	}
}
