package api

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"samla/internal/fault"
	"samla/internal/wire"
)

// Mount is a row of the list of what a node serves: either versions of the API, or
// endpoints of one path that belong to no version.
type Mount struct {
	Path      string          // of Endpoints; "/" for Versions: every path without a row of its own
	Callers   wire.Credential // credentials that the row accepts; None: anyone may call
	Write     time.Duration   // how long a client may take to read each Piece of an answer
	Versions  []Version       // their operations read the header Insurely-Version
	Endpoints Endpoints
}

// Version is a version of the API.
type Version struct {
	Contract  *wire.Contract
	Endpoints Endpoints
}

// Endpoints are endpoints by operationId.
type Endpoints map[string]Endpoint

// Endpoint answers one operation.
type Endpoint struct {
	// Serve writes the answer by one method of the call. If it returns an error, it
	// has written nothing; an error that is not a *fault.Fault becomes INTERNAL_ERROR.
	Serve func(*Call) error

	// NotFound is the fault for a path whose variable is not an id of ours. Empty: the path
	// has no id.
	NotFound fault.Code

	// LateUserCheck makes the check that a session's user exists follow an error of
	// Serve, instead of preceding Serve. It saves the polled operations a read of the
	// store: they find nothing of a user who is gone.
	LateUserCheck bool
	// OwnTimeout says that the store bounds the time of Serve by itself. It saves the
	// polled operations the timer of Config.RequestTimeout.
	OwnTimeout bool
}

// operation is an operation with its endpoint and its row.
type operation struct {
	*wire.Operation
	endpoint Endpoint
	mount    *Mount
	variable string // of the path; empty: it has none
}

func newOperation(op *wire.Operation, end Endpoint, m *Mount) operation {
	_, after, _ := strings.Cut(op.Pattern, "{")
	name, _, _ := strings.Cut(after, "}")
	return operation{op, end, m, name}
}

// sortedVersions checks the rows and returns the one that has the versions, and the
// versions, lowest first.
func sortedVersions(mounts []Mount) (*Mount, []Version, error) {
	var row *Mount
	for i := range mounts {
		m := &mounts[i]
		switch {
		case m.Write <= 0:
			return nil, nil, fmt.Errorf("api: row %s has no time-out", m.Path)
		case len(m.Versions) == 0:
		case row != nil || m.Path != "/" || len(m.Endpoints) > 0:
			return nil, nil, errors.New("api: versions are mounted in one row, alone and at /")
		default:
			row = m
		}
	}
	if row == nil {
		return nil, nil, errors.New("api: no version is mounted")
	}
	compare := func(a, b Version) int { return cmp.Compare(a.Contract.Version(), b.Contract.Version()) }
	all := slices.SortedFunc(slices.Values(row.Versions), compare)
	for i := range all[1:] {
		if compare(all[i], all[i+1]) == 0 {
			return nil, nil, fmt.Errorf("api: version %s is mounted twice", all[i].Contract.Version())
		}
	}
	return row, all, nil
}

// operationsOf returns the operations of a version. It checks that an endpoint answers
// each of them, that each endpoint has one, and that the row accepts its credentials.
func operationsOf(v Version, row *Mount) ([]operation, error) {
	name := v.Contract.Version()
	var all []operation
	for _, op := range v.Contract.Operations() {
		if !op.Versioned {
			continue // answered by another row
		}
		end, ok := v.Endpoints[op.ID]
		if !ok {
			return nil, fmt.Errorf("api: version %s has no endpoint of %s (%s)", name, op.ID, op.Route())
		}
		if op.Credential == wire.None || !row.Callers.Has(op.Credential) {
			return nil, fmt.Errorf("api: version %s: %s accepts other credentials than its row", name, op.ID)
		}
		all = append(all, newOperation(&op, end, row))
	}
	for _, id := range slices.Sorted(maps.Keys(v.Endpoints)) {
		if op := v.Contract.Operation(id); op == nil || !op.Versioned {
			return nil, fmt.Errorf("api: version %s has no operation %s", name, id)
		}
	}
	return all, nil
}

// commonOperations returns the operations of no version, as the contract of the highest
// version declares them, and checks them like operationsOf. Other versions may declare
// the same operations, and no others.
func commonOperations(mounts []Mount, versions []Version) ([]operation, error) {
	newest := versions[len(versions)-1].Contract
	var all []operation
	found := map[string]bool{}
	for i := range mounts {
		m := &mounts[i]
		for _, id := range slices.Sorted(maps.Keys(m.Endpoints)) {
			op := newest.Operation(id)
			switch {
			case op == nil || op.Versioned || found[id]:
				return nil, fmt.Errorf("api: %s is no operation outside the versions, or is in two rows", id)
			case op.Pattern != m.Path || op.Credential != m.Callers:
				return nil, fmt.Errorf("api: %s has another path or other credentials than its row %s", id, m.Path)
			}
			all, found[id] = append(all, newOperation(op, m.Endpoints[id], m)), true
		}
	}
	for _, v := range versions {
		for _, op := range v.Contract.Operations() {
			if !op.Versioned && !found[op.ID] {
				return nil, fmt.Errorf("api: version %s: no row has %s (%s)", v.Contract.Version(), op.ID, op.Route())
			}
		}
	}
	return all, nil
}
