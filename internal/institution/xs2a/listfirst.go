package xs2a

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
	"samla/internal/psu"
)

// maxListPages is more pages than a list of one person's accounts has.
const maxListPages = 20

// accountsToName returns what a consent for all accounts is asked for at a bank whose
// consents name them (Profile.ListFirst). Another consent, for the list of accounts, is
// opened before, which the bank gives without a signature (docs/reference/families.md 2.6,
// Swedbank). It is for one use, so it is not revoked. The ids of its requests are made of
// that of r, so that a repetition opens no third one.
//
// Errors: as of the exchanges, none of which opens what was asked for; PersonRefused if the
// person has no accounts; SCARequired if the bank wants a signature for the list.
func (b *Bank) accountsToName(ctx context.Context, r institution.OpenRequest, person psu.Context) (consent.Scope, error) {
	body, err := json.Marshal(consentRequest{
		Access: access{Available: "allAccounts"}, ValidUntil: r.ValidUntil.UTC().Format(time.DateOnly), FrequencyPerDay: 1,
	})
	if err != nil {
		return consent.Scope{}, malformed(r.RequestID, err)
	}
	list := r
	list.RequestID = derivedID(r.RequestID, "list")
	resp, err := b.sendConsent(ctx, call{operation: opCreateConsent, method: http.MethodPost, requestID: list.RequestID,
		psu: person, psuID: true, token: r.Token, header: b.openHeader(r.Way), body: body})
	if err != nil {
		return consent.Scope{}, httperror.NotSent(err)
	}
	opened, err := b.opened(ctx, resp, list)
	if opened.ConsentID != "" && (opened.Started == nil || opened.Started.State != institution.AuthorizationDone) {
		// It is of no use, and nobody but this call knows it.
		if failed := b.Revoke(ctx, institution.Access{ConsentID: opened.ConsentID, Token: r.Token, PSU: person}); failed != nil {
			b.log.Warn("a consent for the list of accounts may be left at the bank, unsigned", "error", failed)
		}
	}
	switch {
	case err != nil:
		return consent.Scope{}, httperror.NotSent(err)
	case opened.Started == nil || opened.Started.State != institution.AuthorizationDone:
		return consent.Scope{}, &institution.Error{Kind: institution.SCARequired, RequestID: list.RequestID, NotSent: true,
			Detail: "the consent for the list of accounts must be valid without a signature"}
	}
	ids, err := b.listedAccounts(ctx, institution.Access{ConsentID: opened.ConsentID, Token: r.Token, PSU: r.PSU})
	if err != nil {
		return consent.Scope{}, httperror.NotSent(err)
	}
	if len(ids) == 0 {
		return consent.Scope{}, &institution.Error{Kind: institution.PersonRefused, RequestID: list.RequestID, NotSent: true}
	}
	named := r.Scope
	named.AccountIDs = ids
	return named, nil
}

// listedAccounts returns the ids of the accounts and cards in the lists. A bank may have no
// list of cards under this consent.
func (b *Bank) listedAccounts(ctx context.Context, a institution.Access) (ids []string, err error) {
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
			for _, id := range listed {
				if !slices.Contains(ids, id) { // some banks list a card in both
					ids = append(ids, id)
				}
			}
			questions = append(questions, next...)
		}
	}
	if len(questions) > 0 {
		return nil, malformed("", errors.New("the list of accounts does not end"))
	}
	return ids, nil
}

// listedOn returns the ids on one page, and the questions for the next ones.
func (b *Bank) listedOn(ctx context.Context, a institution.Access, q institution.Question) (ids []string, next []institution.Question, err error) {
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
			ids = append(ids, id)
		}
	}
	return ids, b.nextPages(q, &deviation.Counts{}, nextOf(body.paging)...), nil
}
