package xs2a

import (
	"context"
	"net/http"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
)

// nokMember is the parameter of our address for persons who did not sign.
const nokMember = "nok"

// setReturn sets the headers that say where the person comes back
// (docs/reference/families.md 2.1).
func (b *Bank) setReturn(h http.Header, w institution.Way) {
	s := b.wire.signing
	to := s.returnTo(w)
	h.Set("TPP-Redirect-Preferred", "true")
	setHeader(h, "TPP-Redirect-URI", to)
	if nok, err := oauth.AddQuery(to, map[string]string{nokMember: "1"}); s.nok && err == nil {
		setHeader(h, "TPP-Nok-Redirect-URI", nok)
	}
}

// errNoWay is the error for a request without an address where the person comes back.
func errNoWay(requestID string) error {
	return &institution.Error{Kind: institution.Refused, RequestID: requestID, NotSent: true, Detail: "there is no address where the person comes back"}
}

// lead adds to a pending authorization the page of the bank where the person signs. What
// the answer has decides which of the shapes of docs/reference/families.md 2.1 it is. An
// answer without a page is left as it is. The metadata of the authorization server is a
// further exchange.
func (b *Bank) lead(ctx context.Context, d document, a *institution.Authorization, id consent.RemoteID, w institution.Way) (err error) {
	if !b.wire.signing.onPage || a.State != institution.AuthorizationPending {
		return nil
	}
	t := b.trailIn(d, a.StatusLink)
	var page string
	if t.byCode {
		page, err = b.codePage(ctx, t, id, w)
		a.Silent = true // without the code, a consent that is valid is of no use
	} else if page = d.link("scaRedirect"); page != "" {
		page, err = b.withState(page, w)
	}
	if page == "" || err != nil {
		return err
	}
	a.StatusLink = t.String()
	if a.Instructions == nil {
		a.Instructions = &consent.Instructions{RefreshedAt: b.clock.Now()}
	}
	a.Instructions.RedirectURL = page
	return nil
}

// codePage returns the page of the authorization server for a consent.
func (b *Bank) codePage(ctx context.Context, t trail, id consent.RemoteID, w institution.Way) (string, error) {
	at, err := b.server.endpoints(ctx, t.server)
	if err != nil {
		return "", err
	}
	return b.server.page(at, id, w, b.wire.signing.returnTo(w))
}

// errPage is the error for an answer without a usable address of a page.
func errPage(requestID string) error {
	return &institution.Error{Kind: institution.MalformedResponse, RequestID: requestID, Detail: "_links.scaRedirect must be an https address", Cause: errMissing}
}

// maxFragment bounds the fragment of a page, in bytes, as package oauth does the address
// before it: all of it is kept with the consent.
const maxFragment = 4096

// withState returns the link scaRedirect with the state (docs/reference/families.md 2.2).
// A fragment, as single pages have it, stays behind it.
func (b *Bank) withState(link string, w institution.Way) (string, error) {
	address, fragment, _ := strings.Cut(link, "#")
	state := map[string]string{"state": w.State}
	if !b.wire.signing.appendState {
		state = nil
	}
	page, err := oauth.AddQuery(address, state)
	if err != nil {
		if page, err = oauth.AddQuery(address, nil); err != nil { // it has a state of the bank already
			return "", errPage("")
		}
	}
	if len(fragment) > maxFragment || strings.ContainsFunc(fragment, isControl) {
		return "", errPage("")
	}
	if fragment != "" {
		page += "#" + fragment
	}
	return page, nil
}

// login starts the login before the consent (docs/reference/families.md 2.1, pre-step).
// Nothing is sent but a question for the metadata.
func (b *Bank) login(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	if !b.wire.signing.loginFirst || r.Way.Return == "" {
		return institution.Authorization{}, errNoWay(r.RequestID)
	}
	at, err := b.server.endpoints(ctx, "")
	if err != nil {
		return institution.Authorization{}, httperror.NotSent(err)
	}
	page, err := b.server.page(at, "", r.Way, r.Way.Return)
	if err != nil {
		return institution.Authorization{}, err
	}
	return institution.Authorization{Silent: true, Instructions: &consent.Instructions{RedirectURL: page, RefreshedAt: b.clock.Now()}}, nil
}
