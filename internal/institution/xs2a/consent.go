package xs2a

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
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
// person it fails with Refused and sends nothing: the bank would refuse.
func (b *Bank) OpenConsent(ctx context.Context, r institution.OpenRequest) (institution.Opened, error) {
	if r.PSU.IPAddress == "" {
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
	resp, err := b.send(ctx, call{
		operation: opCreateConsent, method: http.MethodPost, requestID: r.RequestID, psu: r.PSU, psuID: true,
		header: header, body: body,
	}, "consents")
	if err != nil {
		return institution.Opened{}, err
	}
	var created struct {
		ConsentID text `json:"consentId"`
	}
	if err := decode(resp, &created); err != nil {
		return institution.Opened{}, err
	}
	if created.ConsentID == "" {
		return institution.Opened{}, malformed(resp.requestID, errMissing)
	}
	return institution.Opened{ConsentID: consent.RemoteID(created.ConsentID)}, nil
}

// Consent implements institution.ConsentReader.
func (b *Bank) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	resp, err := b.send(ctx, call{
		operation: opConsent, method: http.MethodGet, psu: a.PSU, token: a.Token,
	}, "consents", string(a.ConsentID))
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	return readConsent(resp)
}

func readConsent(resp response) (institution.ConsentInfo, error) {
	var body struct {
		Status     text           `json:"consentStatus"`
		ValidUntil text           `json:"validUntil"`
		Access     *grantedAccess `json:"access"`
	}
	if err := decode(resp, &body); err != nil {
		return institution.ConsentInfo{}, err
	}
	if body.Status == "" {
		return institution.ConsentInfo{}, malformed(resp.requestID, errMissing)
	}
	info := institution.ConsentInfo{State: stateOf(string(body.Status)), Scope: consent.Scope{Balances: true, Transactions: true}}
	if body.Access != nil {
		info.Scope = body.Access.scope()
	}
	if day := body.ValidUntil.date(); !day.IsZero() {
		info.ValidUntil = day.AddDate(0, 0, 1).Add(-time.Second) // 23:59:59Z, docs/reference/api.md 4.1
	}
	return info, nil
}

// stateOf maps a consentStatus. Banks have statuses of their own. Those count as
// pending: only a status of the standard ends a consent.
func stateOf(status string) institution.ConsentState {
	switch strings.ToLower(status) {
	case "valid":
		return institution.ConsentValid
	case "rejected":
		return institution.ConsentRejected
	case "revokedbypsu", "terminatedbytpp":
		return institution.ConsentRevoked
	case "expired":
		return institution.ConsentExpired
	}
	return institution.ConsentPending
}

// Revoke implements institution.Revoker.
func (b *Bank) Revoke(ctx context.Context, a institution.Access) error {
	_, err := b.send(ctx, call{
		operation: opConsent, method: http.MethodDelete, psu: a.PSU, token: a.Token,
	}, "consents", string(a.ConsentID))
	var failed *institution.Error
	if errors.As(err, &failed) && (failed.Kind == institution.ConsentGone || failed.Kind == institution.ConsentOver) {
		return nil
	}
	return err
}
