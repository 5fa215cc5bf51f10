package conformance_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/obie"
	"samla/internal/obiespec"
	"samla/internal/psu"
	"samla/internal/sandbox/faults"
	sandboxobie "samla/internal/sandbox/obie"
	"samla/internal/sandbox/obie/signed"
)

// unjudged lets answers pass that break the standard on purpose.
type unjudged struct{}

func (unjudged) Handler(next http.Handler, _ func(error)) http.Handler             { return next }
func (unjudged) Transport(next http.RoundTripper, _ func(error)) http.RoundTripper { return next }

// obieLogin is the connector of a bank that speaks OBIE, and a person there.
type obieLogin struct {
	*world
	connector *obie.Bank
	bank      *sandboxobie.Bank
}

func newOBIELogin(t *testing.T, company string, o oracle) *obieLogin {
	t.Helper()
	w := newWorld(t, company, o)
	return &obieLogin{w, w.obie(t), w.sandbox.OBIEBank(company)}
}

var obiePerson = psu.Context{IPAddress: "192.0.2.7", UserAgent: "Test/1.0"}

func (l *obieLogin) open(t *testing.T) consent.RemoteID {
	t.Helper()
	opened, err := l.connector.OpenConsent(t.Context(), institution.OpenRequest{RequestID: uuid.NewString(), Scope: consent.Scope{Balances: true, Transactions: true},
		ValidUntil: l.clock.Now().AddDate(0, 0, 90), Recurring: true, PSU: obiePerson})
	if err != nil {
		t.Fatal(err)
	}
	return opened.ConsentID
}

// sign lets the person sign a consent, and completes what the browser brings.
func (l *obieLogin) sign(t *testing.T, id consent.RemoteID) institution.Completed {
	t.Helper()
	random := func() string { return uuid.NewString() + uuid.NewString() }
	way := institution.Way{State: random(), Return: conformance.ReturnTo, Verifier: random(), Nonce: random()}
	a, err := l.connector.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: uuid.NewString(), ConsentID: id, Way: way})
	if err != nil {
		t.Fatal(err)
	}
	return l.complete(t, id, way, l.browse(t, conformance.Sign, a.Instructions.RedirectURL))
}

