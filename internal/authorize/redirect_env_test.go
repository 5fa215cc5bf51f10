package authorize_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/institution"
)

const (
	publicURL = "https://samla.test"
	bankPage  = "https://bank.test/sign?session=1"
)

// exchanging is what a scripted bank does with codes and tokens.
type exchanging struct {
	*scripted
	mu          sync.Mutex
	completions []institution.Completion
	refreshed   []string // refresh tokens that were sent
	onComplete  func(n int, c institution.Completion) (institution.Completed, error)
	onRefresh   func(n int, a institution.Access) (institution.Tokens, error)
	current     consent.ID
	lister      institution.AccountLister
}

func (e *exchanging) institution() institution.Institution {
	i := e.scripted.institution()
	i.Completer, i.Refresher, i.AccountLister = e, e, e.lister
	return i
}

func (e *exchanging) Complete(_ context.Context, c institution.Completion) (institution.Completed, error) {
	e.mu.Lock()
	e.completions = append(e.completions, c)
	n := len(e.completions)
	e.mu.Unlock()
	return e.onComplete(n, c)
}

func (e *exchanging) Refresh(_ context.Context, a institution.Access) (institution.Tokens, error) {
	e.mu.Lock()
	e.refreshed = append(e.refreshed, a.Refresh)
	n := len(e.refreshed)
	e.mu.Unlock()
	return e.onRefresh(n, a)
}

// redirected is an env whose bank signs on a page of its own, and gives a code for tokens
// that live an hour. The consent is valid once the code was exchanged.
type redirected struct {
	*env
	bank *exchanging
}

func newRedirected(t testing.TB) *redirected {
	t.Helper()
	return newRedirectedOn(t, t.TempDir())
}

func newRedirectedOn(t testing.TB, database string) *redirected {
	t.Helper()
	b := &redirected{env: newEnvOn(t, database)}
	b.bank = &exchanging{scripted: b.env.bank}
	b.bank.onComplete = func(int, institution.Completion) (institution.Completed, error) {
		b.bank.signed.Store(true)
		return institution.Completed{State: institution.AuthorizationDone, Tokens: b.tokens("1")}, nil
	}
	b.bank.onRefresh = func(int, institution.Access) (institution.Tokens, error) { return *b.tokens("2"), nil }
	b.bank.onStart = func(institution.AuthorizeRequest) (institution.Authorization, error) {
		return institution.Authorization{State: institution.AuthorizationPending, Silent: true,
			Instructions: &consent.Instructions{RedirectURL: bankPage, RefreshedAt: b.Clock.Now()}}, nil
	}
	b.change(func(p *institution.Profile) { p.Redirects, p.Deadline = true, 15*time.Minute })
	return b
}

// change changes the profile of the bank.
func (b *redirected) change(by func(*institution.Profile)) {
	by(&b.bank.profile)
	b.Service = b.node()
}

// node returns another node over the same store.
func (b *redirected) node() *authorize.Service { return b.nodeWith(authorize.WatchLimits{}) }

func (b *redirected) nodeWith(limits authorize.WatchLimits) *authorize.Service {
	s := b.serviceWith(limits)
	s.Institutions.(institution.Set)[theBank] = b.bank.institution()
	s.PublicURL = func() string { return publicURL }
	return s
}

func (b *redirected) tokens(n string) *institution.Tokens {
	return &institution.Tokens{Access: "access-" + n, Refresh: "refresh-" + n, Until: b.Clock.Now().Add(time.Hour)}
}

// begin returns a consent that waits for the person, and the state of its way.
func (b *redirected) begin() (consent.Consent, string) {
	b.Helper()
	return b.beginOf("")
}

// beginOf is begin of a renewal of another consent, if there is one.
func (b *redirected) beginOf(old consent.ID) (consent.Consent, string) {
	b.Helper()
	var c consent.Consent
	if old == "" {
		c = b.create()
	} else {
		c = b.mustRenew(old)
	}
	b.MustRun(b.Handle, string(c.ID))
	return b.waiting(c.ID)
}

func (b *redirected) waiting(id consent.ID) (consent.Consent, string) {
	b.Helper()
	c := b.Consent(id)
	shown, err := b.Show(b.Context(), c)
	if err != nil || shown == nil {
		b.Fatalf("%s at %s shows %+v, %v", c.Status, c.Step, shown, err)
	}
	state, ok := strings.CutPrefix(shown.RedirectURL, publicURL+authorize.GoPath)
	if !ok || shown.Form != authorize.Redirect {
		b.Fatalf("shown is %+v", shown)
	}
	return c, state
}

// opens lets a browser open the link, and checks what it sees.
func (b *redirected) opens(state, browser string, want authorize.View) authorize.Seen {
	b.Helper()
	seen, err := b.Visit(b.Context(), state, browser, "browser/1", false)
	return b.sees(seen, err, want)
}

// begins lets a browser open the link whose person says to have begun this.
func (b *redirected) begins(state, browser string) authorize.Seen {
	b.Helper()
	seen, err := b.Visit(b.Context(), state, browser, "browser/1", true)
	return b.sees(seen, err, authorize.ViewGoes)
}

// returns lets a browser come back with a code, and checks what it sees.
func (b *redirected) returns(state, browser, code string, want authorize.View) authorize.Seen {
	b.Helper()
	seen, err := b.Return(b.Context(), theBank, state, browser, consent.InQuery, url.Values{"code": {code}, "state": {state}})
	return b.sees(seen, err, want)
}

func (b *redirected) sees(seen authorize.Seen, err error, want authorize.View) authorize.Seen {
	b.Helper()
	if err != nil || seen.View != want {
		b.Errorf("the browser sees %+v, %v instead of %s", seen, err, want)
	}
	return seen
}

// handled runs the handler once and returns the row.
func (b *redirected) handled(id consent.ID) consent.Consent {
	b.Helper()
	b.MustRun(b.Handle, string(id))
	if b.Watches(id) {
		b.asks(id, 3)
	}
	return b.Consent(id)
}

// authorized returns an authorized consent with tokens.
func (b *redirected) authorized() consent.Consent {
	b.Helper()
	c, state := b.begin()
	b.begins(state, "mine")
	b.returns(state, "mine", "c-1", authorize.ViewWorks)
	if c = b.handled(c.ID); c.Status != consent.Authorized {
		b.Fatalf("the consent is %s %s at %s", c.Status, c.Failure, c.Step)
	}
	return c
}
