package conformance

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"samla/internal/consent"
	"samla/internal/institution"
)

// ReturnTo is our address where persons come back from the pages of banks. A bank that sends
// them back to registered addresses only has to know it.
const ReturnTo = "https://samla.example/callback/se-bank"

// onPage reports whether persons sign on a page of the bank.
func (s *session) onPage() bool {
	return s.Bank.Profile().Redirects && !s.Expect.Push
}

// needsApp skips a test of orders that the person sees here.
func (s *session) needsApp(t *testing.T) {
	t.Helper()
	if s.onPage() || s.Expect.Push {
		t.Skip("the person sees no order here")
	}
}

// newWay returns another way for the person to a page. It is empty for a bank without pages.
func (s *session) newWay() institution.Way {
	p := s.Bank.Profile()
	if !p.Redirects && !p.LoginFirst {
		return institution.Way{}
	}
	random := func() string { return strings.ReplaceAll(uuid.NewString()+uuid.NewString(), "-", "") }
	state := random()
	return institution.Way{State: state, Return: ReturnTo, OnceReturn: ReturnTo + "/" + state, Verifier: random(), Nonce: random()}
}

// logIn logs the person in where that is before the consent, and returns the tokens.
func (s *session) logIn(t *testing.T) institution.Tokens {
	t.Helper()
	if !s.Bank.Profile().LoginFirst {
		return institution.Tokens{}
	}
	way := s.newWay()
	a, err := s.Bank.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: uuid.NewString(), Login: true, PSU: s.Person, Way: way, Scope: fullScope,
		ValidUntil: s.Now().AddDate(0, 0, 180), Recurring: true})
	if err != nil || a.Instructions == nil || a.Instructions.RedirectURL == "" {
		t.Fatalf("start the login: %+v, %v", a, err)
	}
	done, err := s.Bank.(institution.Completer).Complete(t.Context(), institution.Completion{RequestID: uuid.NewString(), AuthorizationID: a.ID, Link: a.StatusLink,
		PSU: s.Person, Way: way, Brought: s.Browse(t, Sign, a.Instructions.RedirectURL)})
	if err != nil || done.State != institution.AuthorizationDone || done.Tokens == nil {
		t.Fatalf("log in: %+v, %v", done, err)
	}
	s.login = *done.Tokens
	return s.login
}

// checkPage checks that the instructions lead to a page.
func (s *session) checkPage(t *testing.T, a institution.Authorization) {
	t.Helper()
	page, err := url.Parse(a.Instructions.RedirectURL)
	if err != nil || page.Scheme != "https" || !s.onPage() {
		t.Errorf("instructions of a page: %+v", *a.Instructions)
	}
	if a.Silent != s.Expect.Silent {
		t.Errorf("silent: %t", a.Silent)
	}
}

// act lets the person act, and returns the state after it. A person who comes back from a
// page brings something, which is completed.
func (s *session) act(t *testing.T, action Action, access institution.Access, a institution.Authorization) institution.Authorization {
	t.Helper()
	if !s.onPage() {
		var shown consent.Instructions
		if a.Instructions != nil {
			shown = *a.Instructions
		}
		s.Act(t, action, shown)
		return s.status(t, access, a)
	}
	done := s.complete(t, access, a, s.Browse(t, action, a.Instructions.RedirectURL))
	return institution.Authorization{State: done.State, Failure: done.Failure}
}

// statusByConsent returns the state of an authorization of which only the consent tells.
func (s *session) statusByConsent(t *testing.T, access institution.Access) institution.Authorization {
	t.Helper()
	switch s.consentInfo(t, access).State {
	case institution.ConsentPending:
		return institution.Authorization{}
	case institution.ConsentValid, institution.ConsentPartlySigned:
		return institution.Authorization{State: institution.AuthorizationDone}
	}
	return institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.Rejected}
}

// neverComesBack: a person who has signed and does not come back is found by asking the
// bank, unless the bank waits for what the person brings.
func neverComesBack(t *testing.T, s *session) {
	if !s.onPage() {
		t.Skip("the bank has no page")
	}
	access, a := s.open(t, fullScope)
	s.Browse(t, Sign, a.Instructions.RedirectURL)
	if s.Expect.Silent || s.Expect.Confirms {
		if info := s.consentInfo(t, access); info.State == institution.ConsentValid {
			t.Error("the consent is valid without the person")
		}
		return
	}
	if got := s.status(t, access, a); got.State != institution.AuthorizationDone {
		t.Errorf("the authorization is %+v", got)
	}
	if info := s.signedInfo(t, access); info.State != institution.ConsentValid {
		t.Errorf("the consent is %+v", info)
	}
}

