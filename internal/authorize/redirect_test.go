package authorize_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/psu"
)

func TestRedirect_FromTheLinkToTheGrant(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	if seen := b.begins(state, "mine"); seen.Leads != bankPage {
		t.Errorf("the browser is led to %s", seen.Leads)
	}
	b.opens(state, "mine", authorize.ViewGoes) // a reload
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	c = b.handled(c.ID)
	if c.Status != consent.Authorized {
		t.Fatalf("the consent is %s %s at %s", c.Status, c.Failure, c.Step)
	}
	secret := b.secret(c)
	if secret.Tokens.Access != "access-1" || secret.Tokens.Refresh != "refresh-1" || secret.Way != nil || secret.Exchange != nil {
		t.Errorf("kept is %+v", secret)
	}
	got := b.bank.completions
	if len(got) != 1 || got[0].Way.State != state || got[0].Way.Return != publicURL+"/callback/"+theBank ||
		!strings.HasPrefix(got[0].Way.OnceReturn, got[0].Way.Return+"/"+state[:21]) || strings.HasSuffix(got[0].Way.OnceReturn, state) || got[0].Brought.Get("code") != "c-1" || got[0].ConsentID != "bank-1" {
		t.Errorf("exchanged %+v", got)
	}
	if started := b.bank.started; len(started) != 1 || started[0].Way != got[0].Way || len(started[0].Way.Verifier) != 43 {
		t.Errorf("started with %+v", started)
	}
	if seen := b.opens(state, "mine", authorize.ViewEnded); seen.Status != consent.Authorized {
		t.Errorf("at the end %+v", seen)
	}
}

// A reload, a second code and a replay from elsewhere exchange nothing.
func TestReturn_CountsOnce(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.returns(state, "mine", "c-2", authorize.ViewWorks)
	if seen := b.returns(state, "other", "c-3", authorize.ViewElsewhere); seen.Consent != "" || seen.ClientID != "" || seen.Status != "" {
		t.Errorf("another browser sees %+v", seen)
	}
	b.handled(c.ID)
	b.returns(state, "mine", "c-4", authorize.ViewEnded)
	b.returns(state, "other", "c-5", authorize.ViewElsewhere)
	if n := len(b.bank.completions); n != 1 || b.bank.completions[0].Brought.Get("code") != "c-1" || b.bank.completions[0].By != consent.InQuery {
		t.Errorf("%d exchanges: %+v", n, b.bank.completions)
	}
}

func TestReturn_ForeignStateIsUnknown(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	_, other := b.begin()
	b.begins(state, "mine")
	forged := state[:30] + other[30:] // the id of one consent, the random bits of another
	for name, s := range map[string]string{"forged": forged, "cut": state[:20], "empty": "", "no base64": "%%%", "longer": state + "AA"} {
		seen, err := b.Return(t.Context(), theBank, s, "mine", consent.InQuery, url.Values{"code": {"c"}})
		if err != nil || seen.View != authorize.ViewUnknown {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
	}
	if seen, err := b.Return(t.Context(), "se-otherbank", state, "mine", consent.InQuery, url.Values{"code": {"c"}}); err != nil || seen.View != authorize.ViewUnknown {
		t.Errorf("at another company: %+v, %v", seen, err)
	}
	if c = b.Consent(c.ID); c.Step != consent.StepWatch || len(b.bank.completions) != 0 {
		t.Errorf("at %s after %d exchanges", c.Step, len(b.bank.completions))
	}
}

// A bank's app comes home to another browser. It completes by a code typed in the first.
func TestReturn_InAnotherBrowserNeedsTheCode(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "first")
	code := b.returns(state, "second", "c-1", authorize.ViewShowsCode).Code
	if again := b.returns(state, "second", "c-1", authorize.ViewShowsCode); again.Code != code || len(code) != 6 {
		t.Errorf("the codes are %q, then %q", code, again.Code)
	}
	b.handled(c.ID)
	if len(b.bank.completions) != 0 {
		t.Fatal("exchanged before the code was typed")
	}
	b.opens(state, "third", authorize.ViewElsewhere)
	b.opens(state, "first", authorize.ViewEntersCode)
	for _, typed := range []struct{ browser, code string }{{"first", "WRONG2"}, {"second", code}, {"third", code}} {
		if _, err := b.EnterCode(t.Context(), state, typed.browser, typed.code); err != nil {
			t.Fatal(err)
		}
		if b.Consent(c.ID).Step != consent.StepWatch {
			t.Fatalf("%+v completes", typed)
		}
	}
	seen, err := b.EnterCode(t.Context(), state, "first", code)
	b.sees(seen, err, authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Authorized || b.bank.completions[0].Brought.Get("code") != "c-1" {
		t.Errorf("the consent is %s", c.Status)
	}
}

func TestEnterCode_BarsAfterWrongOnes(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "first")
	code := b.returns(state, "second", "c-1", authorize.ViewShowsCode).Code
	for range 5 {
		_, _ = b.EnterCode(t.Context(), state, "first", "WRONG2")
	}
	_, _ = b.EnterCode(t.Context(), state, "first", code)
	if c = b.Consent(c.ID); c.Step != consent.StepWatch || c.Visit.Stage != consent.StageBarred {
		t.Errorf("at %s, %+v", c.Step, c.Visit)
	}
}

