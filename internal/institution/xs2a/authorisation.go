package xs2a

import (
	"context"
	"net/http"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
)

// StartAuthorization implements institution.Authorizer with a decoupled
// authorisation. If the profile needs a PSU-ID and the personal number is not known,
// it fails with PersonRefused and sends nothing.
func (b *Bank) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	if b.profile.NeedsPSUID && r.PSU.PersonalNumber == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.PersonRefused, RequestID: r.RequestID}
	}
	header := http.Header{}
	if b.wire.noRedirect == whenAuthorizing {
		header.Set("TPP-Redirect-Preferred", "false")
	}
	resp, err := b.send(ctx, call{
		operation: opAuthorize, method: http.MethodPost, requestID: r.RequestID, psu: r.PSU, psuID: true,
		header: header, body: []byte("{}"),
	}, "consents", string(r.ConsentID), "authorisations")
	if err != nil {
		return institution.Authorization{}, err
	}
	a, err := b.readAuthorisation(resp, r.PSU.Locale, r.OtherDevice)
	if err != nil {
		return institution.Authorization{}, err
	}
	if a.ID == "" {
		return institution.Authorization{}, malformed(resp.requestID, errMissing)
	}
	if a.StatusLink != "" {
		if _, err := b.client.Resolve(a.StatusLink); err != nil {
			return institution.Authorization{}, transportError(err, resp.requestID)
		}
	}
	return a, nil
}

// AuthorizationStatus implements institution.Authorizer. The instructions are only
// those of this response. If the bank does not say how long it waits, ExpiresAt is
// counted from now instead of from the start, and so is too late: the caller keeps
// the earliest.
func (b *Bank) AuthorizationStatus(ctx context.Context, a institution.Access, authorizationID, link string, otherDevice bool) (institution.Authorization, error) {
	c := call{operation: opAuthorize, method: http.MethodGet, psu: a.PSU, token: a.Token}
	var resp response
	var err error
	if link == "" {
		resp, err = b.send(ctx, c, "consents", string(a.ConsentID), "authorisations", authorizationID)
	} else if c.target, err = b.client.Resolve(link); err != nil {
		return institution.Authorization{}, transportError(err, "")
	} else {
		resp, err = b.exchange(ctx, c)
	}
	if err != nil {
		return institution.Authorization{}, err
	}
	status, err := b.readAuthorisation(resp, a.PSU.Locale, otherDevice)
	status.ID = ""
	return status, err
}

// authorisationBody has the members that all banks name as the standard does. The
// profile says where the data of BankID is.
type authorisationBody struct {
	Status     text        `json:"scaStatus"`
	ID         text        `json:"authorisationId"`
	PSUMessage text        `json:"psuMessage"`
	TPPMessage tppMessages `json:"tppMessage"`
	Messages   tppMessages `json:"tppMessages"`
	Links      struct {
		SCAStatus link `json:"scaStatus"`
	} `json:"_links"`
}

func (b *Bank) readAuthorisation(resp response, locale string, otherDevice bool) (institution.Authorization, error) {
	var body authorisationBody
	if err := decode(resp, &body); err != nil {
		return institution.Authorization{}, err
	}
	if body.Status == "" {
		return institution.Authorization{}, malformed(resp.requestID, errMissing)
	}
	var document any
	if err := decode(resp, &document); err != nil {
		return institution.Authorization{}, err
	}
	hint := b.wire.hintCode.text(document)
	a := institution.Authorization{ID: string(body.ID), StatusLink: string(body.Links.SCAStatus)}
	switch strings.ToLower(string(body.Status)) {
	case "finalised", "finalized", "exempted":
		a.State = institution.AuthorizationDone
	case "failed":
		a.State = institution.AuthorizationFailed
		a.Failure = failureOf(hint, append(body.TPPMessage, body.Messages...))
	default: // the other statuses of the standard and those of the bank's own are pending
		a.Instructions = b.instructions(document, body.PSUMessage, hint, locale, otherDevice)
	}
	return a, nil
}

// failureOf returns why an authorisation failed, by the hint code of BankID or by the
// messages of the bank (docs/reference/banks.md 12.2).
func failureOf(hint string, messages tppMessages) consent.FailureCode {
	switch hint {
	case "userCancel":
		return consent.AuthenticationCancelled
	case "startFailed", "expiredTransaction":
		return consent.AuthenticationTimeout
	case "alreadyInProgress", "cancelled": // a person's second order cancels the first
		return consent.AuthenticationConflict
	case "personMismatch":
		return consent.AuthenticationMismatch
	}
	for _, m := range messages {
		if m.Code == "PSU_CREDENTIALS_INVALID" {
			return consent.AuthenticationMismatch
		}
	}
	return consent.AuthenticationFailed
}
