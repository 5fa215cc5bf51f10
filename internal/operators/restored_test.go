package operators_test

import (
	"context"
	"errors"
	"testing"

	"samla/internal/journal"
	"samla/internal/operator"
	"samla/internal/operators"
)

// told is a journal in memory.
type told struct {
	records []journal.Record
	broken  error
}

func (t *told) Record(_ context.Context, records ...journal.Record) error {
	t.records = append(t.records, records...)
	return t.broken
}

// Who was removed, or has other ways to sign in, is not as before after a restore. The
// database before each change stands for the backup.
func TestRestored_KnowsWhatWasDecided(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		j := &told{}
		e.Journal = j
		now, backup := e, e // one store: what is applied twice shows too
		admin, m := now.enrol("admin", operator.Admin), now.enrol("maria.ek", operator.Acting)
		if len(j.records) != 0 {
			t.Fatalf("a new operator is in the journal: %v", j.records)
		}
		apply := func(of journal.Record, want bool) {
			t.Helper()
			of.At = e.Clock.Now()
			if changed, err := backup.Restored(t.Context(), of); err != nil || changed != want {
				t.Errorf("%v: %v, %v", of, changed, err)
			}
		}
		last := func(kind journal.Kind) journal.Record {
			t.Helper()
			if len(j.records) == 0 || j.records[len(j.records)-1].Kind != kind || j.records[len(j.records)-1].ID != m.ID {
				t.Fatalf("the journal has %v, and no %s", j.records, kind)
			}
			return j.records[len(j.records)-1]
		}
		signIn := func() error {
			e.next()
			return e.try("maria.ek", password, e.code(m.key))
		}

		if err := now.SetRole(t.Context(), admin.ID, m.ID, operator.Viewer); err != nil {
			t.Fatal(err)
		}
		role := last(journal.OperatorRole)
		apply(role, false)
		role.Detail = string(operator.Admin)
		apply(role, true)
		role.Detail = "king"
		apply(role, false)

		before, err := e.Find(t.Context(), "maria.ek")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := now.Reset(t.Context(), admin.ID, m.ID); err != nil {
			t.Fatal(err)
		}
		apply(last(journal.OperatorWays), false) // this database has the change
		again := last(journal.OperatorWays)
		again.Detail = "9999" // and one of before it has not
		apply(again, true)
		e.want("the ways of before", signIn(), operators.ErrWrong)
		if before.Rev == 0 {
			t.Error("no revision")
		}

		if err := now.Remove(t.Context(), admin.ID, m.ID); err != nil {
			t.Fatal(err)
		}
		removed := last(journal.OperatorRemoved)
		apply(removed, false)
		removed.ID = admin.ID // the last one: a restore does not ask
		apply(removed, true)
		if all, err := e.List(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%v are back, %v", all, err)
		}
	})
}

// What is refused was not decided, and what the journal cannot keep is not done.
func TestJournal_IsToldBeforeTheChange(t *testing.T) {
	e := onSQLite(t)
	j := &told{}
	e.Journal = j
	admin, m := e.enrol("admin", operator.Admin), e.enrol("maria.ek", operator.Viewer)
	for what, err := range map[string]error{"role": e.SetRole(t.Context(), "", admin.ID, operator.Viewer), "remove": e.Remove(t.Context(), "", admin.ID)} {
		e.want(what, err, operators.ErrLastAdmin)
	}
	e.want("nobody", e.Remove(t.Context(), "", "x"), operators.ErrUnknown)
	_, err := e.Reset(t.Context(), "", "x")
	e.want("reset of nobody", err, operators.ErrUnknown)
	if len(j.records) != 0 {
		t.Errorf("the journal has %v", j.records)
	}
	j.broken = errors.New("the disk is full")
	_, err = e.Reset(t.Context(), "", m.ID)
	e.want("reset", err, j.broken)
	e.want("remove", e.Remove(t.Context(), "", m.ID), j.broken)
	e.want("role", e.SetRole(t.Context(), "", m.ID, operator.Admin), j.broken)
	codes, err := e.BeginCodes(t.Context(), m.Operator)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = e.SetPassword(t.Context(), m.Operator, "", operators.Chosen{ID: codes.ID, Password: "another long password", Code: e.code(codes.Key)})
	e.want("password", err, j.broken)
	e.next()
	if err := e.try("maria.ek", password, e.code(m.key)); err != nil {
		t.Error("something was changed", err)
	}
}