// A bank that makes sure who signs lets the person come back in any browser.
func TestReturn_AnyBrowserWhereTheSignerIsNamed(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.NamesSigner = true })
	c, state := b.begin()
	b.begins(state, "first")
	b.returns(state, "second", "c-1", authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Authorized {
		t.Errorf("the consent is %s", c.Status)
	}
}

// Without a code the bank's word is found by asking. It counts only if it is certain who
// has signed.
func TestRedirect_NobodyComesBack(t *testing.T) {
	for name, test := range map[string]struct {
		named bool
		want  consent.Status
	}{"signer named": {true, consent.Authorized}, "signer not named": {false, consent.Failed}} {
		b := newRedirected(t)
		b.change(func(p *institution.Profile) { p.NamesSigner = test.named })
		onStart := b.bank.onStart
		b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
			a, err := onStart(r)
			a.Silent = false
			return a, err
		}
		c, state := b.begin()
		b.begins(state, "mine")
		b.bank.signed.Store(true)
		for c.Status == consent.AwaitingAuthorization && b.Clock.Now().Before(morning.Add(time.Hour)) {
			b.asks(c.ID, 30)
			if c = b.Consent(c.ID); !b.Watches(c.ID) && c.Status == consent.AwaitingAuthorization {
				b.MustRun(b.Handle, string(c.ID))
				c = b.Consent(c.ID)
			}
		}
		if c.Status != test.want {
			t.Errorf("%s: the consent is %s %s", name, c.Status, c.Failure)
		}
		if messages := b.dueMessages(); (len(messages) > 0) != (test.want == consent.Failed) {
			t.Errorf("%s: %d messages to the bank", name, len(messages))
		}
	}
}

func TestReturn_RefusalEndsTheConsent(t *testing.T) {
	b := newRedirected(t)
	b.bank.onComplete = func(_ int, c institution.Completion) (institution.Completed, error) {
		if c.Brought.Get("error") != "access_denied" {
			t.Errorf("brought %v", c.Brought)
		}
		return institution.Completed{State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled}, nil
	}
	c, state := b.begin()
	b.begins(state, "mine")
	seen, err := b.Return(t.Context(), theBank, state, "other", consent.InQuery, url.Values{"error": {"access_denied"}, "state": {state}})
	b.sees(seen, err, authorize.ViewWorks)
	b.checkEnd(b.handled(c.ID), consent.Failed, consent.AuthenticationCancelled)
	if seen := b.opens(state, "mine", authorize.ViewEnded); seen.Failure != consent.AuthenticationCancelled {
		t.Errorf("at the end %+v", seen)
	}
}

func TestComplete_AnotherSignerIsAMismatch(t *testing.T) {
	b := newRedirected(t)
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1"), Signer: "197010632391"}, nil
	}
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.checkEnd(b.handled(c.ID), consent.Failed, consent.AuthenticationMismatch)
	for _, id := range b.dueMessages() { // what the other person has granted is revoked, by its tokens
		if err := b.deliver(id); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.bank.revoked) != 1 || b.bank.revoked[0].Token != "access-1" || b.bank.revoked[0].Refresh != "refresh-1" {
		t.Errorf("revoked %d times", len(b.bank.revoked))
	}
}