func (l *obieLogin) complete(t *testing.T, id consent.RemoteID, way institution.Way, brought url.Values) institution.Completed {
	t.Helper()
	done, err := l.connector.Complete(t.Context(), institution.Completion{RequestID: uuid.NewString(), ConsentID: id, Way: way, Brought: brought, By: l.by})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func (l *obieLogin) grant(t *testing.T) institution.Access {
	t.Helper()
	id := l.open(t)
	done := l.sign(t, id)
	if done.State != institution.AuthorizationDone {
		t.Fatalf("%+v", done)
	}
	return institution.Access{ConsentID: id, Token: done.Tokens.Access, Refresh: done.Tokens.Refresh, PSU: obiePerson}
}

func (l *obieLogin) accounts(t *testing.T, a institution.Access) error {
	t.Helper()
	_, err := l.connector.Fetch(t.Context(), a, l.connector.Start(consent.Scope{Balances: true, Transactions: true}, "2026-10-01")[0])
	return err
}

func wantKind(t *testing.T, what string, err error, want institution.ErrorKind) {
	t.Helper()
	if err == nil || institution.KindOf(err) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

// docs/reference/families.md 15, O6: each wrong answer of the bank ends the login, and
// nothing is exchanged.
func TestOBIE_RefusesEveryWrongAnswerWithoutATokenRequest(t *testing.T) {
	for company, version := range map[string]obiespec.Version{"se-demo-obie": obiespec.V31, "se-demo-obie4": obiespec.V40} {
		l := newOBIELogin(t, company, obiespec.New(t, version, "https://sandbox/"+company))
		l.grant(t) // its code is the one of another session
		exchanged := l.bank.Calls().Count("token authorization_code")
		for _, variant := range signed.Variants() {
			l.bank.SetVariant(variant)
			done := l.sign(t, l.open(t))
			if n := l.bank.Calls().Count("token authorization_code") - exchanged; done.State != institution.AuthorizationFailed || done.Failure != consent.AuthenticationFailed || done.Tokens != nil || n != 0 {
				t.Errorf("%s %s: %+v, %d token requests", company, variant, done, n)
			}
		}
		l.bank.SetVariant("")
		l.grant(t)
	}
}

// O16: the tokens end with the person's word at the bank, the consent with ours.
func TestOBIE_EndsOnBothSides(t *testing.T) {
	l := newOBIELogin(t, "se-demo-obie", obiespec.New(t, obiespec.V31, "https://sandbox/se-demo-obie"))
	a := l.grant(t)
	if ok, err := l.bank.Revoke(string(a.ConsentID)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	wantKind(t, "read", l.accounts(t, a), institution.TokenRefused)
	_, err := l.connector.Refresh(t.Context(), a)
	wantKind(t, "refresh", err, institution.ConsentGone)
	if info, err := l.connector.Consent(t.Context(), a); err != nil || info.State != institution.ConsentValid {
		t.Errorf("the consent is %+v, %v", info, err)
	}
	for range 2 {
		if err := l.connector.Revoke(t.Context(), a); err != nil {
			t.Error(err)
		}
	}
	_, err = l.connector.Consent(t.Context(), a)
	wantKind(t, "the consent afterwards", err, institution.ConsentGone)

	b := l.grant(t)
	if err := l.connector.Revoke(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "read after the deletion", l.accounts(t, b), institution.TokenRefused)
}

// O17: the person signs the same consent again, and the tokens of before are dead.
func TestOBIE_SignsTheSameConsentAgain(t *testing.T) {
	l := newOBIELogin(t, "se-demo-obie4", obiespec.New(t, obiespec.V40, "https://sandbox/se-demo-obie4"))
	a := l.grant(t)
	if ok, err := l.bank.Reauthenticate(string(a.ConsentID)); err != nil || !ok {
		t.Fatal(ok, err)
	}
	wantKind(t, "read", l.accounts(t, a), institution.SCARequired)
	l.clock.Advance(time.Minute)
	done := l.sign(t, a.ConsentID)
	if done.State != institution.AuthorizationDone {
		t.Fatalf("%+v", done)
	}
	wantKind(t, "read with the old token", l.accounts(t, a), institution.TokenRefused)
	_, err := l.connector.Refresh(t.Context(), a)
	wantKind(t, "the old refresh token", err, institution.ConsentGone)
	a.Token = done.Tokens.Access
	if err := l.accounts(t, a); err != nil {
		t.Error(err)
	}
}

// O19: other keys of the bank are read once.
func TestOBIE_ReadsNewKeysOnce(t *testing.T) {
	l := newOBIELogin(t, "se-demo-obie", obiespec.New(t, obiespec.V31, "https://sandbox/se-demo-obie"))
	l.grant(t)
	if err := l.bank.RotateKey(); err != nil {
		t.Fatal(err)
	}
	l.clock.Advance(2 * time.Minute)
	before := l.bank.Calls().Count("GET jwks")
	l.grant(t)
	l.grant(t)
	if n := l.bank.Calls().Count("GET jwks") - before; n != 1 {
		t.Errorf("the keys were read %d times", n)
	}
}

// A bank that answers in its own way loses what it spoils, and nothing else.
func TestOBIE_ReadsAnswersThatDeviate(t *testing.T) {
	l := newOBIELogin(t, "se-demo-obie", unjudged{})
	a := l.grant(t)
	for _, c := range []struct {
		deviation faults.Deviation
		kinds     []institution.ErrorKind // of the failure; none: it is read
		counted   deviation.Kind          // what is lost
	}{
		{faults.UnknownMembers, nil, ""}, {faults.UnknownValues, nil, ""}, {faults.ManyDecimals, nil, ""}, {faults.MissingMembers, nil, ""},
		{faults.NullMembers, nil, ""}, {faults.NumberAmounts, nil, ""}, {sandboxobie.BareTimes, nil, ""}, {faults.WrongType, nil, ""},
		{sandboxobie.SignedAmounts, nil, deviation.UnreadableRow},
		{faults.CutBody, []institution.ErrorKind{institution.Unreachable}, ""}, {faults.Lost, []institution.ErrorKind{institution.Unreachable}, ""},
		{faults.Unavailable, []institution.ErrorKind{institution.Unreachable}, ""}, {faults.ServerError, []institution.ErrorKind{institution.Unreachable}, ""},
		{faults.ErrorPage, []institution.ErrorKind{institution.Unreachable}, ""}, {faults.Maintenance, []institution.ErrorKind{institution.MalformedResponse}, ""},
		{faults.TooMany, []institution.ErrorKind{institution.Busy}, ""},
	} {
		if err := l.bank.SetFaults(); err != nil {
			t.Fatal(err)
		}
		scope := consent.Scope{Balances: true, Transactions: true}
		questions := l.connector.Start(scope, "2026-10-01")
		first, err := l.connector.Fetch(t.Context(), a, questions[0])
		if err != nil {
			t.Fatal(err)
		}
		listed, err := l.connector.Read(first)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.bank.SetFaults(faults.Fault{Deviation: c.deviation}); err != nil {
			t.Fatal(err)
		}
		rows, lost := 0, deviation.Counts{}
		for _, q := range append(questions, listed.Questions...) {
			answer, err := l.connector.Fetch(t.Context(), a, q)
			if len(c.kinds) > 0 {
				if err == nil || !slices.Contains(c.kinds, institution.KindOf(err)) {
					t.Errorf("%s: %s: %v", c.deviation, q.Kind, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %s: %v", c.deviation, q.Kind, err)
				continue
			}
			read, err := l.connector.Read(answer)
			if err != nil {
				t.Errorf("%s: %s: %v", c.deviation, q.Kind, err)
			}
			lost.Merge(read.Deviations)
			for _, h := range read.Facts.Histories {
				rows += len(h.Transactions)
			}
		}
		if len(c.kinds) == 0 && (rows == 0 || lost.Incomplete() != (c.counted != "") || c.counted != "" && lost[c.counted] == 0) {
			t.Errorf("%s: %d rows, lost %v", c.deviation, rows, lost)
		}
		l.clock.Advance(20 * time.Second)
	}
}
