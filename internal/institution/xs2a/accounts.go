package xs2a

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
)

// account has the members of accountDetails and of cardAccountDetails
// (docs/reference/banks.md 5).
type account struct {
	ResourceID      text          `json:"resourceId"`
	reference                     // its numbers
	BIC             text          `json:"bic"`
	Currency        text          `json:"currency"`
	Name            words         `json:"name"`
	DisplayName     words         `json:"displayName"`
	Product         words         `json:"product"`
	Type            words         `json:"cashAccountType"`
	OwnerName       words         `json:"ownerName"`
	OwnerNames      list[owner]   `json:"ownerNames"`
	Status          text          `json:"status"`
	DebitAccounting text          `json:"debitAccounting"`
	CreditLimit     rowAmount     `json:"creditLimit"`
	Balances        list[balance] `json:"balances"`
	Links           links         `json:"_links"`
}

type owner struct {
	Name words `json:"name"`
}

// readAccounts decodes a list of accounts or of cards, and returns questions for what
// the list does not have. It counts entries without any id of an account.
func (b *Bank) readAccounts(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Accounts     list[account] `json:"accounts"`
		CardAccounts list[account] `json:"cardAccounts"`
		paging
	}
	if err := decode(response{body: a.Body}, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Accounts == nil && body.CardAccounts == nil && !(a.Question.Kind == askCards && saysNull(a.Body)) {
		return institution.Reading{}, malformed("", errMissing)
	}
	var r institution.Reading
	for _, list := range []struct {
		entries []account
		card    bool
	}{{body.Accounts, a.Question.Kind == askCards}, {body.CardAccounts, true}} {
		for _, entry := range list.entries {
			read, ok := entry.read(list.card)
			read.Class = classOf(b.wire.types, read)
			if !ok {
				if !entry.isEmpty() {
					r.Deviations.Add(deviation.UnreadableAccount, 1)
				}
				continue
			}
			balances := readBalances(read.Key, entry.Balances, a.FetchedAt, &r.Deviations)
			r.Facts.Accounts = append(r.Facts.Accounts, read)
			r.Facts.Balances = append(r.Facts.Balances, balances...)
			if len(balances) == 0 {
				b.ask(&r, entry, a.FetchedAt, institution.Question{Kind: askBalances, Account: read.Key, Needs: institution.NeedsBalances})
			}
			b.ask(&r, entry, a.FetchedAt, institution.Question{Kind: askTransactions, Account: read.Key, Needs: institution.NeedsTransactions, From: a.Question.From})
		}
	}
	r.Questions = append(r.Questions, b.nextPages(a.Question, &r.Deviations, nextOf(body.paging)...)...)
	return r, nil
}

// saysNull reports whether a list of cards is null, as banks write one without cards.
// The same in place of the accounts may be a failure.
func saysNull(body []byte) bool {
	var list struct {
		Cards json.RawMessage `json:"cardAccounts"`
	}
	return decode(response{body: body}, &list) == nil && string(list.Cards) == "null"
}

// read returns the entry as a fact. It is not ok without any id of an account.
func (a account) read(card bool) (fact.Account, bool) {
	read := fact.Account{
		ID:            a.ResourceID.oneLine(),
		Card:          card,
		BIC:           withoutSpaces(a.BIC),
		Currency:      strings.ToUpper(a.Currency.oneLine()),
		Name:          string(a.Name),
		DisplayName:   string(a.DisplayName),
		Product:       string(a.Product),
		Type:          string(a.Type),
		OwnerName:     a.ownerNames(),
		Status:        accountStatus(a.Status),
		DebitPositive: a.DebitAccounting.isTrue(),
	}
	a.setNumbers(&read)
	if !money.IsCurrency(read.Currency) {
		read.Currency = ""
	}
	id := cmp.Or(read.ID, read.IBAN, read.BBAN, read.MaskedPAN, read.MSISDN, read.Other)
	if id == "" {
		return fact.Account{}, false
	}
	read.Key = keyOf(card, id)
	if limit, ok := a.CreditLimit.money(); ok {
		read.Credit = &limit
	}
	return read, true
}

// isEmpty reports whether an entry says nothing, as where a bank without accounts lists
// {} or null.
func (a account) isEmpty() bool {
	return a.Currency == "" && a.Name == "" && a.DisplayName == "" && a.Product == "" && a.Type == "" && a.OwnerName == "" &&
		len(a.Balances) == 0 && len(a.Links) == 0
}

// ask adds a question about an account to r. If the bank writes links, one that is
// missing means that the consent does not cover this kind of data: it is not asked for.
// If the bank writes none at all, or one that leads nowhere, the question is asked at
// the standard address.
func (b *Bank) ask(r *institution.Reading, a account, at time.Time, q institution.Question) {
	href := cmp.Or(a.Links[q.Kind], a.Links["view"+q.Kind]) // the latter before version 1.2 of the standard
	if len(a.Links) > 0 && href == "" {
		return
	}
	q.Link, _ = b.standardAddress(q.Kind, q.Account) // "": Fetch says why
	if href != "" {
		if address := b.locate(href, q.Link, q.Link, &r.Deviations); address != "" {
			q.Link = address
		} else {
			r.Deviations.Add(deviation.LinkReplaced, 1)
		}
	}
	if q.Kind == askTransactions {
		r.Questions = append(r.Questions, institution.Windows(q, b.wire.windowDays, at)...)
		return
	}
	r.Questions = append(r.Questions, q)
}

// ownerNames returns the owner as the bank writes it, or the names of all owners.
func (a account) ownerNames() string {
	if a.OwnerName != "" {
		return string(a.OwnerName)
	}
	var names []string
	for _, o := range a.OwnerNames {
		if o.Name != "" {
			names = append(names, string(o.Name))
		}
	}
	return strings.Join(names, ", ")
}

// withoutSpaces removes the spaces from a number that is printed in groups.
func withoutSpaces(t text) string { return strings.ReplaceAll(t.oneLine(), " ", "") }
