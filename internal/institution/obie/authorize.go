package obie

import (
	"context"
	"time"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// StartAuthorization implements institution.Authorizer: it leads to the page of the bank.
// Nothing is sent but a question for the metadata, so it can be repeated, also for a consent
// that is authorised: the person signs it again (docs/reference/families.md 4.2 step 8).
func (b *Bank) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	if r.ConsentID == "" || r.Way.State == "" || r.Way.Nonce == "" || r.Way.Verifier == "" || r.Way.Return == "" {
		return institution.Authorization{}, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID, NotSent: true}
	}
	at, err := b.server.endpoints(ctx)
	if err != nil {
		return institution.Authorization{}, httperror.NotSent(err)
	}
	page, err := b.server.page(at, string(r.ConsentID), r.Way, b.profile.Deadline+time.Minute)
	if err != nil {
		return institution.Authorization{}, err
	}
	return institution.Authorization{Instructions: &consent.Instructions{RedirectURL: page, RefreshedAt: b.clock.Now()}}, nil
}

// AuthorizationStatus implements institution.Authorizer. The bank tells nothing of an
// authorization: the consent itself says how it is.
func (b *Bank) AuthorizationStatus(context.Context, institution.Access, string, string, bool) (institution.Authorization, error) {
	return institution.Authorization{}, nil
}
