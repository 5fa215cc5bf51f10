package operators_test

import (
	"strings"
	"testing"

	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/store"
)

// A proof makes a new session in place of the one that is no longer fresh, for the operator
// of that session only.
func TestProve_TakesThePlaceOfTheSession(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		m, k := e.enrol("maria.ek", operator.Admin), e.enrol("kim", operator.Viewer)
		_, here, err := e.Session(t.Context(), m.session, true)
		if err != nil {
			t.Fatal(err)
		}
		e.next()
		e.Clock.Advance(operator.FreshLife)
		if here.Fresh(e.Clock.Now(), 0) {
			t.Error("it is fresh for ever")
		}
		_, err = e.Prove(t.Context(), m.Operator, here.ID, operators.Try{Name: "kim", Password: password, Code: e.code(k.key)}, from)
		e.want("the code of somebody else", err, operators.ErrWrong)
		secret, err := e.Prove(t.Context(), m.Operator, here.ID, operators.Try{Password: password, Code: e.code(m.key)}, from)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = e.Session(t.Context(), m.session, true)
		e.want("the session of before", err, store.ErrNotFound)
		o, s, err := e.Session(t.Context(), secret, true)
		if err != nil || o.ID != m.ID || !s.Fresh(e.Clock.Now(), 0) {
			t.Error(o, s, err)
		}
		told := e.told()
		if last := told[len(told)-1]; !strings.Contains(last, `"command":"console: sign-in"`) || !strings.Contains(last, `"instead":"`+here.ID+`"`) {
			t.Error(last)
		}
	})
}

// Nobody proves with the passkey of somebody else who they are.
func TestProve_TakesNoPasskeyOfAnother(t *testing.T) {
	e := onSQLite(t)
	m, k := e.enrol("maria.ek", operator.Admin), e.enrol("kim", operator.Viewer)
	keys := map[string]*authenticator{}
	for _, who := range []member{m, k} {
		keys[who.Name] = newAuthenticator(t)
		c, err := e.BeginPasskey(t.Context(), who.Operator)
		if err != nil {
			t.Fatal(err)
		}
		_, here, err := e.Session(t.Context(), who.session, true)
		if err == nil {
			err = e.AddPasskey(t.Context(), who.Operator, here.ID, c.ID, keys[who.Name].create(c), from)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, here, err := e.Session(t.Context(), m.session, true)
	if err != nil {
		t.Fatal(err)
	}
	prove := func(with string) (string, error) {
		c, err := e.BeginPasskeySignIn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return e.ProvePasskey(t.Context(), m.Operator, here.ID, c.ID, keys[with].get(c), from)
	}
	_, err = prove("kim")
	e.want("kim's passkey", err, operators.ErrWrong)
	if _, _, err := e.Session(t.Context(), m.session, true); err != nil {
		t.Error("a refused proof ends the session", err)
	}
	secret, err := prove("maria.ek")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = e.Session(t.Context(), m.session, true)
	e.want("the session of before", err, store.ErrNotFound)
	if o, _, err := e.Session(t.Context(), secret, true); err != nil || o.ID != m.ID {
		t.Error(o, err)
	}
}
