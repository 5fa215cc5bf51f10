package nordea

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"samla/internal/consent"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
	"samla/internal/institution/oauth"
)

// Complete implements institution.Completer. A decoupled authorization takes two
// exchanges, three if the person has several agreements: each is a completion of its own,
// and Next of one is what the next one gets.
func (b *Bank) Complete(ctx context.Context, c institution.Completion) (institution.Completed, error) {
	asked, ok := askedIn(c.ConsentID)
	if !ok {
		return institution.Completed{}, &institution.Error{Kind: institution.ConsentGone, RequestID: c.RequestID, NotSent: true}
	}
	if asked.Flow == redirect {
		return b.completeRedirect(ctx, c)
	}
	code, agreement, last := c.Brought.Get(broughtCode), c.Brought.Get(broughtAgreement), c.Brought.Get(broughtToken)
	switch {
	case last != "":
		return b.tokens(ctx, url.Values{"code": {last}, "grant_type": {string(oauth.AuthorizationCode)}}, asked, c)
	case code != "" && agreement != "":
		return b.nextCode(ctx, call{operation: opAuthorize, method: http.MethodPost, psu: c.PSU,
			path: b.authorization("decoupled", "authorizations", agreement), json: agreementRequest{code}}, asked)
	case code != "":
		return b.authorizeAccounts(ctx, c, asked, code)
	}
	return failed(consent.AuthenticationFailed), nil
}

func failed(why consent.FailureCode) institution.Completed {
	return institution.Completed{State: institution.AuthorizationFailed, Failure: why}
}

// accountsRequest is the body of POST decoupled/authorizations.
type accountsRequest struct {
	AccountList  []string `json:"account_list"`
	Code         string   `json:"code"`
	Duration     int      `json:"duration"`
	MaxHistory   int      `json:"max_tx_history,omitempty"`
	ResponseType string   `json:"response_type"`
	Scope        []string `json:"scope"`
}

type agreementRequest struct {
	Code string `json:"code"`
}

// authorizeAccounts says which accounts are wanted, and gets the code for tokens. The
// answer is 409 with the agreements if the person has several, mostly of companies.
func (b *Bank) authorizeAccounts(ctx context.Context, c institution.Completion, asked asked, code string) (institution.Completed, error) {
	request := call{operation: opAuthorize, method: http.MethodPost, psu: c.PSU, path: b.authorization("decoupled", "authorizations"),
		json: accountsRequest{AccountList: asked.accountList(b.config), Code: code, Duration: asked.minutes(b.clock.Now()),
			MaxHistory: asked.months(b.config), ResponseType: "nordea_token", Scope: asked.scopes(b.config)}}
	resp, err := b.exchange(ctx, request)
	if err != nil {
		return institution.Completed{}, err
	}
	ids := agreementsIn(resp)
	if ids == nil {
		return b.codeIn(request, resp, asked)
	}
	agreement := b.pick(ids)
	if agreement == "" {
		b.log.Warn("the person has several agreements: name one in the member agreement of the entry")
		return failed(consent.Rejected), nil
	}
	return institution.Completed{State: institution.AuthorizationPending, Next: url.Values{broughtCode: {code}, broughtAgreement: {agreement}}}, nil
}

