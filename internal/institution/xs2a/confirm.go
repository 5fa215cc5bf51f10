package xs2a

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"samla/internal/consent"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
)

// returned completes a signature on a page without a code of OAuth. What the browser
// brought says little, so the bank is asked (docs/reference/families.md 2.2, step 7).
func (b *Bank) returned(ctx context.Context, c institution.Completion, t trail, came oauth.Callback) (institution.Completed, error) {
	failure, refused := refusalOf(came, c.Brought)
	if t.confirms && !refused && came.Confirmation != "" {
		body, err := json.Marshal(map[string]string{"confirmationCode": came.Confirmation.Reveal()})
		if err != nil {
			return institution.Completed{}, &institution.Error{Kind: institution.Refused, RequestID: c.RequestID, NotSent: true, Cause: err}
		}
		return b.confirm(ctx, c, t, body)
	}
	state, code := b.stateOfAuthorisation(ctx, c)
	switch {
	case refused && code == consent.AuthenticationFailed: // the bank does not say why
		return failed(failure), nil
	case state != institution.AuthorizationPending:
		return institution.Completed{State: state, Failure: code}, nil
	case refused:
		return failed(failure), nil
	case t.confirms:
		return institution.Completed{State: institution.AuthorizationPending}, nil // it cannot be confirmed without the code
	}
	return institution.Completed{State: institution.AuthorizationDone}, nil
}

// stateOfAuthorisation asks the bank for the state of an authorisation. It is pending if
// the bank cannot say.
func (b *Bank) stateOfAuthorisation(ctx context.Context, c institution.Completion) (institution.AuthorizationState, consent.FailureCode) {
	if c.AuthorizationID == "" && c.Link == "" {
		return institution.AuthorizationPending, ""
	}
	access := institution.Access{ConsentID: c.ConsentID, Token: c.Token, PSU: c.PSU}
	a, err := b.AuthorizationStatus(ctx, access, c.AuthorizationID, c.Link, false)
	if err != nil {
		return institution.AuthorizationPending, ""
	}
	return a.State, a.Failure
}

// confirm makes the confirmation call (docs/reference/families.md 2.4): with the code that
// the browser brought, or without a body, with the token. If the bank refuses it, the state
// of the authorisation decides: a repeated call is refused although the first one was not.
func (b *Bank) confirm(ctx context.Context, c institution.Completion, t trail, body []byte) (institution.Completed, error) {
	sent := call{operation: opAuthorize, method: http.MethodPut, requestID: c.RequestID, psu: c.PSU, token: c.Token, body: body}
	resp, err := b.sendConfirmation(ctx, sent, c, t)
	if err == nil {
		d, _ := documentOf(resp) // an answer without a body is a success, too
		state, failure := scaStateOf(d.status())
		if state == institution.AuthorizationFailed {
			failure = failureOf("", d.messages(), failure)
		}
		if d.status() == "" {
			state = institution.AuthorizationDone
		}
		return institution.Completed{State: state, Failure: failure}, nil
	}
	var refused *institution.Error
	if !errors.As(err, &refused) || refused.HTTPStatus < 400 || refused.HTTPStatus >= 500 ||
		refused.Kind.Transient() || refused.Kind == institution.TokenRefused || refused.Kind == institution.CertificateRejected {
		return institution.Completed{}, err
	}
	t.byCode = false // with the token, finalised means that it was confirmed
	c.Link = t.String()
	if state, failure := b.stateOfAuthorisation(ctx, c); state != institution.AuthorizationPending {
		return institution.Completed{State: state, Failure: failure}, nil
	}
	return failed(consent.AuthenticationFailed), nil
}

// sendConfirmation sends a confirmation to the link that the bank gave for it, or else to
// the authorisation.
func (b *Bank) sendConfirmation(ctx context.Context, sent call, c institution.Completion, t trail) (response, error) {
	for _, link := range []string{t.confirm, t.status} {
		if target, err := b.client.Resolve(link); err == nil {
			sent.target = target
			return b.exchange(ctx, sent)
		}
	}
	if c.AuthorizationID == "" {
		return response{}, httperror.Transport(&httpclient.Error{Kind: httpclient.OutsideBaseURL}, c.RequestID)
	}
	return b.sendConsent(ctx, sent, append(b.authorisations(c.ConsentID), c.AuthorizationID)...)
}
