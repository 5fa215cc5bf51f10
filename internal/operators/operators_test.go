package operators_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/flowtest"
	"samla/internal/operator"
	"samla/internal/operators"
	"samla/internal/store"
	"samla/internal/testpg"
)

type env struct {
	*flowtest.Env
	*operators.Service
}

func onBoth(t *testing.T, test func(*testing.T, env)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newEnv(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) { test(t, newEnv(t, testpg.URL(t))) })
}

func onSQLite(t *testing.T) env { return newEnv(t, t.TempDir()) }

func newEnv(t *testing.T, database string) env {
	t.Helper()
	b := flowtest.New(t, database)
	s, err := operators.New(operators.Deps{Store: b.Store, Vault: b.Vault, Clock: b.Clock, IDs: b.IDs, URL: func() string { return origin }})
	if err != nil {
		t.Fatal(err)
	}
	return env{b, s}
}

var from = operators.From{Address: "127.0.0.1", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}

const password = "correct horse battery"

// add makes an operator and returns the secret of the link.
func (e env) add(name string, role operator.Role) (operator.Account, string) {
	e.Helper()
	a, link, err := e.Service.Add(e.Context(), "", name, role)
	if err != nil {
		e.Fatal(err)
	}
	secret, ok := strings.CutPrefix(link, origin+operators.EnrolPath)
	if !ok {
		e.Fatalf("the link is %s", link)
	}
	return a, secret
}

// member is an operator with a password and an app.
type member struct {
	operator.Account
	session  string
	key      []byte
	recovery []string
}

func (e env) enrol(name string, role operator.Role) member {
	e.Helper()
	a, link := e.add(name, role)
	codes, err := e.BeginCodes(e.Context(), a.Operator)
	if err != nil {
		e.Fatal(err)
	}
	session, recovery, _, err := e.EnrolPassword(e.Context(), link, operators.Chosen{ID: codes.ID, Password: password, Code: e.code(codes.Key)}, from)
	if err != nil {
		e.Fatal(err)
	}
	return member{a, session, codes.Key, recovery}
}

func (e env) code(key []byte) string {
	return operator.Code(key, operator.Step(e.Clock.Now()), operator.TOTPDigits)
}

// next lets the next code be shown.
func (e env) next() { e.Clock.Advance(operator.TOTPPeriod) }

func (e env) try(name, password, code string) error {
	_, err := e.SignIn(e.Context(), operators.Try{Name: name, Password: password, Code: code}, from)
	return err
}

func (e env) want(what string, got, want error) {
	e.Helper()
	if !errors.Is(got, want) {
		e.Errorf("%s: %v, not %v", what, got, want)
	}
}

// told lists the commands in the audit log, oldest first, with who and by whom.
func (e env) told() (told []string) {
	e.Helper()
	entries, err := e.Store.UnchainedEntries(e.Context(), 100)
	if err != nil {
		e.Fatal(err)
	}
	for _, entry := range entries {
		told = append(told, string(entry.Detail))
	}
	return told
}

func TestEnrol_MakesAnOperatorOnceByTheLink(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		a, link := e.add("maria.ek", operator.Admin)
		if got, err := e.Enrolling(t.Context(), link); err != nil || got.ID != a.ID {
			t.Fatal(got, err)
		}
		_, err := e.Enrolling(t.Context(), link+"x")
		e.want("another link", err, operators.ErrLink)
		codes, err := e.BeginCodes(t.Context(), a.Operator)
		if err != nil {
			t.Fatal(err)
		}
		take := func(id, password, code string) error {
			_, _, _, err := e.EnrolPassword(t.Context(), link, operators.Chosen{ID: id, Password: password, Code: code}, from)
			return err
		}
		e.want("a short password", take(codes.ID, "hunter2", e.code(codes.Key)), operators.ErrPassword)
		e.want("the name", take(codes.ID, "maria.ekmaria.ek", e.code(codes.Key)), operators.ErrPassword)
		e.want("a wrong code", take(codes.ID, password, "000000"), operators.ErrCode)
		e.want("codes of nobody", take("x", password, e.code(codes.Key)), operators.ErrCodes)
		if err := take(codes.ID, password, e.code(codes.Key)); err != nil {
			t.Fatal(err)
		}
		e.want("the link again", take(codes.ID, password, e.code(codes.Key)), operators.ErrLink)
		e.want("the code of the enrolment", e.try("maria.ek", password, e.code(codes.Key)), operators.ErrWrong)
		e.next()
		if err := e.try(" Maria.Ek ", password, e.code(codes.Key)); err != nil {
			t.Error(err)
		}
		_, late := e.add("late", operator.Viewer)
		e.Clock.Advance(operator.EnrolLife)
		_, err = e.Enrolling(t.Context(), late)
		e.want("an old link", err, operators.ErrLink)
		_, _, err = e.Service.Add(t.Context(), "", "maria.ek", operator.Viewer)
		e.want("the same name", err, operators.ErrExists)
	})
}

