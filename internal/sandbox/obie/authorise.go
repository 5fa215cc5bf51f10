package obie

import (
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
