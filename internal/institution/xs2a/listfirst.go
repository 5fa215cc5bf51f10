package xs2a

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// maxListPages is more pages than a list of one person's accounts has.
const maxListPages = 20

// ListAccounts implements institution.AccountLister. A consent for the list of accounts is
// opened, which the bank gives without a signature (docs/reference/families.md 2.6,
// Swedbank). It is for one use, so it is not revoked. The ids of its requests are made of
// that of r, so that a repetition opens no third one.
//
// Errors: as of the exchanges, none of which opens what is asked for; PersonRefused if the
// person has no accounts; SCARequired if the bank wants a signature for the list.
func (b *Bank) ListAccounts(ctx context.Context, r institution.OpenRequest) ([]consent.Account, error) {
	person, ok := b.addressed(r.PSU)
	if !ok {
		return nil, &institution.Error{Kind: institution.Refused, RequestID: r.RequestID, NotSent: true}
	}
	body, err := json.Marshal(consentRequest{
		Access: access{Available: "allAccounts"}, ValidUntil: r.ValidUntil.UTC().Format(time.DateOnly), FrequencyPerDay: 1,
	})
	if err != nil {
		return nil, malformed(r.RequestID, err)
	}
	list := r
	list.RequestID = derivedID(r.RequestID, "list")
	resp, err := b.sendConsent(ctx, call{operation: opCreateConsent, method: http.MethodPost, requestID: list.RequestID,
		psu: person, psuID: true, token: r.Token, header: b.openHeader(r.Way), body: body})
	if err != nil {
		return nil, httperror.NotSent(err)
	}
	opened, err := b.opened(ctx, resp, list)
	if opened.ConsentID != "" && (opened.Started == nil || opened.Started.State != institution.AuthorizationDone) {
		b.deleteUnsigned(ctx, institution.Access{ConsentID: opened.ConsentID, Token: r.Token, PSU: person})
	}
	switch {
	case err != nil:
		return nil, httperror.NotSent(err)
	case opened.Started == nil || opened.Started.State != institution.AuthorizationDone:
		return nil, &institution.Error{Kind: institution.SCARequired, RequestID: list.RequestID, NotSent: true,
			Detail: "the consent for the list of accounts must be valid without a signature"}
	}
	accounts, err := b.listedAccounts(ctx, institution.Access{ConsentID: opened.ConsentID, Token: r.Token, PSU: r.PSU})
	if err != nil {
		return nil, httperror.NotSent(err)
	}
	if len(accounts) == 0 {
		return nil, &institution.Error{Kind: institution.PersonRefused, RequestID: list.RequestID, NotSent: true}
	}
	return accounts, nil
}

// deleteWithin limits how long the deletion of a consent that cannot be used may take, after
// the time of the call that opened it. It is less than what a job's lease leaves.
const deleteWithin = 4 * time.Second

// deleteUnsigned deletes a consent for the list of accounts that has to be signed: it is of no
// use, and nobody but its call knows it. The tokens of the login stay: the consent that is asked
// for may still be opened with them, and what ends it revokes them.
func (b *Bank) deleteUnsigned(ctx context.Context, a institution.Access) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteWithin)
	defer cancel()
	if err := b.deleteConsent(ctx, a); err != nil {
		b.log.Warn("a consent for the list of accounts may be left at the bank, unsigned", "error", err)
	}
}

// naming returns what a consent for all accounts is asked for at a bank whose consents name
// them (Profile.ListFirst): the accounts of the list. Errors: those of ListAccounts.
func (b *Bank) naming(ctx context.Context, r institution.OpenRequest) (consent.Scope, error) {
	accounts, err := b.ListAccounts(ctx, r)
	named := r.Scope
	for _, a := range accounts {
		named.AccountIDs = append(named.AccountIDs, a.ID)
	}
	return named, err
}

// listedAccounts returns the accounts and cards in the lists. A bank may have no list of
// cards under this consent.
func (b *Bank) listedAccounts(ctx context.Context, a institution.Access) (accounts []consent.Account, err error) {
	questions := []institution.Question{{Kind: askAccounts, Essential: true}}
	if b.wire.cards != "" {
		questions = append(questions, institution.Question{Kind: askCards})
	}
	for page := 0; len(questions) > 0 && page < maxListPages; page++ {
		q := questions[0]
		questions = questions[1:]
		listed, next, err := b.listedOn(ctx, a, q)
		switch {
		case err != nil && (q.Kind != askCards || institution.KindOf(err).Transient()):
			return nil, err
		case err == nil:
			for _, l := range listed {
				if !slices.ContainsFunc(accounts, func(a consent.Account) bool { return a.ID == l.ID }) { // some banks list a card in both
					accounts = append(accounts, l)
				}
			}
			questions = append(questions, next...)
		}
	}
	if len(questions) > 0 {
		return nil, malformed("", errors.New("the list of accounts does not end"))
	}
	return accounts, nil
}

// listedOn returns the accounts on one page, and the questions for the next ones.
func (b *Bank) listedOn(ctx context.Context, a institution.Access, q institution.Question) (accounts []consent.Account, next []institution.Question, err error) {
	answer, err := b.Fetch(ctx, a, q)
	if err != nil {
		return nil, nil, err
	}
	var body struct {
		Accounts list[account] `json:"accounts"`
		Cards    list[account] `json:"cardAccounts"`
		paging
	}
	if err := decode(response{body: answer.Body}, &body); err != nil {
		return nil, nil, err
	}
	if body.Accounts == nil && q.Kind == askAccounts {
		return nil, nil, malformed("", errMissing)
	}
	for _, entry := range slices.Concat(body.Accounts, body.Cards) {
		if id := entry.id(); id != "" {
			name := cmp.Or(entry.DisplayName, entry.Name, entry.Product)
			accounts = append(accounts, consent.Account{ID: id, Name: string(name), Currency: strings.ToUpper(entry.Currency.oneLine())})
		}
	}
	return accounts, b.nextPages(q, &deviation.Counts{}, nextOf(body.paging)...), nil
}