func TestSignIn_NeedsNamePasswordAndCode(t *testing.T) {
	e := onSQLite(t)
	m := e.enrol("maria.ek", operator.Acting)
	e.add("new", operator.Admin) // nothing chosen yet
	for _, c := range []struct{ what, name, password, code string }{
		{"another name", "maria", password, "right"}, {"another password", "maria.ek", password + "!", "right"}, {"no password", "maria.ek", "", "right"},
		{"a wrong code", "maria.ek", password, "000000"}, {"no code", "maria.ek", password, ""}, {"who has not enrolled", "new", "", ""}, {"a code of no key", "new", "", operator.Code(nil, operator.Step(e.Clock.Now()), 6)},
		{"a long password", "maria.ek", strings.Repeat(password, 100), "right"}, {"nothing", "", "", ""},
	} {
		e.next()
		code := c.code
		if code == "right" {
			code = e.code(m.key)
		}
		e.want(c.what, e.try(c.name, c.password, code), operators.ErrWrong)
		e.Clock.Advance(operator.Forgiven)
	}
	code := e.code(m.key)
	if err := e.try("maria.ek", password, code[:3]+" "+code[3:]); err != nil {
		t.Fatal(err)
	}
	e.want("the same code again", e.try("maria.ek", password, code), operators.ErrWrong)
	recovery := m.recovery[3]
	if err := e.try("maria.ek", password, strings.ToUpper(recovery)); err != nil {
		t.Fatal(err)
	}
	e.want("the same recovery code", e.try("maria.ek", password, recovery), operators.ErrWrong)
	if a, err := e.Find(t.Context(), "maria.ek"); err != nil {
		t.Fatal(err)
	} else if ways, err := e.WaysOf(t.Context(), a); err != nil || ways.Codes != 9 || !ways.Password {
		t.Error(ways, err)
	}
}

// One code that many send at the same time signs in one of them.
func TestSignIn_TakesACodeOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		m := e.enrol("maria.ek", operator.Admin)
		e.next()
		code := e.code(m.key)
		var all sync.WaitGroup
		errs := make([]error, 3)
		for i := range errs {
			all.Go(func() { errs[i] = e.try("maria.ek", password, code) })
		}
		all.Wait()
		right := 0
		for _, err := range errs {
			if err == nil {
				right++
			} else {
				e.want("one of many", err, operators.ErrWrong)
			}
		}
		if right != 1 {
			t.Errorf("%d signed in: %v", right, errs)
		}
	})
}

func TestSignIn_WaitsAfterWrongAttempts(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		m := e.enrol("maria.ek", operator.Admin)
		waits := func(name, password, code string) bool {
			var wait *operators.WaitError
			return errors.As(e.try(name, password, code), &wait)
		}
		for _, name := range []string{"maria.ek", "nobody"} {
			for i := range operator.FreeAttempts {
				if waits(name, "wrong", "000000") {
					t.Fatalf("%s waits at attempt %d", name, i)
				}
			}
			if !waits(name, password, e.code(m.key)) {
				t.Errorf("%s does not wait", name)
			}
		}
		e.Clock.Advance(operator.FirstWait)
		if err := e.try("maria.ek", password, e.code(m.key)); err != nil {
			t.Fatal(err)
		}
		if e.next(); waits("maria.ek", password, e.code(m.key)) {
			t.Error("the wrong attempts count after a right one")
		}
	})
}

// Many attempts at once are no more than one after the other.
func TestSignIn_CountsAttemptsBeforeItLooks(t *testing.T) {
	e := onSQLite(t)
	var all sync.WaitGroup
	errs := make([]error, 2*operator.FreeAttempts)
	for i := range errs {
		all.Go(func() { errs[i] = e.try("nobody", "wrong", "000000") })
	}
	all.Wait()
	looked := 0
	for _, err := range errs {
		if errors.Is(err, operators.ErrWrong) {
			looked++
		}
	}
	if looked != operator.FreeAttempts {
		t.Errorf("%d attempts were looked at", looked)
	}
}

func TestSignIn_LimitsAnAddress(t *testing.T) {
	e := onSQLite(t)
	at := func(address string, i int) error {
		_, err := e.SignIn(t.Context(), operators.Try{Name: "name" + string(rune('a'+i))}, operators.From{Address: address})
		return err
	}
	for i := range operator.AddressFree {
		e.want("an attempt", at([]string{"2001:db8::1", "2001:db8::2"}[i%2], i), operators.ErrWrong)
	}
	var wait *operators.WaitError
	if err := at("2001:db8::3", 21); !errors.As(err, &wait) || !wait.Until.Equal(e.Clock.Now().Add(operator.FirstWait)) {
		t.Errorf("the network does not wait: %v", err)
	}
	e.want("another network", at("2001:db8:0:1::1", 22), operators.ErrWrong)
	e.want("another address", at("192.0.2.1", 23), operators.ErrWrong)
}

