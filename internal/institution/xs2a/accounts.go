package xs2a

import (
	"cmp"
	"strings"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
)

// account has the members of accountDetails and of cardAccountDetails
// (docs/reference/banks.md 5).
type account struct {
	ResourceID      text      `json:"resourceId"`
	IBAN            text      `json:"iban"`
	BBAN            text      `json:"bban"`
	MaskedPAN       text      `json:"maskedPan"`
	BIC             text      `json:"bic"`
	Currency        text      `json:"currency"`
	Name            text      `json:"name"`
	DisplayName     text      `json:"displayName"`
	Product         text      `json:"product"`
	Type            text      `json:"cashAccountType"`
	OwnerName       text      `json:"ownerName"`
	OwnerNames      []owner   `json:"ownerNames"`
	Status          text      `json:"status"`
	DebitAccounting text      `json:"debitAccounting"`
	CreditLimit     *amount   `json:"creditLimit"`
	Balances        []balance `json:"balances"`
	Links           links     `json:"_links"`
}

type owner struct {
	Name text `json:"name"`
}

// readAccounts decodes a list of accounts or of cards, and returns questions for what
// the list does not have. It ignores entries without any id of an account.
func (b *Bank) readAccounts(a institution.Answer) (institution.Reading, error) {
	var body struct {
		Accounts     []account `json:"accounts"`
		CardAccounts []account `json:"cardAccounts"`
		paging
	}
	if err := decode(response{body: a.Body}, &body); err != nil {
		return institution.Reading{}, err
	}
	if body.Accounts == nil && body.CardAccounts == nil {
		return institution.Reading{}, malformed("", errMissing)
	}
	var r institution.Reading
	for _, list := range []struct {
		entries []account
		card    bool
	}{{body.Accounts, a.Question.Kind == askCards}, {body.CardAccounts, true}} {
		for _, entry := range list.entries {
			read, ok := entry.read(list.card)
			if !ok {
				continue
			}
			balances := readBalances(read.Key, entry.Balances)
			r.Facts.Accounts = append(r.Facts.Accounts, read)
			r.Facts.Balances = append(r.Facts.Balances, balances...)
			if len(balances) == 0 {
				b.ask(&r, entry, institution.Question{Kind: askBalances, Account: read.Key, Needs: institution.NeedsBalances})
			}
			b.ask(&r, entry, institution.Question{Kind: askTransactions, Account: read.Key, Needs: institution.NeedsTransactions, From: a.Question.From})
		}
	}
	r.Questions = append(r.Questions, b.nextPages(a.Question, &r.Deviations, body.next()...)...)
	return r, nil
}

func (a account) read(card bool) (fact.Account, bool) {
	read := fact.Account{
		Key:           keyOf(card, a),
		ID:            string(a.ResourceID),
		Card:          card,
		IBAN:          withoutSpaces(a.IBAN),
		BBAN:          withoutSpaces(a.BBAN),
		MaskedPAN:     withoutSpaces(a.MaskedPAN),
		BIC:           withoutSpaces(a.BIC),
		Currency:      strings.ToUpper(a.Currency.oneLine()),
		Name:          a.Name.oneLine(),
		DisplayName:   a.DisplayName.oneLine(),
		Product:       a.Product.oneLine(),
		Type:          strings.ToUpper(a.Type.oneLine()),
		OwnerName:     a.ownerNames(),
		Closed:        strings.EqualFold(a.Status.oneLine(), "deleted"),
		DebitPositive: a.DebitAccounting.isTrue(),
	}
	if read.ID == "" && read.IBAN == "" && read.BBAN == "" && read.MaskedPAN == "" {
		return fact.Account{}, false
	}
	if a.CreditLimit != nil {
		if limit, ok := a.CreditLimit.money(); ok {
			read.Credit = &limit
		}
	}
	return read, true
}

// ask adds a question about an account to r. If the bank writes links, one that is
// missing means that the consent does not cover this kind of data: it is not asked for.
// If the bank writes none at all, or one that leads nowhere, the question is asked at
// the standard address.
func (b *Bank) ask(r *institution.Reading, a account, q institution.Question) {
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
	r.Questions = append(r.Questions, q)
}

// ownerNames returns the owner as the bank writes it, or the names of all owners.
func (a account) ownerNames() string {
	if name := a.OwnerName.oneLine(); name != "" {
		return name
	}
	var names []string
	for _, o := range a.OwnerNames {
		if name := o.Name.oneLine(); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// withoutSpaces removes the spaces from a number that is printed in groups.
func withoutSpaces(t text) string { return strings.ReplaceAll(t.oneLine(), " ", "") }
