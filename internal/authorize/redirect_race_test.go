package authorize_test

import (
	"context"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/store"
)

// interrupted is a store that lets something happen before the nth read of a consent.
type interrupted struct {
	store.Store
	reads atomic.Int64
	nth   int64
	by    func()
}

func (i *interrupted) Consent(ctx context.Context, id consent.ID) (consent.Consent, error) {
	if i.reads.Add(1) == i.nth {
		i.by()
	}
	return i.Store.Consent(ctx, id)
}

// A browser that opens the link while another one comes back writes nothing any more: the
// row belongs to the exchange, whose tokens would be lost.
func TestVisit_WritesNothingDuringAnExchange(t *testing.T) {
	b := newRedirected(t)
	c, state := b.begin()
	b.begins(state, "mine")
	node := b.node()
	var rev int64
	node.Store = &interrupted{Store: b.Store, nth: 2, by: func() {
		b.returns(state, "mine", "c-1", authorize.ViewWorks)
		rev = b.Consent(c.ID).Rev
	}}
	seen, err := node.Visit(t.Context(), state, "late", "browser/2", true)
	b.sees(seen, err, authorize.ViewElsewhere)
	if c = b.Consent(c.ID); c.Step != consent.StepComplete || c.Rev != rev || rev == 0 {
		t.Errorf("at %s, written %d times after the return", c.Step, c.Rev-rev)
	}
}

// Two nodes hear that an authorization has ended with a code. The slower one goes on with
// what the faster one has exchanged.
func TestWatch_KeepsTheTokensOfAnotherNode(t *testing.T) {
	b := newRedirected(t)
	b.change(func(p *institution.Profile) { p.Redirects = false })
	b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
		return b.pending("bankid.first"), nil
	}
	b.bank.onStatus = func(int) (institution.Authorization, error) {
		return institution.Authorization{State: institution.AuthorizationDone, Brought: url.Values{"code": {"c-1"}}}, nil
	}
	c := b.create()
	b.MustRun(b.Handle, string(c.ID)) // this node watches
	b.Clock.Advance(2 * time.Second)
	other := b.node()
	if _, _, err := other.Poll(t.Context(), b.User.ClientID, b.User.ID, c.ID); err != nil {
		t.Fatal(err)
	}
	other.AwaitRefreshes()
	b.MustRun(other.Handle, string(c.ID))
	if c = b.Consent(c.ID); c.Step != consent.StepWatch || b.secret(c).Tokens.Access == "" || !b.Watches(c.ID) {
		t.Fatalf("at %s", c.Step)
	}
	b.asks(c.ID, 5)
	c = b.Consent(c.ID)
	if c.Status != consent.Authorized || b.secret(c).Tokens.Access != "access-1" || len(b.bank.completions) != 1 {
		t.Errorf("%s at %s after %d exchanges", c.Status, c.Step, len(b.bank.completions))
	}
}
