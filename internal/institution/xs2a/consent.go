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

// OpenConsent implements institution.Opener. It creates a consent whose authorisation
// is decoupled and started by a separate request. Without the IP address of the
// person it sends that of the configuration. If there is none either, it fails with
// Refused and sends nothing: the bank would refuse.
func (b *Bank) OpenConsent(ctx context.Context, r institution.OpenRequest) (institution.Opened, error) {
	person := r.PSU
	if person.IPAddress == "" {
		person.IPAddress = b.config.OwnAddress
	}
	if person.IPAddress == "" {
		return institution.Opened{}, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID}
	}
	request := consentRequest{
		Access:             requestedAccess(r.Scope, b.wire),
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
	header := http.Header{}
	header.Set("TPP-Explicit-Authorisation-Preferred", "true")
	header.Set("TPP-Decoupled-Preferred", "true")
	if b.wire.noRedirect != nowhere {
		header.Set("TPP-Redirect-Preferred", "false")
	}
	resp, err := b.sendConsent(ctx, call{
		operation: opCreateConsent, method: http.MethodPost, requestID: r.RequestID, psu: person, psuID: true,
		header: header, body: body,
	})
	if err != nil {
		return institution.Opened{}, refusedAccounts(err, r.Scope)
	}
	return b.opened(ctx, resp, r)
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
		created.Started = &institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.Rejected}
		return created, nil
	}
	if d.hasLink("startAuthorisation") || d.hasLink("startAuthorization") {
		return created, nil
	}
	started := b.complete(ctx, d, resp, institution.Access{PSU: r.PSU}, r.OtherDevice)
	i := started.Instructions
	if started.StatusLink != "" || d.text("authorisationId", "authorizationId", "scaStatus") != "" || i != nil && i.Usable() {
		created.Started = &started
	}
	return created, nil
}

// Consent implements institution.ConsentReader.
func (b *Bank) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	resp, err := b.sendConsent(ctx, call{
		operation: opConsent, method: http.MethodGet, psu: a.PSU, token: a.Token,
	}, string(a.ConsentID))
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	return readConsent(resp)
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

// Revoke implements institution.Revoker.
func (b *Bank) Revoke(ctx context.Context, a institution.Access) error {
	_, err := b.sendConsent(ctx, call{
		operation: opConsent, method: http.MethodDelete, psu: a.PSU, token: a.Token,
	}, string(a.ConsentID))
	var failed *institution.Error
	if errors.As(err, &failed) && (failed.Kind == institution.ConsentGone || failed.Kind == institution.ConsentOver) {
		return nil
	}
	return err
}
