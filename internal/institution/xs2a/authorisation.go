package xs2a

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"

	"samla/internal/consent"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// StartAuthorization implements institution.Authorizer. If the profile needs a PSU-ID and
// the personal number is not known, it fails with PersonRefused and sends nothing. A picture
// that is given by link is a second exchange, and so is the list of authorisations of a bank
// that allows no more of them: it may have started one by itself. Others are the choice of a
// method to sign with, and the metadata of an authorization server.
func (b *Bank) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	if r.Login {
		return b.login(ctx, r)
	}
	if b.profile.NeedsPSUID && r.PSU.PersonalNumber == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.PersonRefused, RequestID: r.RequestID}
	}
	if b.wire.signing.onPage && b.wire.signing.returnTo(r.Way) == "" {
		return institution.Authorization{}, errNoWay(r.RequestID)
	}
	resp, err := b.sendConsent(ctx, call{
		operation: opAuthorize, method: http.MethodPost, requestID: r.RequestID, psu: r.PSU, psuID: true,
		token: r.Token, header: b.startHeader(r.Way), body: []byte("{}"),
	}, b.authorisations(r.ConsentID)...)
	if err != nil {
		if hasNoAuthorisations(err) && !b.wire.signing.onPage {
			return institution.Authorization{}, nil
		}
		if institution.KindOf(err) == institution.Conflict && !b.wire.signing.onPage {
			if id := b.openAuthorisation(ctx, r); id != "" {
				return institution.Authorization{ID: id}, nil
			}
		}
		return institution.Authorization{}, err
	}
	d, err := documentOf(resp)
	access := institution.Access{ConsentID: r.ConsentID, Token: r.Token, PSU: r.PSU}
	started, d, resp, failed := b.begin(ctx, d, resp, beginning{r.RequestID, access, r.Way, r.OtherDevice})
	if failed == nil {
		failed = b.lead(ctx, d, &started, r.ConsentID, r.Way)
	}
	if failed != nil {
		return institution.Authorization{}, failed
	}
	leads := started.Instructions != nil && started.Instructions.RedirectURL != ""
	if d.status() == "" && started.ID == "" && started.StatusLink == "" && !leads {
		return institution.Authorization{}, cmp.Or(err, malformed(resp.requestID, errMissing))
	}
	if b.wire.signing.onPage && !b.startedItself(d, resp, started) {
		return institution.Authorization{}, errPage(resp.requestID)
	}
	return started, nil
}

// startHeader returns the headers of a request that starts an authorisation.
func (b *Bank) startHeader(w institution.Way) http.Header {
	header := http.Header{}
	switch {
	case b.wire.signing.onPage:
		b.setReturn(header, w)
	case b.wire.noRedirect == whenAuthorizing:
		header.Set("TPP-Redirect-Preferred", "false")
	}
	return header
}

// authorisations returns the segments below the path of consents of the authorisations
// of one.
func (b *Bank) authorisations(id consent.RemoteID) []string {
	return append([]string{string(id)}, under(b.wire.paths.Authorisations)...)
}

// openAuthorisation returns the id of the newest authorisation of a consent, or "" if the
// bank tells of none.
func (b *Bank) openAuthorisation(ctx context.Context, r institution.AuthorizeRequest) string {
	resp, err := b.sendConsent(ctx, call{operation: opAuthorize, method: http.MethodGet, psu: r.PSU, token: r.Token}, b.authorisations(r.ConsentID)...)
	if err != nil {
		return ""
	}
	d, err := documentOf(resp)
	if err != nil {
		return ""
	}
	for _, value := range d.values("authorisationIds", "authorizationIds") {
		if list, ok := value.([]any); ok && len(list) > 0 {
			if id, ok := list[len(list)-1].(string); ok {
				return id
			}
		}
	}
	return ""
}

// hasNoAuthorisations reports whether a refusal to start an authorisation means that
// the bank has no such resource, because it asks the person by itself. A bank that does
// not know the consent says so when the consent is read.
func hasNoAuthorisations(err error) bool {
	var refused *institution.Error
	return leadsNowhere(err) && errors.As(err, &refused) && refused.Code != "CONSENT_UNKNOWN"
}

// leadsNowhere reports whether an error means that there is nothing at the address of a
// request.
func leadsNowhere(err error) bool {
	var refused *institution.Error
	if errors.As(err, &refused) {
		switch refused.HTTPStatus {
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
			return true
		}
	}
	return false
}

