package authorize_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// revoke ends a consent, as its user.
func (b *redirected) revoke(id consent.ID) {
	b.Helper()
	if _, err := b.Revoke(b.Context(), b.User.ClientID, b.User.ID, id); err != nil {
		b.Fatal(err)
	}
}

// The user has withdrawn while the person is on the page of the bank, or types the code.
func TestReturn_AfterTheEndChangesNothing(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	b.revoke(c.ID)
	b.returns(state, "mine", "c-1", authorize.ViewEnded)
	b.returns(state, "other", "c-1", authorize.ViewElsewhere)

	c, state = b.begin()
	b.begins(state, "mine")
	code := b.returns(state, "other", "c-1", authorize.ViewShowsCode).Code
	b.revoke(c.ID)
	seen, err := b.EnterCode(t.Context(), state, "mine", code)
	b.sees(seen, err, authorize.ViewEnded)
	b.opens(state, "other", authorize.ViewEnded)
	if n := len(b.bank.completions); n != 0 {
		t.Errorf("%d exchanges", n)
	}
}

// What has a code is no refusal, whatever else it says: it gives data to whom it counts for.
func TestReturn_WithCodeAndErrorIsNoRefusal(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	seen, err := b.Return(t.Context(), theBank, state, "other", consent.InQuery, url.Values{"error": {"x"}, "code": {"c-1"}, "state": {state}})
	b.sees(seen, err, authorize.ViewShowsCode)
	if c = b.Consent(c.ID); c.Step != consent.StepWatch {
		t.Errorf("at %s", c.Step)
	}
}

// After too many wrong codes nobody is told more than that it is over.
func TestEnterCode_BarredBrowsersSeeNothing(t *testing.T) {
	b := newRedirected(t)
	_, state := b.begin()
	b.begins(state, "first")
	b.returns(state, "second", "c-1", authorize.ViewShowsCode)
	for range 5 {
		_, _ = b.EnterCode(t.Context(), state, "first", "WRONG2")
	}
	for _, browser := range []string{"first", "second", "third"} {
		b.opens(state, browser, authorize.ViewElsewhere)
	}
}

// The browser of the person names itself to a bank that wants it, unless the client has
// said it, or says nothing of the person.
func TestVisit_KeepsTheAgentOfTheFirstBrowser(t *testing.T) {
	for name, test := range map[string]struct{ address, agent, want string }{
		"unknown to the client": {"192.0.2.7", "", strings.Repeat("f", 500)},
		"given by the client":   {"192.0.2.7", "app/1", "app/1"},
		"without the person":    {"", "", ""},
	} {
		b := newRedirected(t)
		r := b.request()
		r.PSU.IPAddress, r.PSU.UserAgent = test.address, test.agent
		c, err := b.Create(t.Context(), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.MustRun(b.Handle, string(c.ID))
		_, state := b.waiting(c.ID)
		for _, browser := range []string{"first", "second"} {
			if _, err := b.Visit(t.Context(), state, browser, strings.Repeat(browser[:1], 600), true); err != nil {
				t.Fatal(err)
			}
		}
		if got := b.secret(b.Consent(c.ID)).UserAgent; got != test.want {
			t.Errorf("%s: kept is %.20q of %d bytes", name, got, len(got))
		}
	}
}

// A person who has returned is exchanged for at once, on whatever node, and no longer
// watched.
func TestReturn_IsDueAtOnce(t *testing.T) {
	b := newRedirected(t)
	onStart := b.bank.onStart
	b.bank.onStart = func(r institution.AuthorizeRequest) (institution.Authorization, error) {
		a, err := onStart(r)
		a.Silent = false
		return a, err
	}
	for _, typed := range []bool{false, true} {
		c, state := b.begin()
		b.begins(state, "mine")
		b.Clock.Advance(time.Second)
		if typed {
			code := b.returns(state, "other", "c-1", authorize.ViewShowsCode).Code
			if _, err := b.EnterCode(t.Context(), state, "mine", code); err != nil {
				t.Fatal(err)
			}
		} else {
			b.returns(state, "mine", "c-1", authorize.ViewWorks)
		}
		if c = b.Consent(c.ID); c.Step != consent.StepComplete || !c.WakeAt.Equal(b.Clock.Now()) || b.Watches(c.ID) {
			t.Errorf("at %s, due at %s, watched %t", c.Step, c.WakeAt, b.Watches(c.ID))
		}
	}
}

// An erasure comes between the reading of the row and that of what it hides. A browser sees then
// what it sees of a way that there is not, whatever it asks for.
func TestSeen_IsUnknownAfterAnErasure(t *testing.T) {
	held := func(b *redirected, state string) (code string) {
		b.begins(state, "mine")
		return b.returns(state, "other", "c-1", authorize.ViewShowsCode).Code
	}
	var code string
	for name, test := range map[string]struct {
		before func(*redirected, string)
		ask    func(*redirected, string) (authorize.Seen, error)
	}{
		"types the code": {func(b *redirected, state string) { code = held(b, state) }, func(b *redirected, state string) (authorize.Seen, error) {
			return b.EnterCode(b.Context(), state, "mine", code)
		}},
		"types a wrong code": {func(b *redirected, state string) { held(b, state) }, func(b *redirected, state string) (authorize.Seen, error) {
			return b.EnterCode(b.Context(), state, "mine", "WRONG2")
		}},
		"looks at the code": {func(b *redirected, state string) { held(b, state) }, func(b *redirected, state string) (authorize.Seen, error) {
			return b.Visit(b.Context(), state, "other", "", false)
		}},
		"opens the link": {nil, func(b *redirected, state string) (authorize.Seen, error) {
			return b.Visit(b.Context(), state, "mine", "", true)
		}},
		"says no": {nil, func(b *redirected, state string) (authorize.Seen, error) { return b.Deny(b.Context(), state, "mine") }},
		"comes back": {func(b *redirected, state string) { b.begins(state, "mine") }, func(b *redirected, state string) (authorize.Seen, error) {
			return b.Return(b.Context(), theBank, state, "mine", consent.InQuery, url.Values{"code": {"c-1"}, "state": {state}})
		}},
	} {
		b := newRedirected(t)
		_, state := b.begin()
		if test.before != nil {
			test.before(b, state)
		}
		b.Write(func(tx store.Tx) error { return tx.DestroyDataKey(t.Context(), b.User.ID, b.Clock.Now()) })
		b.Vault.Evict(b.User.ID)
		if seen, err := test.ask(b, state); err != nil || seen != (authorize.Seen{View: authorize.ViewUnknown}) {
			t.Errorf("%s: %+v, %v", name, seen, err)
		}
	}
}
