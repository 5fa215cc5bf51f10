package storetest

import (
	"errors"
	"testing"
	"time"

	"samla/internal/operator"
	"samla/internal/store"
)

func operatorNamed(name string) operator.Account {
	return operator.Account{Operator: operator.Operator{ID: newID(), Name: name, Role: operator.Admin}, Created: start,
		Enrol: operator.HashOf("link of " + name), EnrolBy: start.Add(operator.EnrolLife), Sealed: []byte{1, 0, 255}}
}

func testOperators(_ *testing.T, f fixture) {
	b, a := operatorNamed("b"), operatorNamed("a")
	f.write(func(tx store.Tx) error { return errors.Join(tx.AddOperator(f.ctx, b), tx.AddOperator(f.ctx, a)) })
	again := operatorNamed("a")
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddOperator(f.ctx, again) })
	got, err := f.s.Operator(f.ctx, a.ID)
	check(f, "by id", got, err, a)
	got, err = f.s.OperatorByName(f.ctx, "a")
	check(f, "by name", got, err, a)
	got, err = f.s.OperatorByEnrol(f.ctx, a.Enrol)
	check(f, "by its link", got, err, a)
	all, err := f.s.Operators(f.ctx)
	check(f, "all, by name", all, err, []operator.Account{a, b})

	next := a
	next.Role, next.Enrol, next.EnrolBy, next.Sealed = operator.Viewer, "", time.Time{}, []byte{7}
	f.write(func(tx store.Tx) (err error) {
		next, err = tx.PutOperator(f.ctx, next)
		return err
	})
	check(f, "its revision", next.Rev, nil, 1)
	got, err = f.s.Operator(f.ctx, a.ID)
	check(f, "changed", got, err, next)
	_, err = f.s.OperatorByEnrol(f.ctx, "")
	missing(f, "a link of nothing", a, err)
	put := func(a operator.Account) func(store.Tx) error {
		return func(tx store.Tx) error {
			_, err := tx.PutOperator(f.ctx, a)
			return err
		}
	}
	f.fails(store.ErrConflict, put(a))
	f.fails(store.ErrNotFound, put(operatorNamed("c")))

	removed := next
	removed.Removed = start.Add(time.Hour)
	f.write(put(removed))
	_, err = f.s.OperatorByName(f.ctx, "a")
	missing(f, "a removed one", a, err)
	all, err = f.s.Operators(f.ctx)
	check(f, "without it", all, err, []operator.Account{b})
	f.write(func(tx store.Tx) error {
		locked, err := tx.LockOperators(f.ctx)
		check(f, "locked", locked, err, []operator.Account{b})
		return tx.AddOperator(f.ctx, again) // its name is free
	})
	_, err = f.s.Operator(f.ctx, a.ID)
	check(f, "a removed one is there", struct{}{}, err, struct{}{})
}

// Of two transactions that each make all others viewers, one sees what the other did.
func testOperatorsAreLocked(_ *testing.T, f fixture) {
	both := []operator.Account{operatorNamed("a"), operatorNamed("b")}
	f.write(func(tx store.Tx) error {
		return errors.Join(tx.AddOperator(f.ctx, both[0]), tx.AddOperator(f.ctx, both[1]))
	})
	together(2, func(i int) {
		err := f.s.Write(f.ctx, func(tx store.Tx) error {
			all, err := tx.LockOperators(f.ctx)
			if err != nil {
				return err
			}
			admins := 0
			for _, a := range all {
				if a.Role == operator.Admin {
					admins++
				}
			}
			if admins < 2 {
				return nil
			}
			mine := all[i]
			mine.Role = operator.Viewer
			_, err = tx.PutOperator(f.ctx, mine)
			return err
		})
		if err != nil {
			f.Error(err)
		}
	})
	all, err := f.s.Operators(f.ctx)
	admins := 0
	for _, a := range all {
		if a.Role == operator.Admin {
			admins++
		}
	}
	check(f, "admins that are left", admins, err, 1)
}

