package obie

import (
	"errors"
	"net/http"
	"slices"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/signed"
)

// authorize starts a login: it checks the request object and sends the browser to the
// page. What cannot be told to the client, because its address is not certain, is an error
// of status 400 (docs/reference/families.md 4.2 step 3, 15.2 O4).
func (b *Bank) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	b.mu.Lock()
	defer b.mu.Unlock()
	client := b.clients[q.Get("client_id")]
	if client == nil {
		refusePage(w, "unknown client_id")
		return
	}
	request, err := signed.ReadRequest(q.Get("request"), client.Keys)
	if err != nil {
		refusePage(w, "invalid_request_object: no key of the client signed it")
		return
	}
	if !slices.Contains(client.RedirectURIs, request.RedirectURI) {
		refusePage(w, "redirect_uri is not registered")
		return
	}
	// OpenID Connect Core 6.1: what stands outside must be the same.
	for name, inside := range map[string]string{
		"client_id": request.ClientID, "redirect_uri": request.RedirectURI, "response_type": request.ResponseType, "scope": request.Scope,
		"state": request.State, "nonce": request.Nonce,
	} {
		outside := q.Get(name)
		required := name == "response_type" || name == "scope"
		if q.Has(name) && outside != inside || required && outside == "" {
			refusePage(w, name+" is missing, or is not that of the request object")
			return
		}
	}
	fail := func(code, description string) {
		http.Redirect(w, r, signed.ErrorRedirect(request.RedirectURI, code, description, request.State, b.answerIssuer()), http.StatusSeeOther)
	}
	now := b.Clock.Now()
	if err := request.Check(client.ID, b.Issuer(), b.PKCE, now); err != nil {
		fail("invalid_request_object", err.Error())
		return
	}
	consent := b.consent(request.Claims.IDToken.Intent.Value)
	if consent == nil || consent.Client != client.ID || !consent.Open(now) {
		fail("invalid_request", "openbanking_intent_id is not a consent that can be authorised")
		return
	}
	id, err := b.secret() // whoever knows it is taken for the browser of the person
	if err != nil {
		fail("server_error", "")
		return
	}
	l := &grant.Login{
		ID: id, Consent: consent.ID, Client: client.ID, RedirectURI: request.RedirectURI, State: request.State, Nonce: request.Nonce,
		Challenge: request.Challenge, ACR: request.ACR(), Started: now,
	}
	b.logins[id] = l
	b.write(entry{Login: l})
	http.Redirect(w, r, b.base+pagePath+id, http.StatusSeeOther)
}

// refusePage is shown to the person if the bank does not know where to send them.
func refusePage(w http.ResponseWriter, text string) {
	http.Error(w, text, http.StatusBadRequest)
}

// answerIssuer is the member iss of answers in the browser.
func (b *Bank) answerIssuer() string {
	if b.SaysIssuer {
		return b.Issuer()
	}
	return ""
}

// ErrNoLogin is returned for a login that is unknown, over or too old.
var ErrNoLogin = errors.New("obie: no such login, or it is over")

// Approve ends a login: the person, who has logged in, chose these accounts (AccountIds).
// It returns the address to send the browser to. Errors: ErrNoLogin; an error of
// randomness or keys. If the consent cannot be approved by this person, the address tells
// the client of an error.
func (b *Bank) Approve(login, person string, accounts []string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.Clock.Now()
	l, consent, err := b.openLogin(login)
	if err != nil {
		return "", err
	}
	if !b.owns(person, accounts) || b.apply(consent, grant.Approved{Person: person, Accounts: accounts}) != nil {
		return b.fail(l, "access_denied", "the consent cannot be given"), nil
	}
	text, err := b.secret()
	if err != nil {
		return "", err
	}
	code := &grant.Code{
		Hash: grant.Hash(text), Consent: consent.ID, Client: l.Client, RedirectURI: l.RedirectURI, Nonce: l.Nonce, Challenge: l.Challenge,
		ACR: l.ACR, Generation: consent.Generation, Issued: now,
	}
	answer := signed.Answer{
		Token: signed.NewIDToken(b.Issuer(), l.Client, consent.ID, l.Nonce, l.ACR, consent.SCA, now),
		Code:  text, ForeignCode: b.foreign, State: l.State, Issuer: b.answerIssuer(),
	}
	if answer.Key, err = b.key(); err != nil {
		return "", err
	}
	variant := b.variant
	if variant == signed.UnknownKey || variant == signed.KnownKeyID {
		if answer.OtherKey, err = b.keyAt(b.rotated + 1); err != nil { // the next one, not published yet
			return "", err
		}
	}
	if answer.ForeignCode == "" {
		if answer.ForeignCode, err = b.secret(); err != nil {
			return "", err
		}
	}
	address, err := answer.Redirect(l.RedirectURI, variant)
	if err != nil {
		return "", err
	}
	b.variant, b.foreign = "", text
	b.codes[code.Hash] = code
	b.write(entry{Code: code})
	b.endLogin(l)
	return address, nil
}

// Refuse ends a login without an approval and returns the address to send the browser to.
// code is an error of RFC 6749 4.1.2.1, such as access_denied; description may be empty. A
// consent that was never authorised is rejected by it. The error is ErrNoLogin.
func (b *Bank) Refuse(login, code, description string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, consent, err := b.openLogin(login)
	if err != nil {
		return "", err
	}
	_ = b.apply(consent, grant.Refused{}) // a consent that is rejected already stays so
	return b.fail(l, code, description), nil
}

// openLogin returns a login and its consent. The caller holds mu.
func (b *Bank) openLogin(id string) (*grant.Login, *grant.Consent, error) {
	l := b.logins[id]
	if l == nil || !l.Open(b.Clock.Now()) {
		return nil, nil, ErrNoLogin
	}
	return l, b.consent(l.Consent), nil
}

func (b *Bank) fail(l *grant.Login, code, description string) string {
	b.endLogin(l)
	return signed.ErrorRedirect(l.RedirectURI, code, description, l.State, b.answerIssuer())
}

func (b *Bank) endLogin(l *grant.Login) {
	l.Over = true
	b.write(entry{Login: l})
}

// owns reports whether all accounts are the person's.
func (b *Bank) owns(person string, accounts []string) bool {
	p, ok := b.customers.Person(person)
	if !ok {
		return false
	}
	known := map[string]bool{}
	for _, a := range b.accounts(p) {
		known[a.ID] = true
	}
	return !slices.ContainsFunc(accounts, func(id string) bool { return !known[id] })
}
