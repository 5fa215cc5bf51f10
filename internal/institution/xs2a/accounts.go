package xs2a

import (
	"net/url"
	"strings"

	"samla/internal/fact"
	"samla/internal/institution"
)

// account has the members of accountDetails and of cardAccountDetails
// (docs/reference/banks.md 5).
type account struct {
	ResourceID      text          `json:"resourceId"`
	IBAN            text          `json:"iban"`
	BBAN            text          `json:"bban"`
	MaskedPAN       text          `json:"maskedPan"`
	BIC             text          `json:"bic"`
	Currency        text          `json:"currency"`
	Name            text          `json:"name"`
	DisplayName     text          `json:"displayName"`
	Product         text          `json:"product"`
	Type            text          `json:"cashAccountType"`
	OwnerName       text          `json:"ownerName"`
	OwnerNames      []owner       `json:"ownerNames"`
	Status          text          `json:"status"`
	DebitAccounting text          `json:"debitAccounting"`
	CreditLimit     *amount       `json:"creditLimit"`
	Balances        []balance     `json:"balances"`
	Links           *accountLinks `json:"_links"`
}

type accountLinks struct {
	Balances     link `json:"balances"`
	Transactions link `json:"transactions"`
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
		path    string
	}{{body.Accounts, a.Question.Kind == askCards, "accounts"}, {body.CardAccounts, true, b.wire.cards}} {
		for _, entry := range list.entries {
			read, ok := entry.read(list.card)
			if !ok {
				continue
			}
			balances := readBalances(read.Key, entry.Balances)
			r.Facts.Accounts = append(r.Facts.Accounts, read)
			r.Facts.Balances = append(r.Facts.Balances, balances...)
			links := entry.links(list.path)
			if len(balances) == 0 && links.Balances != "" {
				r.Questions = append(r.Questions, institution.Question{
					Kind: askBalances, Account: read.Key, Needs: institution.NeedsBalances, Link: string(links.Balances)})
			}
			if links.Transactions != "" {
				r.Questions = append(r.Questions, institution.Question{
					Kind: askTransactions, Account: read.Key, Needs: institution.NeedsTransactions,
					From: a.Question.From, Link: string(links.Transactions)})
			}
		}
	}
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

// links returns the links of the account. A missing link means that the consent does
// not cover it. If the bank writes no links at all, they are the standard paths.
func (a account) links(path string) accountLinks {
	switch {
	case a.Links != nil:
		return *a.Links
	case a.ResourceID != "" && path != "":
		under := link("/v1/" + path + "/" + url.PathEscape(string(a.ResourceID)))
		return accountLinks{Balances: under + "/balances", Transactions: under + "/transactions"}
	}
	return accountLinks{}
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
