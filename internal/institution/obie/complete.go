package obie

import (
	"context"
	"errors"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
	"samla/internal/institution/oauth/openid"
)

// Complete implements institution.Completer. Whatever does not answer our request, or is not
// signed by the bank, ends it before anything is sent; the keys of the bank may be read
// (docs/reference/families.md 4.2 step 4). The token request is the one exchange that
// changes something. Its id_token must be of the same login.
func (b *Bank) Complete(ctx context.Context, c institution.Completion) (institution.Completed, error) {
	at, err := b.server.endpoints(ctx)
	if err != nil {
		return institution.Completed{}, httperror.NotSent(err)
	}
	verifier, err := b.server.verifierAt(at)
	if err != nil {
		return institution.Completed{}, &institution.Error{Kind: institution.Refused, RequestID: c.RequestID, NotSent: true, Cause: err}
	}
	callback := oauth.CallbackOf(c.Brought)
	if callback.Check(oauth.Expected{State: oauth.Secret(c.Way.State), Issuer: b.config.Issuer, IssuerRequired: at.issuerInAnswers}) != nil {
		return failed(consent.AuthenticationFailed), nil
	}
	if callback.Outcome == oauth.Granted && c.By == consent.InQuery {
		// FAPI 1 answers in the fragment (docs/reference/families.md 4.2 step 4): servers and logs on
		// the way have seen this code.
		b.log.Warn("an answer of the bank came in the query and is not accepted")
		return failed(consent.AuthenticationFailed), nil
	}
	switch callback.Outcome {
	case oauth.Granted:
	case oauth.RefusedByPerson:
		return failed(consent.AuthenticationCancelled), nil
	case oauth.Temporary:
		return failed(consent.BankUnavailable), nil
	case oauth.RefusedByBank:
		return failed(consent.Rejected), nil
	default:
		return failed(consent.AuthenticationFailed), nil
	}
	expected := openid.Expected{Nonce: oauth.Secret(c.Way.Nonce), State: oauth.Secret(c.Way.State), Intent: string(c.ConsentID), ACR: b.config.acr()}
	front := expected
	front.Code = callback.Code
	login, err := verifier.IDToken(ctx, callback.IDToken, front)
	if err != nil {
		return b.refused(err, nil)
	}
	grant := oauth.CodeGrant(callback.Code, "", c.Way.Return)
	if b.config.Challenge != challengeNone {
		grant.Verifier = oauth.Secret(c.Way.Verifier)
	}
	tokens, err := b.server.request(ctx, at, func() string { return b.idOf(c.RequestID) }, grant)
	if err != nil {
		return institution.Completed{}, err
	}
	stored := tokens.Stored()
	expected.Access, expected.Subject = tokens.Access, login.Subject
	again, err := verifier.IDToken(ctx, tokens.IDToken, expected)
	if err != nil {
		return b.refused(err, &stored)
	}
	stored.RefreshUntil = again.RefreshUntil
	if stored.RefreshUntil.IsZero() {
		stored.RefreshUntil = login.RefreshUntil
	}
	return institution.Completed{State: institution.AuthorizationDone, Tokens: &stored}, nil
}

func failed(why consent.FailureCode) institution.Completed {
	return institution.Completed{State: institution.AuthorizationFailed, Failure: why}
}

// refused returns the result of an id_token that is not accepted. If that is the one of the
// token endpoint, the tokens go along, to be revoked. Keys that cannot be read are an error
// only before the token request, which can be made later.
func (b *Bank) refused(err error, given *institution.Tokens) (institution.Completed, error) {
	var fault openid.Fault
	switch known := errors.As(err, &fault); {
	case known:
		b.log.Warn("an id_token of the bank is not accepted", "fault", string(fault), "afterTokenRequest", given != nil)
	case given == nil:
		return institution.Completed{}, httperror.NotSent(err)
	}
	done := failed(consent.AuthenticationFailed)
	done.Tokens = given
	return done, nil
}

// Refresh implements institution.Refresher. An id_token of a refresh says until when the
// refresh token lives. One that is not accepted says nothing: the tokens came from the
// server itself, and the old ones may be used up.
func (b *Bank) Refresh(ctx context.Context, a institution.Access) (institution.Tokens, error) {
	if a.Refresh == "" {
		return institution.Tokens{}, &institution.Error{Kind: institution.Refused, NotSent: true}
	}
	at, err := b.server.endpoints(ctx)
	if err != nil {
		return institution.Tokens{}, httperror.NotSent(err)
	}
	tokens, err := b.server.request(ctx, at, func() string { return b.idOf("") }, oauth.RefreshGrant(oauth.Secret(a.Refresh)))
	if err != nil {
		return institution.Tokens{}, err
	}
	stored := tokens.Stored()
	if tokens.IDToken == "" {
		return stored, nil
	}
	verifier, err := b.server.verifierAt(at)
	if err != nil {
		return stored, nil //nolint:nilerr // the tokens are given
	}
	said, err := verifier.IDToken(ctx, tokens.IDToken, openid.Expected{Refreshed: true, Access: tokens.Access})
	if err != nil {
		b.log.Warn("the id_token of a refresh is not accepted", "error", err)
		return stored, nil
	}
	if !said.RefreshUntil.IsZero() {
		stored.RefreshUntil = said.RefreshUntil
	}
	return stored, nil
}
