package xs2a

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/psu"
)

// consentRequest is the body of POST consents. All five members are required
// (docs/reference/banks.md 3.1).
type consentRequest struct {
	Access                   access `json:"access"`
	RecurringIndicator       bool   `json:"recurringIndicator"`
	ValidUntil               string `json:"validUntil"`
	FrequencyPerDay          int    `json:"frequencyPerDay"`
	CombinedServiceIndicator bool   `json:"combinedServiceIndicator"`
}

// OpenConsent implements institution.Opener. Without the IP address of the person it sends
// that of the configuration. If there is none either, it fails with Refused and sends
// nothing: the bank would refuse.
//
// Further exchanges, where the bank needs them: the metadata of the authorization server,
// the choice of a method to sign with, and, before the request, the list of the accounts
// that the consent has to name (listFirst).
func (b *Bank) OpenConsent(ctx context.Context, r institution.OpenRequest) (institution.Opened, error) {
	person, ok := b.addressed(r.PSU)
	if !ok {
		return institution.Opened{}, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID}
	}
	if b.wire.signing.onPage && b.wire.signing.returnTo(r.Way) == "" {
		return institution.Opened{}, errNoWay(r.RequestID)
	}
	if err := b.knowServer(ctx); err != nil {
		return institution.Opened{}, err
	}
	scope := r.Scope
	if b.wire.listFirst && len(scope.AccountIDs) == 0 {
		var err error
		if scope, err = b.naming(ctx, r); err != nil {
			return institution.Opened{}, err
		}
	}
	request := consentRequest{
		Access:             requestedAccess(scope, b.wire),
		RecurringIndicator: r.Recurring,
		ValidUntil:         r.ValidUntil.UTC().Format(time.DateOnly),
		FrequencyPerDay:    1,
	}
	if r.Recurring {
		request.FrequencyPerDay = b.wire.frequencyPerDay
	}
	body, err := json.Marshal(request)
	if err != nil {
		return institution.Opened{}, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID, Cause: err}
	}
	resp, err := b.sendConsent(ctx, call{
		operation: opCreateConsent, method: http.MethodPost, requestID: r.RequestID, psu: person, psuID: true,
		token: r.Token, header: b.openHeader(r.Way), body: body,
	})
	if err != nil {
		return institution.Opened{}, refusedAccounts(err, r.Scope)
	}
	return b.opened(ctx, resp, r)
}

// addressed returns the person with an IP address: our own, if that is not known. ok is
// false without either.
func (b *Bank) addressed(person psu.Context) (_ psu.Context, ok bool) {
	person.IPAddress = cmp.Or(person.IPAddress, b.config.OwnAddress)
	return person, person.IPAddress != ""
}

// openHeader returns the headers of a request for a consent.
func (b *Bank) openHeader(w institution.Way) http.Header {
	header := http.Header{}
	header.Set("TPP-Explicit-Authorisation-Preferred", strconv.FormatBool(b.wire.signing.explicit))
	if b.wire.signing.onPage {
		b.setReturn(header, w)
		return header
	}
	header.Set("TPP-Decoupled-Preferred", "true")
	if b.wire.noRedirect != nowhere {
		header.Set("TPP-Redirect-Preferred", "false")
	}
	return header
}

// refusedAccounts returns the error of a request for a consent. Where accounts are asked
// for, a resource that the bank does not know is one that the person does not have.
func refusedAccounts(err error, asked consent.Scope) error {
	var refused *institution.Error
	if len(asked.AccountIDs) > 0 && errors.As(err, &refused) {
		switch refused.Code {
		case "RESOURCE_UNKNOWN", "RESOURCE_BLOCKED", "RESOURCE_EXPIRED", "CONSENT_INVALID":
			person := *refused
			person.Kind = institution.PersonRefused
			return &person
		}
	}
	return err
}

// opened reads the answer to a request for a consent. Some banks start the
// authorisation with it, and some need none.
func (b *Bank) opened(ctx context.Context, resp response, r institution.OpenRequest) (institution.Opened, error) {
	d, err := documentOf(resp)
	segments := []string{"consents", path.Base(b.wire.paths.Consents)}
	id := cmp.Or(d.text("consentId"), idAfter(segments, d.link("self"), d.link("status"), resp.header.Get("Location"), d.link("scaStatus")), d.own("id"))
	if id == "" {
		return institution.Opened{}, cmp.Or(err, malformed(resp.requestID, errMissing))
	}
	created := institution.Opened{ConsentID: consent.RemoteID(id)}
	switch stateOf(cmp.Or(d.text("consentStatus"), d.own("status", "state"))) {
	case institution.ConsentValid:
		created.Started = &institution.Authorization{State: institution.AuthorizationDone}
		return created, nil
	case institution.ConsentRejected, institution.ConsentRevoked, institution.ConsentExpired:
		hint := cmp.Or(b.wire.hintCode.text(d.raw), d.text("hintCode"))
		created.Started = &institution.Authorization{State: institution.AuthorizationFailed, Failure: failureOf(hint, d.messages(), consent.Rejected)}
		return created, nil
	}
	selects := d.link(startSelectionLink, startSelectionAlias) != "" && len(d.offered()) > 0
	if !selects && (d.hasLink("startAuthorisation") || d.hasLink("startAuthorization")) {
		return created, nil
	}
	access := institution.Access{ConsentID: created.ConsentID, Token: r.Token, PSU: r.PSU}
	started, d, resp, err := b.begin(ctx, d, resp, beginning{r.RequestID, access, r.Way, r.OtherDevice})
	if err != nil {
		return created, nil // StartAuthorization tries again
	}
	if err := b.lead(ctx, d, &started, created.ConsentID, r.Way); err != nil {
		return created, err
	}
	if b.startedItself(d, resp, started) {
		created.Started = &started
	}
	return created, nil
}

