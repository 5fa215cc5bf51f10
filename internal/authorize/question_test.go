package authorize_test

import (
	"strings"
	"testing"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// A link can be sent to somebody else before anybody has opened it. No browser goes on by
// opening it, the first one included, unless the bank lets only the named person sign.
func TestVisit_AsksWhetherThePersonBegan(t *testing.T) {
	for name, test := range map[string]struct {
		names, named bool // the bank makes sure who signs; the consent says who that is
		want         authorize.View
	}{
		"anybody can sign":               {false, true, authorize.ViewAsks},
		"the bank cannot know who":       {true, false, authorize.ViewAsks},
		"nobody is known":                {false, false, authorize.ViewAsks},
		"only the named person can sign": {true, true, authorize.ViewGoes},
	} {
		b := newRedirected(t)
		b.change(func(p *institution.Profile) { p.NamesSigner = test.names })
		r := b.request()
		if r.PSU.PersonalNumber = ""; test.named {
			r.PSU.PersonalNumber = maja
		}
		c, err := b.Create(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.MustRun(b.Handle, string(c.ID))
		c, state := b.waiting(c.ID)
		first := b.opens(state, "first", test.want)
		if asked := b.Consent(c.ID); (asked.Rev == c.Rev) != (test.want == authorize.ViewAsks) || asked.Visit.Knows(consent.HashOf("first")) != (test.want == authorize.ViewGoes) {
			t.Errorf("%s: %+v", name, asked.Visit)
		}
		if test.want == authorize.ViewAsks {
			if first.Leads != "" || first.Consent != "" || first.ClientID != c.ClientID || first.Company != c.Company {
				t.Errorf("%s: sees %+v", name, first)
			}
			b.opens(state, "first", authorize.ViewAsks) // a reload is no answer
			b.begins(state, "first")
		}
		b.opens(state, "first", authorize.ViewGoes)
		b.opens(state, "second", authorize.ViewAsks)
		b.opens(state, "second", authorize.ViewAsks)
		b.begins(state, "second")
		b.opens(state, "second", authorize.ViewGoes)
	}
}

// A person who was sent the link and follows it, to the bank and back, without saying to have
// begun this, gives nobody anything.
func TestVisit_NobodyIsLedByALinkAlone(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.opens(state, "victim", authorize.ViewAsks)
	b.returns(state, "victim", "c-1", authorize.ViewShowsCode) // from the page of the bank, had it got there
	b.handled(c.ID)
	if c = b.Consent(c.ID); c.Step != consent.StepWatch || c.Status != consent.AwaitingAuthorization || len(b.bank.completions) != 0 {
		t.Errorf("at %s after %d exchanges", c.Step, len(b.bank.completions))
	}
	b.opens(state, "attacker", authorize.ViewElsewhere) // and becomes none that may type the code
	if b.Consent(c.ID).Visit.Knows(consent.HashOf("attacker")) {
		t.Error("a browser that came late may type the code")
	}
}

// A browser that opens the link while somebody comes back in another one must not become
// one that may type the code of that one.
func TestVisit_KnowsNobodyAfterAReturnWasHeld(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	node := b.node()
	node.Store = &interrupted{Store: b.Store, nth: 2, by: func() { b.returns(state, "other", "c-1", authorize.ViewShowsCode) }}
	seen, err := node.Visit(t.Context(), state, "late", "browser/2", true)
	b.sees(seen, err, authorize.ViewElsewhere)
	if c = b.Consent(c.ID); c.Visit.Stage != consent.StageHeld || c.Visit.Knows(consent.HashOf("late")) {
		t.Errorf("%+v", c.Visit)
	}
}

// A person who did not begin ends it: the bank is told, and nobody can go on by the link.
func TestDeny_EndsTheConsent(t *testing.T) {
	for name, opened := range map[string]bool{"unopened": false, "opened by somebody": true} {
		b := newRedirected(t)
		c, state := b.begin()
		if opened {
			b.begins(state, "attacker")
		}
		for range 2 { // a reload
			seen, err := b.Deny(t.Context(), state, "victim")
			if b.sees(seen, err, authorize.ViewStopped); seen.Leads != "" || seen.Consent != "" || seen.ClientID != "" {
				t.Errorf("%s: sees %+v", name, seen)
			}
		}
		b.checkEnd(b.Consent(c.ID), consent.Failed, consent.AuthenticationCancelled)
		if n := len(b.dueMessages()); n != 1 {
			t.Errorf("%s: %d messages to the bank", name, n)
		}
		b.opens(state, "third", authorize.ViewElsewhere)
		if seen, err := b.Visit(t.Context(), state, "third", "browser/1", true); err != nil || seen.View != authorize.ViewElsewhere {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
	}
}

// It ends nothing where the question is not asked: after somebody came back, after the end,
// and by a link of nobody.
func TestDeny_ChangesNothingLater(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "other", "c-1", authorize.ViewShowsCode)
	seen, err := b.Deny(t.Context(), state, "third")
	b.sees(seen, err, authorize.ViewElsewhere)
	seen, err = b.Deny(t.Context(), state, "mine")
	b.sees(seen, err, authorize.ViewEntersCode)
	seen, err = b.Deny(t.Context(), strings.Repeat("A", 43), "third")
	b.sees(seen, err, authorize.ViewUnknown)
	if c = b.Consent(c.ID); c.Status != consent.AwaitingAuthorization || c.Visit.Stage != consent.StageHeld {
		t.Errorf("%s, %+v", c.Status, c.Visit)
	}
	c, state = b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.handled(c.ID)
	seen, err = b.Deny(t.Context(), state, "third")
	b.sees(seen, err, authorize.ViewElsewhere)
	if c = b.Consent(c.ID); c.Status != consent.Authorized {
		t.Errorf("an authorized consent is %s", c.Status)
	}
}

// The client's page can say it, where the person returns to the client.
func TestBeginsAt_TheOriginOfTheReturnAddress(t *testing.T) {
	b := newRedirected(t)
	_, without := b.begin()
	b.Write(func(tx store.Tx) error {
		return tx.AddReturnURL(b.Context(), b.User.ClientID, "https://shop.example/back", b.Clock.Now())
	})
	r := b.request()
	r.ReturnTo = "https://shop.example/back"
	c, err := b.Create(t.Context(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b.MustRun(b.Handle, string(c.ID))
	_, state := b.waiting(c.ID)
	for _, test := range []struct {
		state, origin string
		want          bool
	}{{state, "https://shop.example", true}, {state, "https://evil.example", false}, {state, "", false}, {without, "https://shop.example", false}, {without, "", false},
		{state[:30] + without[30:], "https://shop.example", false}, {"x", "https://shop.example", false}} {
		if got, err := b.BeginsAt(t.Context(), test.state, test.origin); err != nil || got != test.want {
			t.Errorf("%q: %v, %v", test.origin, got, err)
		}
	}
}