// agreementsIn returns the ids of the agreements that a person can choose from; nil if
// the answer is not that question.
func agreementsIn(resp *httpclient.Response) []string {
	var answer struct {
		Agreements loose.List[struct {
			ID loose.Text `json:"id"`
		}] `json:"agreements"`
	}
	if resp.Status != http.StatusConflict || loose.Decode(resp.Body, &answer) != nil || answer.Agreements == nil {
		return nil
	}
	ids := []string{}
	for _, a := range answer.Agreements {
		if id := a.ID.Clean(); agreeRE.MatchString(id) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// pick returns the agreement to read: the one of the configuration if the person has it, or
// the only one.
func (b *Bank) pick(ids []string) string {
	switch {
	case slices.Contains(ids, b.config.Agreement):
		return b.config.Agreement
	case b.config.Agreement == "" && len(ids) == 1:
		return ids[0]
	}
	return ""
}

// nextCode sends a request that is answered with a code.
func (b *Bank) nextCode(ctx context.Context, c call, asked asked) (institution.Completed, error) {
	resp, err := b.exchange(ctx, c)
	if err != nil {
		return institution.Completed{}, err
	}
	return b.codeIn(c, resp, asked)
}

// codeIn reads the code for tokens. A refusal of named accounts is the bank's word: the
// person does not have them.
func (b *Bank) codeIn(c call, resp *httpclient.Response, asked asked) (institution.Completed, error) {
	f := failureIn(resp)
	if resp.Status < 200 || resp.Status > 299 || f.isAnswer {
		if len(asked.Accounts) > 0 && resp.Status >= 400 && resp.Status < 500 && (strings.Contains(f.path, "account_list") || f.has("account")) {
			return failed(consent.Rejected), nil
		}
		return institution.Completed{}, b.refusal(c, resp, f)
	}
	var answer struct {
		Code loose.Text `json:"code"`
	}
	err := loose.Decode(resp.Body, &answer)
	if err == nil && answer.Code == "" {
		err = malformed(errMissing)
	}
	if err != nil {
		return institution.Completed{}, err
	}
	return institution.Completed{State: institution.AuthorizationPending, Next: url.Values{broughtToken: {string(answer.Code)}}}, nil
}

// completeRedirect exchanges what the browser brought. Nordea tells a refusal in members
// of its own (httpMessage), and need not repeat the state then.
func (b *Bank) completeRedirect(ctx context.Context, c institution.Completion) (institution.Completed, error) {
	callback := oauth.ParseCallback(c.Brought.Encode(), "")
	said := refusalIn(c.Brought)
	if callback.Outcome == oauth.Returned && callback.State == "" && said != "" {
		return failed(said), nil // nothing is granted by it
	}
	if callback.Check(oauth.Expected{State: oauth.Secret(c.Way.State)}) != nil {
		return failed(consent.AuthenticationFailed), nil
	}
	switch callback.Outcome {
	case oauth.Granted:
		form := url.Values{"code": {callback.Code.Reveal()}, "grant_type": {string(oauth.AuthorizationCode)}, "redirect_uri": {c.Way.Return}}
		return b.tokens(ctx, form, asked{Flow: redirect}, c)
	case oauth.RefusedByPerson:
		return failed(consent.AuthenticationCancelled), nil
	case oauth.Temporary:
		return failed(consent.BankUnavailable), nil
	case oauth.RefusedByBank:
		return failed(consent.Rejected), nil
	case oauth.Returned:
		if said != "" {
			return failed(said), nil
		}
	}
	return failed(consent.AuthenticationFailed), nil
}

// refusalIn returns what the member httpMessage says, or "". Clients of Nordea have seen
// that of a person who cancels; the others are those of docs/reference/families.md 15, N9.
func refusalIn(brought url.Values) consent.FailureCode {
	for name, values := range brought {
		if !strings.EqualFold(name, "httpMessage") || len(values) != 1 {
			continue
		}
		said := failure{code: strings.ToLower(values[0])}
		why, known := failureOf(said)
		switch {
		case known:
			return why
		case said.has("server", "internal", "unavailable"):
			return consent.BankUnavailable
		case said.has("bankid"):
			return consent.AuthenticationFailed
		}
		return consent.Rejected
	}
	return ""
}

// tokens exchanges a code for tokens.
func (b *Bank) tokens(ctx context.Context, form url.Values, asked asked, c institution.Completion) (institution.Completed, error) {
	tokens, err := b.exchangeToken(ctx, form, asked.Flow, institution.Access{PSU: c.PSU}, oauth.AuthorizationCode)
	if err != nil {
		return institution.Completed{}, err
	}
	return institution.Completed{State: institution.AuthorizationDone, Tokens: &tokens}, nil
}

// Refresh implements institution.Refresher. A refresh token works once; each answer has
// the next one.
func (b *Bank) Refresh(ctx context.Context, a institution.Access) (institution.Tokens, error) {
	asked, ok := askedIn(a.ConsentID)
	if !ok {
		asked.Flow = b.config.Flow
	}
	form := url.Values{"grant_type": {string(oauth.RefreshToken)}, "refresh_token": {a.Refresh}}
	return b.exchangeToken(ctx, form, asked.Flow, a, oauth.RefreshToken)
}

func (b *Bank) exchangeToken(ctx context.Context, form url.Values, flow string, a institution.Access, g oauth.GrantType) (institution.Tokens, error) {
	c := call{operation: opToken, method: http.MethodPost, path: b.authorization("authorize", "token"), psu: a.PSU, form: form}
	if flow == decoupled {
		c.path = b.authorization("decoupled", "token")
	}
	before := b.clock.Now()
	resp, err := b.exchange(ctx, c)
	if err != nil {
		return institution.Tokens{}, err
	}
	f := failureIn(resp)
	answer := oauth.Answer{Status: resp.Status, Body: resp.Body, RequestID: f.messageID,
		RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), b.clock.Now())}
	reading := oauth.Reading{Rejected: institution.OurCredentialsRejected, CodeOf: func(members map[string]any) string { return grantError(f, members) }}
	if f.has("signature", "digest") {
		reading.Rejected = institution.OurSignatureRejected
	}
	tokens, err := answer.Tokens(g, before, reading)
	if err != nil {
		return institution.Tokens{}, err
	}
	return institution.Tokens{Access: tokens.Access.Reveal(), Refresh: tokens.Refresh.Reveal(), Until: tokens.Until, RefreshUntil: tokens.RefreshUntil}, nil
}

// grantWords are what a refusal of a grant is about. Our certificate and our agreement with
// the bank can expire, too, and end no consent.
var grantWords = []string{"token", "grant", "code", "consent"}

// grantError returns the error of a token request as RFC 6749 5.2 has it. Nordea's files do
// not say how it refuses a code or a refresh token: its support knows "Oauth code expired"
// with 400, and the codes about tokens are documented (docs/reference/families.md 3.8). Only
// those mean that the grant is over.
func grantError(f failure, members map[string]any) string {
	if code, isText := members["error"].(string); isText {
		return code
	}
	switch {
	case !f.isAnswer:
		return ""
	case f.gateway:
		if f.status == http.StatusUnauthorized {
			return "invalid_client"
		}
		return "invalid_request"
	case f.has("apikey", "signature", "digest"):
		return "invalid_client"
	case f.has(grantWords...), strings.Contains(f.text, "expired") && containsAny(f.text, grantWords...), strings.Contains(f.text, "consent not found"):
		return "invalid_grant"
	}
	return "invalid_request"
}
