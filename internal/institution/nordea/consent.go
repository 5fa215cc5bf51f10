package nordea

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/institution/loose"
)

// OpenConsent implements institution.Opener. It makes no exchange: what is asked for goes
// to the bank with the authorization. The same request has the same id for as long as the
// clock's day lasts.
func (b *Bank) OpenConsent(_ context.Context, r institution.OpenRequest) (institution.Opened, error) {
	id, err := b.askedBy(r.Scope, r.ValidUntil).id(cmp.Or(r.RequestID, b.newID()))
	if err != nil {
		return institution.Opened{}, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID, NotSent: true, Cause: err}
	}
	return institution.Opened{ConsentID: id}, nil
}

// Consent implements institution.ConsentReader. Nordea tells nothing of a consent. What
// its token gives is what was granted: while the bank lists it, the consent is valid.
// Without a token it is pending, until its time is over. It is expired when the time that
// the bank was asked for is over.
func (b *Bank) Consent(ctx context.Context, a institution.Access) (institution.ConsentInfo, error) {
	asked, ok := askedIn(a.ConsentID)
	switch now := b.clock.Now(); {
	case !ok:
		return institution.ConsentInfo{}, &institution.Error{Kind: institution.ConsentGone, NotSent: true}
	case a.Token == "" || asked.isOver(now):
		return institution.ConsentInfo{State: asked.stateAt(now)}, nil
	}
	resp, err := b.success(ctx, call{operation: opAssets, method: http.MethodGet, path: []string{b.config.Versions.Assets, "assets"}, psu: a.PSU, token: a.Token})
	if err != nil {
		return institution.ConsentInfo{}, err
	}
	return readAssets(resp.Body, asked, b.config)
}

// assets is what a token gives (docs/reference/families.md 3.5).
type assets struct {
	Accounts loose.List[struct {
		ID     loose.Text `json:"account_id"`
		Number loose.Text `json:"account_number"`
		IBAN   loose.Text `json:"iban"`
	}] `json:"accounts"`
	Cards loose.List[struct {
		ID loose.Text `json:"card_id"`
	}] `json:"cards"`
	Scopes loose.List[loose.Text] `json:"scopes"`
}

// readAssets reads what was granted. The accounts are named only if the person, or the
// consent, has picked some: a consent for all of them has those that come later, too.
func readAssets(body []byte, asked asked, c Config) (institution.ConsentInfo, error) {
	var answer struct {
		Response *assets `json:"response"`
	}
	if err := loose.Decode(body, &answer); err != nil {
		return institution.ConsentInfo{}, err
	}
	granted := answer.Response
	if granted == nil || granted.Accounts == nil && granted.Cards == nil && granted.Scopes == nil {
		return institution.ConsentInfo{}, malformed(errMissing)
	}
	info := institution.ConsentInfo{State: institution.ConsentValid, ValidUntil: asked.Until,
		Scope: &consent.Scope{Balances: asked.Balances, Transactions: asked.Transactions}}
	if granted.Scopes != nil {
		info.Scope.Balances = slices.Contains(granted.Scopes, scopeBalances)
		info.Scope.Transactions = slices.Contains(granted.Scopes, scopeTransactions)
	}
	if asked.namesAll(c) {
		return info, nil
	}
	add := func(id string) {
		if id != "" && !slices.Contains(info.Scope.AccountIDs, id) {
			info.Scope.AccountIDs = append(info.Scope.AccountIDs, id)
		}
	}
	for _, account := range granted.Accounts {
		add(cmp.Or(account.IBAN.Compact(), account.Number.Compact(), account.ID.Clean()))
	}
	for _, card := range granted.Cards {
		add(card.ID.Clean())
	}
	return info, nil
}

// Revoke implements institution.Revoker. The end of the refresh token ends the access
// tokens, too (docs/reference/families.md 3.5).
func (b *Bank) Revoke(ctx context.Context, a institution.Access) error {
	token := cmp.Or(a.Refresh, a.Token)
	if token == "" {
		return nil // the bank has given nothing
	}
	resp, err := b.exchange(ctx, call{
		operation: opRevoke, method: http.MethodPost, path: b.authorization("authorize", "token", "revoke"), psu: a.PSU,
		json: struct {
			Token string `json:"token"`
		}{token},
	})
	if err != nil {
		return err
	}
	f := failureIn(resp)
	switch {
	case f.has("error.token"):
		return nil // ended before
	case resp.Status >= 200 && resp.Status < 300 && !f.isAnswer:
		return httperror.RevocationAnswer(resp.Status, resp.Body, f.messageID)
	}
	return b.refusal(call{operation: opRevoke}, resp, f)
}

// authorization returns the segments of a path of the authorization.
func (b *Bank) authorization(segments ...string) []string {
	return append([]string{b.config.Versions.Authorization}, segments...)
}