// Operators who come through one tunnel share an address, and some of them signs in each day.
func TestSignIn_ForgivesAnAddressADayAfterTheLastWrongAttempt(t *testing.T) {
	e := onSQLite(t)
	m := e.enrol("maria.ek", operator.Viewer)
	wrong := func(i int) error { return e.try("name"+string(rune('a'+i)), "wrong", "000000") }
	for i := range operator.AddressFree - 1 {
		e.want("an attempt", wrong(i), operators.ErrWrong)
	}
	for range 3 {
		e.Clock.Advance(operator.Forgiven / 3)
		e.want("a right attempt", e.try("maria.ek", password, e.code(m.key)), nil)
	}
	for i := range operator.AddressFree {
		e.want("an attempt on the next day", wrong(i), operators.ErrWrong)
	}
	var wait *operators.WaitError
	if err := wrong(operator.AddressFree); !errors.As(err, &wait) {
		t.Errorf("the address does not wait: %v", err)
	}
}

func TestPasskey_SignsInBesideWrongPasswordsFromItsAddress(t *testing.T) {
	e := onSQLite(t)
	_, link := e.add("maria.ek", operator.Admin)
	key := newAuthenticator(t)
	c, err := e.BeginEnrolPasskey(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = e.EnrolPasskey(t.Context(), link, c.ID, key.create(c), from); err != nil {
		t.Fatal(err)
	}
	for i := range operator.AddressFree {
		e.want("an attempt", e.try("name"+string(rune('a'+i)), "wrong", "000000"), operators.ErrWrong)
	}
	if c, err = e.BeginPasskeySignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = e.PasskeySignIn(t.Context(), c.ID, key.get(c), from)
	e.want("a passkey", err, nil)
	for range operator.AddressFree {
		_, err = e.PasskeySignIn(t.Context(), "x", nil, from)
		e.want("a wrong passkey", err, operators.ErrWrong)
	}
	var wait *operators.WaitError
	if _, err = e.PasskeySignIn(t.Context(), "x", nil, from); !errors.As(err, &wait) {
		t.Errorf("wrong passkeys do not wait: %v", err)
	}
}

func TestPasskey_SignsInWhoHasIt(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		a, link := e.add("maria.ek", operator.Admin)
		key := newAuthenticator(t)
		c, err := e.BeginEnrolPasskey(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		session, err := e.EnrolPasskey(t.Context(), link, c.ID, key.create(c), from)
		if err != nil {
			t.Fatal(err)
		}
		if o, s, err := e.Session(t.Context(), session, true); err != nil || o != a.Operator || s.By != operator.ByEnrol || s.Agent != "Firefox on Linux" {
			t.Error(o, s, err)
		}
		_, err = e.BeginEnrolPasskey(t.Context(), link)
		e.want("the link again", err, operators.ErrLink)
		for range 2 {
			c, err := e.BeginPasskeySignIn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			answer := key.get(c) // most passkeys count nothing, so a copy of the answer looks like it
			session, err := e.PasskeySignIn(t.Context(), c.ID, answer, from)
			if err != nil {
				t.Fatal(err)
			}
			if o, s, err := e.Session(t.Context(), session, true); err != nil || o != a.Operator || s.By != operator.ByPasskey {
				t.Error(o, s, err)
			}
			_, err = e.PasskeySignIn(t.Context(), c.ID, answer, from)
			e.want("the same answer again", err, operators.ErrWrong)
		}
	})
}