func testOperatorSessions(_ *testing.T, f fixture) {
	a, b := operatorNamed("a"), operatorNamed("b")
	at := func(of operator.Account, began time.Time) operator.Session {
		return operator.Session{ID: newID(), OperatorID: of.ID, Began: began, Seen: began, Agent: "Firefox on Linux", By: operator.ByPasskey}
	}
	one, two, other := at(a, start), at(a, start.Add(time.Second)), at(b, start)
	f.write(func(tx store.Tx) error {
		return errors.Join(tx.AddOperator(f.ctx, a), tx.AddOperator(f.ctx, b), tx.AddOperatorSession(f.ctx, "1", one), tx.AddOperatorSession(f.ctx, "2", two), tx.AddOperatorSession(f.ctx, "3", other))
	})
	f.fails(store.ErrExists, func(tx store.Tx) error { return tx.AddOperatorSession(f.ctx, "1", at(b, start)) })
	s, of, err := f.s.OperatorSession(f.ctx, "1")
	check(f, "a session", s, err, one)
	check(f, "whose", of, nil, a)
	_, _, err = f.s.OperatorSession(f.ctx, "none")
	missing(f, "no session", s, err)
	list, err := f.s.OperatorSessions(f.ctx, a.ID)
	check(f, "newest first", list, err, []operator.Session{two, one})
	list, err = f.s.OperatorSessions(f.ctx, "")
	check(f, "of all", len(list), err, 3)

	one.Seen = start.Add(time.Hour)
	for _, seen := range []time.Time{one.Seen, start.Add(time.Minute)} {
		f.write(func(tx store.Tx) error { return tx.SeeOperatorSession(f.ctx, one.ID, seen) })
	}
	s, _, err = f.s.OperatorSession(f.ctx, "1")
	check(f, "seen last", s, err, one)

	end := func(of operator.Account, id, except string, want int) {
		f.Helper()
		f.write(func(tx store.Tx) error {
			n, err := tx.EndOperatorSessions(f.ctx, of.ID, id, except, start.Add(2*time.Hour))
			check(f, "ended", n, err, want)
			return err
		})
	}
	end(b, one.ID, "", 0) // of another operator
	end(a, "", two.ID, 1)
	end(a, one.ID, "", 0) // already
	one.Ended = start.Add(2 * time.Hour)
	s, _, err = f.s.OperatorSession(f.ctx, "1")
	check(f, "ended", s, err, one)
	list, err = f.s.OperatorSessions(f.ctx, a.ID)
	check(f, "what is left", list, err, []operator.Session{two})
	end(a, two.ID, "", 1)
	end(b, "", "", 1)
}

func testSignInAttempts(_ *testing.T, f fixture) {
	key := operator.TryKey("maria.ek")
	put := func(before, next operator.Attempts) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.PutSignInAttempts(f.ctx, key, before, next) }
	}
	none, err := f.s.SignInAttempts(f.ctx, key)
	check(f, "none", none, err, operator.Attempts{})
	one := none.Begun(start)
	f.write(put(none, one))
	f.fails(store.ErrConflict, put(none, one))
	two := one.Begun(start.Add(time.Second))
	f.write(put(one, two))
	f.fails(store.ErrConflict, put(one, two))
	got, err := f.s.SignInAttempts(f.ctx, key)
	check(f, "two", got, err, two)
	f.fails(store.ErrConflict, put(one, operator.Attempts{}))
	f.write(put(two, operator.Attempts{}))
	got, err = f.s.SignInAttempts(f.ctx, key)
	check(f, "none again", got, err, operator.Attempts{})
}

func testSweepOperators(_ *testing.T, f fixture) {
	a := operatorNamed("a")
	old := operator.Session{ID: newID(), OperatorID: a.ID, Began: start}
	kept := operator.Session{ID: newID(), OperatorID: a.ID, Began: start.Add(operator.Forgiven)}
	none := operator.Attempts{}
	f.write(func(tx store.Tx) error {
		return errors.Join(tx.AddOperator(f.ctx, a), tx.AddOperatorSession(f.ctx, "old", old), tx.AddOperatorSession(f.ctx, "kept", kept),
			tx.PutSignInAttempts(f.ctx, "old", none, none.Begun(start)), tx.PutSignInAttempts(f.ctx, "kept", none, none.Begun(start.Add(time.Second))))
	})
	for _, want := range []int{2, 0} {
		f.write(func(tx store.Tx) error {
			n, _, err := tx.Sweep(f.ctx, start.Add(operator.Forgiven+time.Microsecond), time.Hour)
			check(f, "swept", n, err, want)
			return err
		})
	}
	_, _, err := f.s.OperatorSession(f.ctx, "kept")
	check(f, "a session of today", struct{}{}, err, struct{}{})
	got, err := f.s.SignInAttempts(f.ctx, "kept")
	check(f, "an attempt of today", got.Wrong, err, 1)
}
