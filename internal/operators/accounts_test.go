package operators_test

import (
	"strings"
	"sync"
	"testing"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/store"
)

func TestOperators_LeaveAnAdmin(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		a, _ := e.add("a", operator.Admin)
		b, _ := e.add("b", operator.Admin)
		var all sync.WaitGroup
		errs := make([]error, 2)
		all.Go(func() { errs[0] = e.SetRole(t.Context(), b.ID, a.ID, operator.Viewer) })
		all.Go(func() { errs[1] = e.Remove(t.Context(), a.ID, b.ID) })
		all.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatal(errs)
		}
		left := a
		if errs[1] != nil {
			left = b
		}
		for what, err := range map[string]error{"role": e.SetRole(t.Context(), "", left.ID, operator.Acting), "remove": e.Remove(t.Context(), "", left.ID)} {
			e.want(what, err, operators.ErrLastAdmin)
		}
		if err := e.SetRole(t.Context(), "", left.ID, operator.Admin); err != nil {
			t.Error(err)
		}
		e.want("no role", e.SetRole(t.Context(), "", "x", operator.Viewer), operators.ErrUnknown)
	})
}

func TestOperators_EndWithTheirSessions(t *testing.T) {
	e := onSQLite(t)
	admin := e.enrol("admin", operator.Admin)
	m := e.enrol("maria.ek", operator.Viewer)
	if err := e.SetRole(t.Context(), admin.ID, m.ID, operator.Acting); err != nil {
		t.Fatal(err)
	}
	if o, _, err := e.Session(t.Context(), m.session, true); err != nil || o.Role != operator.Acting {
		t.Error("the session has the role of before", o, err)
	}
	link, err := e.Reset(t.Context(), admin.ID, m.ID)
	if err != nil || !strings.HasPrefix(link, origin+operators.EnrolPath) {
		t.Fatal(link, err)
	}
	_, _, err = e.Session(t.Context(), m.session, true)
	e.want("the session after a reset", err, store.ErrNotFound)
	e.next()
	e.want("the password after a reset", e.try("maria.ek", password, e.code(m.key)), operators.ErrWrong)
	if _, err := e.Enrolling(t.Context(), strings.TrimPrefix(link, origin+operators.EnrolPath)); err != nil {
		t.Error(err)
	}
	if err := e.Remove(t.Context(), admin.ID, m.ID); err != nil {
		t.Fatal(err)
	}
	_, err = e.Enrolling(t.Context(), strings.TrimPrefix(link, origin+operators.EnrolPath))
	e.want("the link after the end", err, operators.ErrLink)
	_, err = e.Find(t.Context(), "maria.ek")
	e.want("a removed one", err, operators.ErrUnknown)

	removed := e.enrol("removed", operator.Viewer)
	if err := e.Remove(t.Context(), admin.ID, removed.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = e.Session(t.Context(), removed.session, true)
	e.want("the session of a removed one", err, store.ErrNotFound)
}

func TestWays_ChangeAndOneIsLeft(t *testing.T) {
	e := onSQLite(t)
	m := e.enrol("maria.ek", operator.Viewer)
	_, here, err := e.Session(t.Context(), m.session, true)
	if err != nil {
		t.Fatal(err)
	}
	e.next()
	other, err := e.SignIn(t.Context(), operators.Try{Name: "maria.ek", Password: password, Code: e.code(m.key)}, from)
	if err != nil {
		t.Fatal(err)
	}
	key := newAuthenticator(t)
	c, err := e.BeginPasskey(t.Context(), m.Operator)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.AddPasskey(t.Context(), m.Operator, here.ID, c.ID, key.create(c), from); err != nil {
		t.Fatal(err)
	}
	_, _, err = e.Session(t.Context(), other, true)
	e.want("another session after a new passkey", err, store.ErrNotFound)
	if _, _, err = e.Session(t.Context(), m.session, true); err != nil {
		t.Error("this session ended too", err)
	}
	codes, err := e.BeginCodes(t.Context(), m.Operator)
	if err != nil {
		t.Fatal(err)
	}
	recovery, _, err := e.SetPassword(t.Context(), m.Operator, here.ID, operators.Chosen{ID: codes.ID, Password: "another long password", Code: e.code(codes.Key)})
	if err != nil || len(recovery) != 10 {
		t.Fatal(recovery, err)
	}
	e.next()
	e.want("the password of before", e.try("maria.ek", password, e.code(codes.Key)), operators.ErrWrong)
	e.want("a recovery code of before", e.try("maria.ek", "another long password", m.recovery[0]), operators.ErrWrong)
	if err := e.try("maria.ek", "another long password", e.code(codes.Key)); err != nil {
		t.Error(err)
	}
	a, err := e.Find(t.Context(), "maria.ek")
	if err != nil {
		t.Fatal(err)
	}
	ways, err := e.WaysOf(t.Context(), a)
	if err != nil || len(ways.Passkeys) != 1 {
		t.Fatal(ways, err)
	}
	e.want("no passkey", e.RemovePasskey(t.Context(), m.Operator, here.ID, "x"), operators.ErrUnknown)
	if err := e.RemovePasskey(t.Context(), m.Operator, here.ID, ways.Passkeys[0].ID); err != nil {
		t.Fatal(err)
	}
	c, err = e.BeginPasskeySignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.PasskeySignIn(t.Context(), c.ID, key.get(c), from)
	e.want("a removed passkey", err, operators.ErrWrong)

	p, link := e.add("passkey", operator.Viewer)
	k := newAuthenticator(t)
	if c, err = e.BeginEnrolPasskey(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := e.EnrolPasskey(t.Context(), link, c.ID, k.create(c), from); err != nil {
		t.Fatal(err)
	}
	if a, err = e.Find(t.Context(), "passkey"); err != nil {
		t.Fatal(err)
	}
	if ways, err = e.WaysOf(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	e.want("the last way", e.RemovePasskey(t.Context(), p.Operator, "", ways.Passkeys[0].ID), operators.ErrLastWay)
}

func TestAudit_HasEveryAct(t *testing.T) {
	e := onSQLite(t)
	admin := e.enrol("admin", operator.Admin)
	_ = e.try("admin", "wrong", "000000")
	_ = e.try("nobody", "wrong", "000000")
	if _, err := e.End(t.Context(), admin.ID, admin.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	told := e.told()
	for i, want := range []string{`{"command":"operator add","of":{"account":"` + admin.ID + `","role":"admin"}}`, `"method":"enrolment"`,
		`{"command":"console: sign-in refused","of":{"account":"` + admin.ID + `"}}`, `{"command":"console: sign-in refused"}`,
		`{"command":"console: session end","of":{"account":"` + admin.ID + `","operator":"` + admin.ID + `"}}`} {
		if i >= len(told) || !strings.Contains(told[i], want) {
			t.Errorf("entry %d is not %s: %q", i, want, told)
		}
		if i < len(told) && strings.Contains(told[i], "nobody") {
			t.Errorf("what somebody typed is in the audit log: %s", told[i])
		}
	}
}
