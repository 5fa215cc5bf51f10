package authorize_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
)

// counts is an Observer that counts what it is told, by company and outcome.
type counts struct {
	mu  sync.Mutex
	all map[string]int
}

func (c *counts) add(company, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]int{}
	}
	c.all[company+" "+outcome]++
}

func (c *counts) Returned(company string, o authorize.ReturnOutcome) {
	c.add(company, "return "+string(o))
}

func (c *counts) Exchanged(company string, o authorize.ExchangeOutcome) {
	c.add(company, "exchange "+string(o))
}

func (c *counts) Refreshed(company string, o authorize.RefreshOutcome) {
	c.add(company, "refresh "+string(o))
}

// are checks what was counted since the last call.
func (c *counts) are(t *testing.T, want map[string]int) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !maps.Equal(c.all, want) {
		t.Errorf("counted are %v, not %v", c.all, want)
	}
	c.all = nil
}

func newObserved(t *testing.T) (*redirected, *counts) {
	b, c := newRedirected(t), &counts{}
	b.Observer = c
	return b, c
}

func TestObserver_CountsReturns(t *testing.T) {
	b, counted := newObserved(t)
	c, state := b.begin()
	b.begins(state, "mine")
	counted.are(t, nil)
	b.returns(state, "theirs", "c-1", authorize.ViewShowsCode)
	b.returns(state, "theirs", "c-1", authorize.ViewShowsCode)
	b.returns(state, "third", "c-1", authorize.ViewElsewhere)
	seen, err := b.Return(t.Context(), "se-other", state, "mine", consent.InQuery, nil)
	b.sees(seen, err, authorize.ViewUnknown)
	counted.are(t, map[string]int{theBank + " return HELD": 1, theBank + " return REPEATED": 1, theBank + " return ELSEWHERE": 1, "se-other return UNKNOWN": 1})
	code := b.secret(b.Consent(c.ID)).Exchange.Code
	for _, typed := range []string{"WRONG2", code} {
		if _, err := b.EnterCode(t.Context(), state, "mine", typed); err != nil {
			t.Fatal(err)
		}
	}
	b.returns(state, "mine", "c-2", authorize.ViewWorks)
	counted.are(t, map[string]int{theBank + " return CODE_WRONG": 1, theBank + " return CODE_TYPED": 1, theBank + " return REPEATED": 1})

	_, state = b.begin()
	b.begins(state, "mine")
	b.returns(state, "theirs", "c-1", authorize.ViewShowsCode)
	for range 5 {
		if _, err := b.EnterCode(t.Context(), state, "mine", "WRONG2"); err != nil {
			t.Fatal(err)
		}
	}
	counted.are(t, map[string]int{theBank + " return HELD": 1, theBank + " return CODE_WRONG": 4, theBank + " return BARRED": 1})

	_, state = b.begin()
	for range 2 {
		seen, err := b.Deny(t.Context(), state, "theirs")
		b.sees(seen, err, authorize.ViewStopped)
	}
	counted.are(t, map[string]int{theBank + " return DENIED": 1})
}

func TestObserver_CountsExchanges(t *testing.T) {
	b, counted := newObserved(t)
	b.bank.onComplete = func(n int, _ institution.Completion) (institution.Completed, error) {
		switch n {
		case 1:
			return institution.Completed{}, kind(institution.Unreachable)
		case 2:
			return institution.Completed{State: institution.AuthorizationPending, Next: map[string][]string{"code": {"c-2"}}}, nil
		}
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1")}, nil
	}
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.MustRun(b.Handle, string(c.ID))
	b.Clock.Set(b.Consent(c.ID).WakeAt)
	b.handled(c.ID)
	counted.are(t, map[string]int{theBank + " return ACCEPTED": 1, theBank + " exchange REPEATED": 1, theBank + " exchange NEXT": 1, theBank + " exchange DONE": 1})

	for outcome, done := range map[authorize.ExchangeOutcome]institution.Completed{
		authorize.ExchangeRefused:  {State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled},
		authorize.ExchangeMismatch: {State: institution.AuthorizationDone, Signer: "190905271474"},
	} {
		b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) { return done, nil }
		c, state = b.begin()
		b.begins(state, "mine")
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		b.handled(c.ID)
		counted.are(t, map[string]int{theBank + " return ACCEPTED": 1, theBank + " exchange " + string(outcome): 1})
	}
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		return institution.Completed{}, kind(institution.Refused)
	}
	c, state = b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	b.handled(c.ID)
	counted.are(t, map[string]int{theBank + " return ACCEPTED": 1, theBank + " exchange FAILED": 1})
}

func TestObserver_CountsRefreshes(t *testing.T) {
	b, counted := newObserved(t)
	var all []consent.Consent
	for range 7 {
		all = append(all, b.authorized())
	}
	counted.all = nil
	ask := func(i int, refused string) { _, _, _ = b.Access(t.Context(), b.Consent(all[i].ID), refused) }
	answer := b.bank.onRefresh
	fails := func(k institution.ErrorKind) {
		b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) { return institution.Tokens{}, kind(k) }
	}
	ask(0, "access-1")
	fails(institution.Unreachable)
	ask(1, "access-1")
	fails(institution.CertificateRejected)
	ask(2, "access-1")
	counted.are(t, map[string]int{theBank + " refresh REPLACED": 1, theBank + " refresh LOST": 1, theBank + " refresh FAILED": 1})

	fails(institution.ConsentGone)
	ask(3, "access-1")
	b.Clock.Advance(consent.DenialConfirmedAfter + time.Second)
	ask(3, "access-1")
	counted.are(t, map[string]int{theBank + " refresh DENIED": 1, theBank + " refresh ENDED": 1})
	if got := b.SuspectedOutages(); len(got) != 0 {
		t.Errorf("suspected are %q", got)
	}
	for _, i := range []int{2, 4, 5, 6} {
		ask(i, "access-1")
	}
	counted.are(t, map[string]int{theBank + " refresh DENIED": 4})
	if got := b.SuspectedOutages(); len(got) != 1 || got[0] != theBank {
		t.Errorf("suspected are %q", got)
	}
	ask(4, "access-1")
	counted.are(t, map[string]int{theBank + " refresh HELD_BACK": 1})
	b.bank.onRefresh = answer
	b.Clock.Advance(6 * time.Minute)
	ask(4, "access-1")
	counted.are(t, map[string]int{theBank + " refresh REPLACED": 1})
	if got := b.SuspectedOutages(); len(got) != 0 {
		t.Errorf("suspected are %q", got)
	}
}