// AuthorizationStatus implements institution.Authorizer. The instructions are only
// those of this response. The standard path is asked if the link cannot be used; that,
// and a picture that is given by link, is a second exchange. An authorization that ends with
// a code is pending until the code is there, whatever the bank says.
func (b *Bank) AuthorizationStatus(ctx context.Context, a institution.Access, authorizationID, link string, otherDevice bool) (institution.Authorization, error) {
	c := call{operation: opAuthorize, method: http.MethodGet, psu: a.PSU, token: a.Token}
	var resp response
	t := trailOf(link)
	target, err := b.client.Resolve(t.status)
	if err == nil {
		c.target = target
		resp, err = b.exchange(ctx, c)
	} else {
		err = httperror.Transport(err, "")
	}
	if c.target == (httpclient.Target{}) || leadsNowhere(err) {
		switch {
		case authorizationID != "":
			resp, err = b.sendConsent(ctx, c, append(b.authorisations(a.ConsentID), authorizationID)...)
		case t.status == "": // the consent tells
			resp, err = b.sendConsent(ctx, c, string(a.ConsentID), "status")
		}
	}
	if err != nil {
		return institution.Authorization{}, err
	}
	d, err := documentOf(resp)
	if err != nil {
		return institution.Authorization{}, err
	}
	if d.status() == "" {
		return institution.Authorization{}, malformed(resp.requestID, errMissing)
	}
	status := b.readAuthorisation(ctx, d, resp, a, otherDevice)
	status.ID = ""
	if t.byCode && status.State == institution.AuthorizationDone {
		status.State = institution.AuthorizationPending
	}
	return status, nil
}

// authorisationSegments are the path segments before the id of an authorisation.
func (b *Bank) authorisationSegments() []string {
	return []string{"authorisations", "authorizations", path.Base(b.wire.paths.Authorisations)}
}

// status returns the status of an authorisation. Some banks give that of the consent.
func (d document) status() string {
	return cmp.Or(d.text("scaStatus", "authorisationStatus", "authorizationStatus"), d.own("status", "state"), d.text("consentStatus"))
}

// authorisation reads what an answer says of an authorisation. Without a status it is
// pending. Without an id and a link the consent itself tells when it is signed.
func (b *Bank) authorisation(d document, resp response, locale string, otherDevice bool) institution.Authorization {
	a := institution.Authorization{StatusLink: d.link("scaStatus", "authorisationStatus", "authorizationStatus")}
	a.ID = cmp.Or(d.text("authorisationId", "authorizationId", "scaAuthorisationId", "authId", "scaId"),
		idAfter(b.authorisationSegments(), a.StatusLink, resp.header.Get("Location"), d.link("self")), d.own("id"))
	var failure consent.FailureCode
	a.State, failure = scaStateOf(d.status())
	hint := cmp.Or(b.wire.hintCode.text(d.raw), d.text("hintCode"))
	switch a.State {
	case institution.AuthorizationFailed:
		a.Failure = failureOf(hint, d.messages(), failure)
	case institution.AuthorizationPending:
		hint = canonicalHint(hint)
		a.Instructions = b.instructions(d, hint, locale, otherDevice)
		a.Progress = progressOf(hint)
	}
	return a
}

// readAuthorisation is authorisation, with the picture fetched that the answer names, and
// without a link that cannot be used: then the standard path is asked.
func (b *Bank) readAuthorisation(ctx context.Context, d document, resp response, a institution.Access, otherDevice bool) institution.Authorization {
	read := b.authorisation(d, resp, a.PSU.Locale, otherDevice)
	if _, err := b.client.Resolve(read.StatusLink); err != nil {
		read.StatusLink = ""
	}
	b.fetchPicture(ctx, d, a, &read)
	return read
}

// fetchPicture fetches the picture of the QR code where the bank gives only a link to
// it. That is a second exchange. The link must lie below the base URL: no other host is
// ever contacted. A picture that cannot be had is left out.
func (b *Bank) fetchPicture(ctx context.Context, d document, access institution.Access, a *institution.Authorization) {
	if a.State != institution.AuthorizationPending || a.Instructions != nil && a.Instructions.HasCode() {
		return
	}
	href := findBankID(d).imageLink
	if href == "" {
		return
	}
	target, err := b.client.Resolve(href)
	if err != nil {
		return
	}
	resp, err := b.exchange(ctx, call{operation: opAuthorize, method: http.MethodGet, target: target, psu: access.PSU, token: access.Token, accept: "image/png"})
	if err != nil {
		return
	}
	picture := cmp.Or(pngOf(resp.body), pngBase64(string(resp.body)))
	if picture == "" {
		return
	}
	if a.Instructions == nil {
		a.Instructions = &consent.Instructions{RefreshedAt: b.clock.Now()}
	}
	a.Instructions.QRImage = picture
}

// messages returns the messages of the bank.
func (d document) messages() (all tppMessages) {
	for _, value := range d.values("tppMessage", "tppMessages") {
		data, err := json.Marshal(value)
		var list tppMessages
		if err == nil && json.Unmarshal(data, &list) == nil {
			all = append(all, list...)
		}
	}
	return all
}
