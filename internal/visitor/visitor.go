// Package visitor plays a person with a browser on the page of a bank of the sandbox: it
// keeps cookies, follows redirects and reloads, fills in forms, and stops at the first
// address outside of the bank. On the way there it says yes, as a person who has begun this
// does. It reads nothing but the pages, so that what it shows is what a person would see.
// The demo and tests use it.
package visitor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"samla/internal/clock"
)

// Errors of Browser.Visit.
var (
	// ErrStays: the page offers no way on. The error's text has what the page says.
	ErrStays = errors.New("visitor: the page does not go on")
	// ErrLost: the pages lead nowhere after many steps.
	ErrLost = errors.New("visitor: too many pages")
)

// maxPages is the maximum number of addresses of one visit, reloads included: about as
// many as the seconds of the longest login.
const maxPages = 1000

// Action is what the person does on the phone with the BankID order that a page shows.
type Action string

// The actions of the sandbox's phone.
const (
	Nothing Action = "" // the person has a habit, or somebody else acts
	Approve Action = "approve"
	Open    Action = "open" // and never signs
	Cancel  Action = "cancel"
)

// Person is what the person does.
type Person struct {
	Number  string // 12 digits, for the form that asks for it; empty: the form is sent as it is
	Phone   Action
	SignsAs string   // who acts on the phone, 12 digits; empty: the person whom the bank expects
	Refuse  bool     // refuses on the page
	Chooses []string // values of the accounts that are shared; nil: those that the page suggests
}

// Browser is one browser with its cookies. Visit is not safe for concurrent use; the other
// methods are.
type Browser struct {
	client *http.Client
	clock  clock.Clock
	// Bank is the origin at which the bank's pages and the phone are, such as
	// "https://127.0.0.1:8443". Visit follows other addresses until it is there.
	bank string
	// Saw, if set, is called with the address of each page, in order.
	Saw func(address *url.URL, status int)
}

// New returns a browser without cookies, for the banks of one origin. The transport must
// accept the bank's certificate.
func New(transport http.RoundTripper, c clock.Clock, bank string) *Browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &Browser{clock: c, bank: bank, client: &http.Client{
		Transport: transport, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Visit follows the pages from an address, and returns the first address outside of the
// bank to which they lead, without asking for it. Errors: ErrStays, ErrLost, those of the
// network and of ctx.
func (b *Browser) Visit(ctx context.Context, address string, p Person) (*url.URL, error) {
	next, err := request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	v := visit{Browser: b, person: p, sent: map[string]bool{}}
	been := false
	for range maxPages {
		if origin(next.URL) == b.bank {
			been = true
		} else if been {
			return next.URL, nil
		}
		if next, err = v.step(ctx, next); err != nil {
			return nil, err
		}
	}
	return nil, ErrLost
}

// Get asks for one address with the browser's cookies, without following redirects. The
// caller closes the body.
func (b *Browser) Get(ctx context.Context, address string) (*http.Response, error) {
	r, err := request(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	return b.client.Do(r)
}

// Look opens an address and looks no further.
func (b *Browser) Look(ctx context.Context, address string) error {
	page, err := b.Get(ctx, address)
	if err != nil {
		return err
	}
	return page.Body.Close()
}

// Submit sends a form with the browser's cookies, without following redirects. The caller
// closes the body.
func (b *Browser) Submit(ctx context.Context, address string, fields url.Values) (*http.Response, error) {
	r, err := request(ctx, http.MethodPost, address, fields)
	if err != nil {
		return nil, err
	}
	return b.client.Do(r)
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

func stays(p page) error { return fmt.Errorf("%w: %s", ErrStays, p.says) }