// startedItself reports whether the answer to a request for a consent means that the bank
// has started the authorisation with it. One on a page has the address of the page.
func (b *Bank) startedItself(d document, resp response, started institution.Authorization) bool {
	usable := started.Instructions != nil && started.Instructions.Usable()
	approach := resp.header.Get("ASPSP-SCA-Approach") // present once it is decided (docs/reference/banks.md 2)
	switch {
	case usable:
		return true
	case b.wire.signing.onPage && !strings.EqualFold(approach, "DECOUPLED"):
		return started.State != institution.AuthorizationPending
	case started.StatusLink != "", d.text("authorisationId", "authorizationId", "scaStatus") != "":
		return true
	}
	return approach != "" && len(d.links) > 0 && !b.wire.signing.explicit // links, but none to a start
}

// knowServer reads the metadata of an authorization server whose address the configuration
// has, so that no consent is opened that nobody could sign.
func (b *Bank) knowServer(ctx context.Context) error {
	if b.server == nil || !b.wire.signing.byCode || b.server.Metadata == "" {
		return nil
	}
	_, err := b.server.endpoints(ctx, "")
	return httperror.NotSent(err)
}

// Consent implements institution.ConsentReader.
func (b *Bank) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	resp, err := b.sendConsent(ctx, call{
		operation: opConsent, method: http.MethodGet, psu: a.PSU, token: a.Token,
	}, string(a.ConsentID))
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	info, err := readConsent(resp)
	if b.wire.signing.byCode && a.Token == "" && info.State == institution.ConsentValid {
		info.State = institution.ConsentPending // until it has tokens, nothing can be read with it
	}
	return info, err
}

func readConsent(resp response) (institution.ConsentInfo, error) {
	var body struct {
		Access *grantedAccess `json:"access"`
	}
	d, err := documentOf(resp)
	if err == nil {
		err = decode(resp, &body)
	}
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	status := cmp.Or(d.text("consentStatus"), d.own("status", "state"))
	if status == "" {
		return institution.ConsentInfo{}, malformed(resp.requestID, errMissing)
	}
	info := institution.ConsentInfo{State: stateOf(status), Scope: body.Access.scope()}
	if day, _ := text(d.own("validUntil", "validTo")).day(); !day.IsZero() {
		info.ValidUntil = day.AddDate(0, 0, 1).Add(-time.Second) // 23:59:59Z, docs/reference/api.md 4.1
	}
	if n, err := strconv.ParseFloat(d.own("frequencyPerDay"), 64); err == nil && n >= 1 {
		info.ReadsPerDay = int(min(n, consent.MostReadsPerDay))
	}
	info.OneOff = strings.EqualFold(d.own("recurringIndicator"), "false")
	return info, nil
}

// Revoke implements institution.Revoker. It ends the consent, and then the tokens of the login,
// where the bank has an endpoint for that: nothing says that they end with the consent. If the
// person has logged in, and no consent was created after that, there are only tokens to end.
//
// Tokens that the bank does not revoke after the consent has ended are left, also where it may
// do so later: with an error the whole message would be repeated, and a consent that has ended
// could count as one of which the bank was not told. What is lost is the early end of these
// tokens. They end with their time, give no access to accounts, and nobody here has them any
// more. Without a consent, the error is returned.
func (b *Bank) Revoke(ctx context.Context, a institution.Access) error {
	if a.ConsentID != "" {
		if err := b.deleteConsent(ctx, a); err != nil {
			return err
		}
	}
	if b.server == nil {
		return nil
	}
	err := b.server.revoke(ctx, b, a)
	if err != nil && a.ConsentID != "" {
		b.log.Warn("a consent is revoked, and the tokens of its login are not: they end with their time", "error", err)
		return nil
	}
	return err
}

// deleteConsent ends a consent at the bank. One that has ended before is no error.
func (b *Bank) deleteConsent(ctx context.Context, a institution.Access) error {
	resp, err := b.sendConsent(ctx, call{
		operation: opConsent, method: http.MethodDelete, psu: a.PSU, token: a.Token,
	}, string(a.ConsentID))
	if err == nil {
		return httperror.RevocationAnswer(resp.status, resp.body, resp.requestID)
	}
	var failed *institution.Error
	if errors.As(err, &failed) && (failed.Kind == institution.ConsentGone || failed.Kind == institution.ConsentOver) {
		return nil
	}
	return err
}