func TestPasskey_RefusesOtherAnswers(t *testing.T) {
	e := onSQLite(t)
	a, link := e.add("maria.ek", operator.Admin)
	for what, change := range map[string]func(*authenticator){
		"another origin": func(k *authenticator) { k.origin = "https://evil.example" }, "another party": func(k *authenticator) { k.party = "evil.example" },
		"nobody verified": func(k *authenticator) { k.flags = 1 }, "nobody present": func(k *authenticator) { k.flags = 4 },
	} {
		k := newAuthenticator(t)
		change(k)
		c, err := e.BeginEnrolPasskey(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.EnrolPasskey(t.Context(), link, c.ID, k.create(c), from)
		e.want("a new passkey: "+what, err, operators.ErrPasskey)
	}
	good := newAuthenticator(t)
	c, err := e.BeginEnrolPasskey(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	session, err := e.EnrolPasskey(t.Context(), link, c.ID, good.create(c), from)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newAuthenticator(t)
	for what, change := range map[string]func(*authenticator){
		"another origin": func(k *authenticator) { k.origin = "http://localhost:8082" }, "another party": func(k *authenticator) { k.party = "evil.example" },
		"nobody verified": func(k *authenticator) { k.flags = 1 }, "another key": func(k *authenticator) { k.sign = stranger.key }, "another credential": func(k *authenticator) { k.id = stranger.id },
		"another person": func(k *authenticator) { k.handle = "01890000-0000-7000-8000-000000000000" }, "nobody": func(k *authenticator) { k.handle = "" },
	} {
		k := *good
		change(&k)
		c, err := e.BeginPasskeySignIn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.PasskeySignIn(t.Context(), c.ID, k.get(c), from)
		e.want("sign-in: "+what, err, operators.ErrWrong)
	}
	begin := func() operators.Challenge {
		c, err := e.BeginPasskeySignIn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := begin(), begin()
	_, err = e.PasskeySignIn(t.Context(), two.ID, good.get(one), from)
	e.want("the answer to another challenge", err, operators.ErrWrong)
	old := begin()
	e.Clock.Advance(operator.CeremonyLife)
	_, err = e.PasskeySignIn(t.Context(), old.ID, good.get(old), from)
	e.want("an old challenge", err, operators.ErrWrong)
	for _, text := range []string{"", "{}", "null", `{"id":"x"}`, "\xff"} {
		_, err = e.PasskeySignIn(t.Context(), begin().ID, []byte(text), from)
		e.want("no answer: "+text, err, operators.ErrWrong)
	}
	e.Clock.Advance(operator.Forgiven) // of the address
	for _, count := range []uint32{7, 7} {
		good.count = count
		c := begin()
		_, err = e.PasskeySignIn(t.Context(), c.ID, good.get(c), from)
	}
	e.want("a copy of the authenticator", err, operators.ErrWrong)

	// A challenge of an enrolment is none for an operator who is signed in, and none for a
	// sign-in.
	_ = session
	c, err = e.BeginPasskey(t.Context(), a.Operator)
	if err != nil {
		t.Fatal(err)
	}
	if len(good.read(c).Exclude) != 1 {
		t.Error("the browser may make a second passkey on the same device")
	}
	e.want("of another operator", e.AddPasskey(t.Context(), operator.Operator{ID: "x"}, "", c.ID, stranger.create(c), from), operators.ErrPasskey)
}

func TestSession_EndsByItselfAndByOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, e env) {
		m := e.enrol("maria.ek", operator.Acting)
		var live []string
		for range 2 {
			e.next()
			session, err := e.SignIn(t.Context(), operators.Try{Name: "maria.ek", Password: password, Code: e.code(m.key)}, from)
			if err != nil {
				t.Fatal(err)
			}
			live = append(live, session)
		}
		is := func(secret string) bool {
			_, _, err := e.Session(t.Context(), secret, true)
			if err != nil {
				e.want("a session", err, store.ErrNotFound)
			}
			return err == nil
		}
		if !is(live[0]) || !is(live[1]) || is("") || is("x") {
			t.Fatal("sessions do not live")
		}
		all, err := e.Sessions(t.Context(), m.ID)
		if err != nil || len(all) != 3 {
			t.Fatal(all, err)
		}
		if n, err := e.End(t.Context(), m.ID, "another", all[0].ID, ""); err != nil || n != 0 {
			t.Error("somebody ends the session of another", n, err)
		}
		if n, err := e.End(t.Context(), m.ID, m.ID, all[1].ID, ""); err != nil || n != 1 || is(live[0]) || !is(live[1]) {
			t.Error("one does not end, or both", n, err)
		}
		if n, err := e.End(t.Context(), m.ID, m.ID, "", all[0].ID); err != nil || n != 1 || !is(live[1]) {
			t.Error("all others", n, err)
		}
		for range 25 { // used every 29 minutes
			e.Clock.Advance(operator.IdleLife - time.Minute)
			if !is(live[1]) {
				break
			}
		}
		if is(live[1]) {
			t.Error("a session in use does not end after 12 hours")
		}
		e.next()
		session, err := e.SignIn(t.Context(), operators.Try{Name: "maria.ek", Password: password, Code: e.code(m.key)}, from)
		if err != nil {
			t.Fatal(err)
		}
		e.Clock.Advance(operator.IdleLife / 2)
		if _, _, err := e.Session(t.Context(), session, false); err != nil {
			t.Error("a page cannot keep itself fresh", err)
		}
		e.Clock.Advance(operator.IdleLife / 2)
		if is(session) {
			t.Error("a session that is not used does not end")
		}
		if all, err := e.Sessions(t.Context(), m.ID); err != nil || len(all) != 0 {
			t.Error(all, err)
		}
	})
}