// A bank that names the signer does no harm where nobody has said who it has to be. The
// session that a completion without tokens names is revoked with the rest.
func TestComplete_TheSignerMattersOnlyBesideAnother(t *testing.T) {
	for name, test := range map[string]struct {
		asked  psu.Number
		signer psu.Number
		want   consent.FailureCode
		person string // who is known to have signed
	}{"nobody was named": {"", "197010632391", "", "mark of 197010632391"}, "the bank names nobody": {maja, "", "", ""}, "the one": {maja, maja, "", "mark of " + maja},
		"another one": {maja, "197010632391", consent.AuthenticationMismatch, ""}} {
		b := newRedirected(t)
		b.Mark = func(_ context.Context, number string) (string, error) { return "mark of " + number, nil }
		b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
			b.bank.signed.Store(true)
			return institution.Completed{State: institution.AuthorizationDone, Remote: "session-1", Signer: test.signer}, nil
		}
		r := b.request()
		r.PSU.PersonalNumber = test.asked
		c, err := b.Create(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.MustRun(b.Handle, string(c.ID))
		_, state := b.waiting(c.ID)
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		if c = b.handled(c.ID); c.Failure != test.want || (c.Status == consent.Authorized) != (test.want == "") || c.Person != test.person {
			t.Errorf("%s: %s %s", name, c.Status, c.Failure)
		}
		for _, id := range b.dueMessages() {
			if err := b.deliver(id); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.bank.revoked; test.want != "" && (len(got) != 1 || got[0].ConsentID != "session-1") {
			t.Errorf("%s: %d revocations", name, len(got))
		}
	}
}

// A person who follows the page of the bank that somebody else has opened does not give
// that somebody the data.
func TestReturn_OfSomebodyElsesLink(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "attacker")
	b.returns(state, "victim", "c-1", authorize.ViewShowsCode)
	b.returns(state, "attacker", "", authorize.ViewWorks) // the attacker comes with nothing of the victim's
	b.bank.onComplete = func(_ int, c institution.Completion) (institution.Completed, error) {
		if c.Brought.Get("code") == "c-1" {
			t.Error("the victim's code is exchanged")
		}
		return institution.Completed{State: institution.AuthorizationFailed, Failure: consent.AuthenticationFailed}, nil
	}
	b.checkEnd(b.handled(c.ID), consent.Failed, consent.AuthenticationFailed)
}

// Where each person has an address of return, nothing but that address says that the person
// has been at the bank: who has the link could say so before the person whom they sent there.
func TestReturn_ToTheAddressThatOnlyTheBankKnows(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.ReturnsOnce = true })
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone}, nil
	}
	c, state := b.begin()
	once := b.bank.started[0].Way.OnceReturn[len(publicURL+"/callback/"+theBank+"/"):]
	b.begins(state, "mine")
	b.returns(state, "mine", "", authorize.ViewWorks)
	without := b.node() // which a new configuration has not reached
	delete(without.Institutions.(institution.Set), theBank)
	if seen, err := without.Return(t.Context(), theBank, state, "mine", consent.InQuery, url.Values{}); err != nil || seen.View == authorize.ViewEnded {
		t.Errorf("%+v, %v", seen, err)
	}
	if c = b.Consent(c.ID); c.Step != consent.StepWatch || c.Visit.Stage != consent.StageOpen {
		t.Fatalf("at %s, %+v", c.Step, c.Visit)
	}
	b.opens(state, "mine", authorize.ViewGoes) // the person is sent to the bank again
	b.returns(once, "mine", "", authorize.ViewWorks)
	b.returns(once, "other", "", authorize.ViewElsewhere)
	if c = b.handled(c.ID); c.Status != consent.Authorized {
		t.Errorf("the consent is %s at %s", c.Status, c.Step)
	}
	b.opens(once, "mine", authorize.ViewEnded)
}

// The institutions of a gateway have one address of return, which is no company.
func TestReturn_IsAtTheNameOfTheGateway(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.ReturnName = "se-gateway" })
	c, state := b.begin()
	b.begins(state, "mine")
	if seen, err := b.Return(t.Context(), theBank, state, "mine", consent.InQuery, url.Values{"code": {"c"}}); err != nil || seen.View != authorize.ViewUnknown {
		t.Errorf("at the company: %+v, %v", seen, err)
	}
	if seen, err := b.Return(t.Context(), "se-gateway", state, "mine", consent.InQuery, url.Values{"code": {"c"}}); err != nil || seen.View != authorize.ViewWorks {
		t.Errorf("at the gateway: %+v, %v", seen, err)
	}
	if c = b.handled(c.ID); c.Status != consent.Authorized || b.bank.completions[0].Way.Return != b.ReturnAddress("se-gateway") ||
		b.ReturnAddress("se-gateway") != publicURL+"/callback/se-gateway" {
		t.Errorf("%s, %+v", c.Status, b.bank.completions)
	}
}
