package intercept

import (
	"context"

	"samla/internal/consent"
	"samla/internal/institution"
)

type opener struct {
	to institution.Opener
	chain
}

// OpenConsent implements institution.Opener.
func (o opener) OpenConsent(ctx context.Context, r institution.OpenRequest) (institution.Opened, error) {
	return run(ctx, o.chain, institution.VerbOpen, func(ctx context.Context) (institution.Opened, error) {
		return o.to.OpenConsent(ctx, r)
	})
}

type accountLister struct {
	to institution.AccountLister
	chain
}

// ListAccounts implements institution.AccountLister.
func (l accountLister) ListAccounts(ctx context.Context, r institution.OpenRequest) ([]consent.Account, error) {
	return run(ctx, l.chain, institution.VerbListAccounts, func(ctx context.Context) ([]consent.Account, error) {
		return l.to.ListAccounts(ctx, r)
	})
}

type authorizer struct {
	to institution.Authorizer
	chain
}

// StartAuthorization implements institution.Authorizer.
func (a authorizer) StartAuthorization(ctx context.Context, r institution.AuthorizeRequest) (institution.Authorization, error) {
	return run(ctx, a.chain, institution.VerbAuthorize, func(ctx context.Context) (institution.Authorization, error) {
		return a.to.StartAuthorization(ctx, r)
	})
}

// AuthorizationStatus implements institution.Authorizer.
func (a authorizer) AuthorizationStatus(ctx context.Context, access institution.Access, id, link string, otherDevice bool) (institution.Authorization, error) {
	return run(ctx, a.chain, institution.VerbAuthorizationStatus, func(ctx context.Context) (institution.Authorization, error) {
		return a.to.AuthorizationStatus(ctx, access, id, link, otherDevice)
	})
}

type consentReader struct {
	to institution.ConsentReader
	chain
}

// Consent implements institution.ConsentReader.
func (r consentReader) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	return run(ctx, r.chain, institution.VerbReadConsent, func(ctx context.Context) (institution.ConsentInfo, error) {
		return r.to.Consent(ctx, a)
	})
}

type revoker struct {
	to institution.Revoker
	chain
}

// Revoke implements institution.Revoker.
func (r revoker) Revoke(ctx context.Context, a institution.Access) error {
	_, err := run(ctx, r.chain, institution.VerbRevoke, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.to.Revoke(ctx, a)
	})
	return err
}

// collector intercepts Fetch; the other methods make no exchange.
type collector struct {
	institution.Collector
	chain
}

// Fetch implements institution.Collector.
func (c collector) Fetch(ctx context.Context, a institution.Access, q institution.Question) (institution.Answer, error) {
	return run(ctx, c.chain, institution.VerbCollect, func(ctx context.Context) (institution.Answer, error) {
		return c.Collector.Fetch(ctx, a, q)
	})
}

type completer struct {
	to institution.Completer
	chain
}

// Complete implements institution.Completer.
func (c completer) Complete(ctx context.Context, r institution.Completion) (institution.Completed, error) {
	return run(ctx, c.chain, institution.VerbComplete, func(ctx context.Context) (institution.Completed, error) {
		return c.to.Complete(ctx, r)
	})
}

type refresher struct {
	to institution.Refresher
	chain
}

// Refresh implements institution.Refresher.
func (r refresher) Refresh(ctx context.Context, a institution.Access) (institution.Tokens, error) {
	return run(ctx, r.chain, institution.VerbRefresh, func(ctx context.Context) (institution.Tokens, error) {
		return r.to.Refresh(ctx, a)
	})
}
