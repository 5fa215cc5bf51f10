package xs2a

import (
	"context"
	"net/http"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
)

// StartAuthorization implements institution.Authorizer with a decoupled authorisation.
// Where the profile needs a PSU-ID and the number is not known, the person is
// refused before anything is sent.
func (b *Bank) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	if b.profile.NeedsPSUID && r.PSU.PersonalNumber == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.PersonRefused, RequestID: r.RequestID}
	}
	header := http.Header{}
	if b.wire.noRedirect == whenAuthorising {
		header.Set("TPP-Redirect-Preferred", "false")
	}
	got, err := b.send(ctx, call{
		about: aboutAuthorising, method: http.MethodPost, requestID: r.RequestID, psu: r.PSU, psuID: true,
		header: header, body: []byte("{}"),
	}, "consents", string(r.ConsentID), "authorisations")
	if err != nil {
		return institution.Authorization{}, err
	}
	said, err := b.readAuthorisation(got, r.PSU.Locale, r.OtherDevice)
	if err != nil {
		return institution.Authorization{}, err
	}
	if said.ID == "" {
		return institution.Authorization{}, garbled(got.requestID, errMissing)
	}
	if said.StatusLink != "" {
		if _, err := b.client.Resolve(said.StatusLink); err != nil {
			return institution.Authorization{}, unanswered(err, got.requestID)
		}
	}
	return said, nil
}

// AuthorizationStatus implements institution.Authorizer. The instructions are those of
// this answer alone: where the bank does not say until when it waits, ExpiresAt
// is counted from now, which is too late by the time since the start. A caller
// that shows it keeps the earliest.
func (b *Bank) AuthorizationStatus(ctx context.Context, a institution.Access, authorisationID, link string, otherDevice bool) (institution.Authorization, error) {
	c := call{about: aboutAuthorising, method: http.MethodGet, psu: a.PSU, token: a.Token}
	var got answer
	var err error
	if link == "" {
		got, err = b.send(ctx, c, "consents", string(a.ConsentID), "authorisations", authorisationID)
	} else if c.target, err = b.client.Resolve(link); err != nil {
		return institution.Authorization{}, unanswered(err, "")
	} else {
		got, err = b.exchange(ctx, c)
	}
	if err != nil {
		return institution.Authorization{}, err
	}
	said, err := b.readAuthorisation(got, a.PSU.Locale, otherDevice)
	said.ID = ""
	return said, err
}

// authorisationAnswer is what is always where the standard says; BankID's data
// is where the profile says.
type authorisationAnswer struct {
	Status     text        `json:"scaStatus"`
	ID         text        `json:"authorisationId"`
	PSUMessage text        `json:"psuMessage"`
	TPPMessage tppMessages `json:"tppMessage"`
	Messages   tppMessages `json:"tppMessages"`
	Links      struct {
		SCAStatus link `json:"scaStatus"`
	} `json:"_links"`
}

func (b *Bank) readAuthorisation(got answer, locale string, otherDevice bool) (institution.Authorization, error) {
	var said authorisationAnswer
	if err := decode(got, &said); err != nil {
		return institution.Authorization{}, err
	}
	if said.Status == "" {
		return institution.Authorization{}, garbled(got.requestID, errMissing)
	}
	var document any
	if err := decode(got, &document); err != nil {
		return institution.Authorization{}, err
	}
	hint := b.wire.hintCode.text(document)
	a := institution.Authorization{ID: string(said.ID), StatusLink: string(said.Links.SCAStatus)}
	switch strings.ToLower(string(said.Status)) {
	case "finalised", "finalized", "exempted":
		a.State = institution.AuthorizationDone
	case "failed":
		a.State = institution.AuthorizationFailed
		a.Failure = failureOf(hint, append(said.TPPMessage, said.Messages...))
	default: // the rest, and what a bank makes up, is on the way
		a.Instructions = b.instructions(document, said.PSUMessage, hint, locale, otherDevice)
	}
	return a, nil
}

// failureOf says why a person's signing failed, by BankID's hint code or the
// bank's message (docs/reference/banks.md 12.2).
func failureOf(hint string, messages tppMessages) consent.FailureCode {
	switch hint {
	case "userCancel":
		return consent.AuthenticationCancelled
	case "startFailed", "expiredTransaction":
		return consent.AuthenticationTimeout
	case "alreadyInProgress", "cancelled": // a second order of the person cancels the first
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
