package xs2a

import (
	"context"
	"net/url"
	"strings"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/oauth"
	"samla/internal/plaintext"
)

// confirmStep is the Next of a completion whose tokens are to be followed by a
// confirmation.
var confirmStep = url.Values{"step": {"confirm"}}

// Complete implements institution.Completer, for a signature and for the login before a
// consent (Completion.ConsentID is empty).
//
//   - After a page without a confirmation, nothing is left to do: the consent tells what has
//     become of it. If the bank says that the authorisation has failed, that is the result.
//   - With a confirmation, the confirmationCode is sent.
//   - A code is exchanged for tokens. If the bank wants a confirmation, Next asks for it.
//
// The metadata of the server, and the status of the authorisation, are further exchanges.
func (b *Bank) Complete(ctx context.Context, c institution.Completion) (institution.Completed, error) {
	t := trailOf(c.Link)
	login := b.wire.signing.loginFirst && c.ConsentID == ""
	if t.byCode && t.confirms && c.Token != "" && c.By == "" && isConfirmStep(c.Brought) {
		return b.confirm(ctx, c, t, nil)
	}
	came := oauth.CallbackOf(c.Brought)
	byCode := login || t.byCode
	expected := oauth.Expected{State: oauth.Secret(c.Way.State), NoState: !byCode && !(t.confirms && b.wire.signing.appendState)}
	if came.Outcome == oauth.Malformed || came.Check(expected) != nil || namesOther(c.Brought, c.ConsentID) {
		return failed(consent.AuthenticationFailed), nil
	}
	if byCode {
		return b.exchangeCode(ctx, c, t, came)
	}
	return b.returned(ctx, c, t, came)
}

func isConfirmStep(brought url.Values) bool {
	return len(brought) == 1 && len(brought["step"]) == 1 && brought.Get("step") == confirmStep.Get("step")
}

func failed(code consent.FailureCode) institution.Completed {
	return institution.Completed{State: institution.AuthorizationFailed, Failure: code}
}

// namesOther reports whether what the browser brought names another consent, as some
// banks name the consent in the address of return.
func namesOther(brought url.Values, id consent.RemoteID) bool {
	for name, values := range brought {
		if plaintext.Fold(name) != "consentid" {
			continue
		}
		for _, value := range values {
			if value != string(id) {
				return true
			}
		}
	}
	return false
}

// refusalOf returns why a person came back without having signed, and whether the address
// of return says so at all.
func refusalOf(came oauth.Callback, brought url.Values) (consent.FailureCode, bool) {
	switch came.Outcome {
	case oauth.RefusedByPerson:
		return consent.AuthenticationCancelled, true
	case oauth.Temporary:
		return consent.BankUnavailable, true
	case oauth.RefusedByBank:
		word := plaintext.Fold(brought.Get("error"))
		switch {
		case containsAny(word, wordsOfCancel...):
			return consent.AuthenticationCancelled, true
		case containsAny(word, wordsOfTime...):
			return consent.AuthenticationTimeout, true
		case containsAny(word, wordsOfRefusal...):
			return consent.Rejected, true
		case came.Error == "other", strings.HasSuffix(came.Error, "_required"):
			return consent.AuthenticationFailed, true
		}
		return consent.BankError, true // the bank does not accept our request
	}
	return consent.AuthenticationCancelled, brought.Has(nokMember)
}

// exchangeCode exchanges the code that a person brought for tokens.
func (b *Bank) exchangeCode(ctx context.Context, c institution.Completion, t trail, came oauth.Callback) (institution.Completed, error) {
	if code, refused := refusalOf(came, c.Brought); refused {
		return failed(code), nil
	}
	if came.Outcome != oauth.Granted || b.server == nil {
		return failed(consent.AuthenticationFailed), nil
	}
	at, err := b.server.endpoints(ctx, t.server)
	if err != nil {
		return institution.Completed{}, httperror.NotSent(err)
	}
	if came.Check(oauth.Expected{State: oauth.Secret(c.Way.State), Issuer: at.issuer, IssuerRequired: at.issuerInAnswers}) != nil {
		return failed(consent.AuthenticationFailed), nil
	}
	to := c.Way.Return
	if c.ConsentID != "" {
		to = b.wire.signing.returnTo(c.Way)
	}
	grant := oauth.CodeGrant(came.Code, oauth.Secret(c.Way.Verifier), to)
	if b.server.Challenge == challengeNone {
		grant.Verifier = ""
	}
	tokens, err := b.server.request(ctx, b, at.token, c.RequestID, grant)
	switch {
	case institution.KindOf(err) == institution.SCARequired && err != nil: // the code is not one of this person, or has been used
		return failed(consent.AuthenticationFailed), nil
	case err != nil:
		return institution.Completed{}, err
	}
	done := institution.Completed{State: institution.AuthorizationDone, Tokens: keptTokens(tokens, at)}
	switch {
	case b.server.grantsOther(tokens.Scope, c.ConsentID):
		done.State, done.Failure = institution.AuthorizationFailed, consent.AuthenticationFailed
	case t.confirms:
		done.State, done.Next = institution.AuthorizationPending, confirmStep
	}
	return done, nil
}

// grantsOther reports whether the scope of tokens names another consent than the one that
// they were asked for. Banks write the name of the scope in either case
// (docs/reference/families.md 2.3).
func (s *server) grantsOther(scope string, id consent.RemoteID) bool {
	before, _, named := strings.Cut(s.scope(consentIDMember), consentIDMember)
	if before = before[strings.LastIndexByte(before, ' ')+1:]; !named || before == "" || id == "" {
		return false
	}
	other := false
	for word := range strings.FieldsSeq(scope) {
		if len(word) < len(before) || !strings.EqualFold(word[:len(before)], before) {
			continue
		}
		if strings.EqualFold(word[len(before):], string(id)) {
			return false
		}
		other = true
	}
	return other
}