// signedInfo returns the consent that the person has signed, once a second one has, where
// that has to.
func (s *session) signedInfo(t *testing.T, access institution.Access) institution.ConsentInfo {
	t.Helper()
	info := s.consentInfo(t, access)
	if s.CoSign == nil {
		return info
	}
	if info.State != institution.ConsentPartlySigned || s.Bank.Profile().SecondSigner == 0 {
		t.Errorf("one of two has signed, but the consent is %+v", info)
	}
	s.CoSign(t, access.ConsentID)
	return s.consentInfo(t, access)
}

// twoSessions returns two authorizations. The person has signed the second one.
func (s *session) twoSessions(t *testing.T) (one institution.Access, first institution.Authorization, other institution.Access, second institution.Authorization, brought url.Values) {
	t.Helper()
	if !s.onPage() {
		t.Skip("the bank has no page")
	}
	one, first = s.open(t, fullScope)
	other, second = s.open(t, fullScope)
	return one, first, other, second, s.Browse(t, Sign, second.Instructions.RedirectURL)
}

// refusesForeignReturns: what another person's browser brings, or what has our state twice,
// ends the authorization without a request that could change anything
// (docs/reference/families.md 15.3, R10).
func refusesForeignReturns(t *testing.T, s *session) {
	one, first, other, second, brought := s.twoSessions(t)
	if brought.Get("state") == "" {
		brought.Set("state", s.ways[other.ConsentID].State)
	}
	twice := url.Values{"state": {s.ways[one.ConsentID].State, brought.Get("state")}, "code": brought["code"]}
	before := s.changes()
	for name, foreign := range map[string]url.Values{"another session's": brought, "two states": twice} {
		if done := s.complete(t, one, first, foreign); done.State != institution.AuthorizationFailed || done.Failure == "" || done.Tokens != nil {
			t.Errorf("%s: %+v", name, done)
		}
	}
	if n := s.changes() - before; n != 0 {
		t.Errorf("%d requests that can change something", n)
	}
	if info := s.consentInfo(t, one); info.State == institution.ConsentValid {
		t.Error("the consent that nobody has signed is valid")
	}
	if done := s.complete(t, other, second, brought); done.State != institution.AuthorizationDone {
		t.Errorf("the session of its own: %+v", done)
	}
}

// refusesForeignCode: what a bank gave for one session is of no use in another, even with
// the state of that one.
func refusesForeignCode(t *testing.T, s *session) {
	if s.Expect.Unbound {
		t.Skip("the bank binds a code to no session")
	}
	one, first, _, _, brought := s.twoSessions(t)
	brought.Set("state", s.ways[one.ConsentID].State)
	injected := brought.Has("code") || brought.Has("confirmationCode")
	done := s.complete(t, one, first, brought)
	if injected && (done.State != institution.AuthorizationFailed || done.Tokens != nil) {
		t.Errorf("with the code of another session: %+v", done)
	}
	if info := s.consentInfo(t, one); info.State == institution.ConsentValid {
		t.Error("the consent that nobody has signed is valid")
	}
}

// needsToken: reads need the token of the consent, and what is said without it does not end
// the consent.
func needsToken(t *testing.T, s *session) {
	if !s.Expect.Bearer {
		t.Skip("the bank gives no tokens for its consents")
	}
	access, _ := s.grant(t, fullScope)
	q := s.essential(fullScope)
	_, err := s.Bank.Fetch(t.Context(), access, q)
	expectKind(t, "read without a token", err, institution.SCARequired)
	access.Token = "not-a-token-of-this-bank"
	_, err = s.Bank.Fetch(t.Context(), access, q)
	expectKind(t, "read with another token", err, institution.TokenRefused)
	access.Token = ""
	if _, err := s.fetch(t, access, q); err != nil {
		t.Errorf("read with the token: %v", err)
	}
}

func (s *session) changes() int {
	if s.Changes == nil {
		return 0
	}
	return s.Changes()
}
