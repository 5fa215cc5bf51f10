package operators

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"samla/internal/journal"
	"samla/internal/operator"
	"samla/internal/store"
)

// decided tells the journal that an operator gets a role, or none, if that can be: it is told
// before the change is made, and what cannot be was not decided. Errors: ErrUnknown,
// ErrLastAdmin.
func (s *Service) decided(ctx context.Context, id string, role operator.Role, r journal.Record) error {
	all, err := s.Store.Operators(ctx)
	if err != nil {
		return err
	}
	known, admin, others := false, false, 0
	for _, a := range all {
		switch {
		case a.ID == id:
			known, admin = true, a.Role == operator.Admin
		case a.Role == operator.Admin:
			others++
		}
	}
	switch {
	case !known:
		return ErrUnknown
	case admin && role != operator.Admin && others == 0:
		return ErrLastAdmin
	}
	r.ID = id
	return s.Journal.Record(ctx, r)
}

func waysChanged(before operator.Account) journal.Record {
	return journal.Record{Kind: journal.OperatorWays, ID: before.ID, Detail: strconv.FormatInt(before.Rev, 10)}
}

// RestoreFirst orders the records of a journal as Restored takes them: those of ways to sign
// in come before all others. They name the revision of an account, and each other change of
// the account raises it. A restore that was interrupted and runs again finds raised revisions
// too; then those of ways were applied already.
func RestoreFirst(records []journal.Record) {
	slices.SortStableFunc(records, func(a, b journal.Record) int {
		return cmp.Compare(rank(a), rank(b))
	})
}

func rank(r journal.Record) int {
	if r.Kind == journal.OperatorWays {
		return 0
	}
	return 1
}

// Restored applies a record of the journal to an operator of a database that was restored
// from a backup made at backup, and reports whether it changed anything. An operator who has
// changed how they sign in since the backup loses the ways of before: somebody makes a link
// for them (samla operator reset). That an admin is left is not asked: the command line makes
// one. Records are in the order of RestoreFirst.
func (s *Service) Restored(ctx context.Context, r journal.Record, backup time.Time) (changed bool, err error) {
	empty, err := s.seal(ctx, r.ID, operator.Secret{})
	if err != nil {
		return false, err
	}
	_, err = store.UpdateOperator(ctx, s.Store, r.ID, func(a operator.Account) (operator.Account, func(store.Tx) error, error) {
		changed = false
		if !a.Removed.IsZero() {
			return a, nil, store.ErrUnchanged
		}
		switch r.Kind {
		case journal.OperatorRemoved:
			a.Removed, a.Enrol, a.Sealed, changed = r.At, "", empty, true
		case journal.OperatorRole:
			role, err := operator.ParseRole(r.Detail)
			changed = err == nil && role != a.Role
			if changed {
				a.Role = role
			}
		case journal.OperatorWays:
			// A greater revision: the backup has the change, unless that was recorded later.
			rev, err := strconv.ParseInt(r.Detail, 10, 64)
			if changed = err != nil || a.Rev <= rev || r.At.After(backup); changed {
				a.Enrol, a.Sealed = "", empty
			}
		}
		if !changed {
			return a, nil, store.ErrUnchanged
		}
		return a, nil, nil
	})
	return changed && err == nil, err
}
