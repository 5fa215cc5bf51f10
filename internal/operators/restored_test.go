package operators_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"samla/internal/journal"
	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/store"
)

// told is a journal in memory.
type told struct {
	records []journal.Record
	broken  error
	now     func() time.Time // nil: the records have no time
}

func (t *told) Record(_ context.Context, records ...journal.Record) error {
	for _, r := range records {
		if t.now != nil {
			r.At = t.now()
		}
		t.records = append(t.records, r)
	}
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
		if want := []journal.Record{{Kind: journal.OperatorWays, ID: admin.ID, Detail: "0"}, {Kind: journal.OperatorWays, ID: m.ID, Detail: "0"}}; !slices.Equal(j.records, want) {
			t.Fatalf("the journal has %v of the links that were used", j.records)
		}
		made := e.Clock.Now().Add(time.Hour) // the backup: the clocks of nodes differ
		apply := func(of journal.Record, want bool) {
			t.Helper()
			of.At = e.Clock.Now()
			if changed, err := backup.Restored(t.Context(), of, made); err != nil || changed != want {
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
	if len(j.records) != 2 { // the links that were used
		t.Errorf("the journal has %v", j.records)
	}
	_, link := e.add("new", operator.Viewer)
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
	codes, err = e.BeginCodes(t.Context(), e.enrolling(link))
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = e.EnrolPassword(t.Context(), link, operators.Chosen{ID: codes.ID, Password: password, Code: e.code(codes.Key)}, from)
	e.want("a link", err, j.broken)
	e.enrolling(link)
	e.want("a recovery code", e.try("maria.ek", password, m.recovery[0]), j.broken)
	e.next()
	if err := e.try("maria.ek", password, e.code(m.key)); err != nil {
		t.Error("something was changed", err)
	}
	j.broken = nil
	if err := e.try("maria.ek", password, m.recovery[0]); err != nil {
		t.Error("the code was used up", err)
	}
}

// enrolling returns whom a link is for.
func (e env) enrolling(link string) operator.Operator {
	e.Helper()
	a, err := e.Enrolling(e.Context(), link)
	if err != nil {
		e.Fatal(err)
	}
	return a.Operator
}

// replay applies the journal to this store, in the place of a database that was restored from
// a backup made at backup.
func (e env) replay(records []journal.Record, backup time.Time) {
	e.Helper()
	operators.RestoreFirst(records)
	for _, r := range records {
		if _, err := e.Restored(e.Context(), r, backup); err != nil && !errors.Is(err, store.ErrNotFound) {
			e.Fatal(err)
		}
	}
}

// What the journal says of the hour before the backup is applied again, and must not hide what
// came after it. The store as it is before the reset is the restored copy.
func TestRestored_StripsAfterARoleThatWasChangedThereAndBack(t *testing.T) {
	for when, after := range map[string]time.Duration{"by a clock that is behind": -time.Second, "after the backup": time.Second} {
		t.Run(when, func(t *testing.T) {
			e, j := onSQLite(t), &told{}
			e.Journal, j.now = j, e.Clock.Now
			admin, m := e.enrol("admin", operator.Admin), e.enrol("maria.ek", operator.Viewer)
			for _, role := range []operator.Role{operator.Acting, operator.Viewer} {
				if err := e.SetRole(t.Context(), admin.ID, m.ID, role); err != nil {
					t.Fatal(err)
				}
			}
			e.Clock.Advance(time.Minute)
			backup := e.Clock.Now()
			a, err := e.Find(t.Context(), "maria.ek")
			if err != nil {
				t.Fatal(err)
			}
			records := append(j.records, journal.Record{Kind: journal.OperatorWays, ID: m.ID, Detail: strconv.FormatInt(a.Rev, 10), At: backup.Add(after)})
			for range 2 { // the restore is interrupted, and runs again
				e.replay(records, backup)
				if a, err = e.Find(t.Context(), "maria.ek"); err != nil || a.Role != operator.Viewer {
					t.Fatal(a, err)
				}
				if ways, err := e.WaysOf(t.Context(), a); err != nil || ways.Password {
					t.Fatalf("the ways of before are left: %+v, %v", ways, err)
				}
			}
			e.next()
			if err := e.try("admin", password, e.code(admin.key)); err != nil {
				t.Error("the backup has the enrolment, and it is undone", err)
			}
		})
	}
}

// What was recorded after the backup is not in it, whatever the revision of the account is: an
// interrupted restore has raised that.
func TestRestored_StripsWhatCameAfterTheBackup(t *testing.T) {
	e := onSQLite(t)
	m := e.enrol("maria.ek", operator.Viewer)
	r := journal.Record{Kind: journal.OperatorWays, ID: m.ID, Detail: "0", At: e.Clock.Now()}
	for backup, want := range map[time.Time]bool{r.At: false, r.At.Add(-time.Second): true} {
		if changed, err := e.Restored(t.Context(), r, backup); err != nil || changed != want {
			t.Errorf("%s: %v, %v", backup, changed, err)
		}
	}
}

// A link that was used since the backup, and recovery codes, do not work again.
func TestRestored_TakesNothingTwiceThatWorksOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		j := &told{}
		backup := e // before each of the two: nothing of them is in the restored copy
		e.Journal = j
		a, link := e.add("maria.ek", operator.Viewer)
		e.enrolling(link)
		used := journal.Record{Kind: journal.OperatorWays, ID: a.ID, Detail: "0"}
		backup.replay([]journal.Record{used}, e.Clock.Now())
		_, err := e.Enrolling(t.Context(), link)
		e.want("the link", err, operators.ErrLink)

		kim := e.enrol("kim", operator.Viewer)
		if len(j.records) != 1 || j.records[0].ID != kim.ID || j.records[0].Kind != journal.OperatorWays {
			t.Fatalf("the journal has %v of a link that was used", j.records)
		}
		before, err := e.Find(t.Context(), "kim")
		if err != nil {
			t.Fatal(err)
		}
		e.next()
		if err := e.try("kim", password, e.code(kim.key)); err != nil || len(j.records) != 1 {
			t.Fatalf("an ordinary sign-in is in the journal: %v, %v", j.records, err)
		}
		if err := e.try("kim", password, kim.recovery[0]); err != nil {
			t.Fatal(err)
		}
		if last := j.records[len(j.records)-1]; len(j.records) != 2 || last.ID != kim.ID || last.Detail != strconv.FormatInt(before.Rev+1, 10) {
			t.Errorf("the journal has %v of a recovery code that was used", j.records)
		}
	})
}
