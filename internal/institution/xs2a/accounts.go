package xs2a

import (
	"net/url"
	"strings"

	"samla/internal/institution"
)

// account is accountDetails and cardAccountDetails at once (docs/reference/banks.md 5).
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
	Links           *struct {
		Balances     link `json:"balances"`
		Transactions link `json:"transactions"`
	} `json:"_links"`
}

type owner struct {
	Name text `json:"name"`
}

// balance is one balance of an account.
type balance struct {
	Amount        amount `json:"balanceAmount"`
	Type          text   `json:"balanceType"`
	LimitIncluded text   `json:"creditLimitIncluded"`
	ChangedAt     text   `json:"lastChangeDateTime"`
	Reference     text   `json:"referenceDate"`
}

// ReadAccounts implements institution.Source for the answers to Accounts and Cards. An
// entry that names no account in any way is left out.
func (b *Bank) ReadAccounts(a institution.Answer) ([]institution.Account, error) {
	var said struct {
		Accounts     []account `json:"accounts"`
		CardAccounts []account `json:"cardAccounts"`
	}
	if err := decode(answer{body: a.Body}, &said); err != nil {
		return nil, err
	}
	if said.Accounts == nil && said.CardAccounts == nil {
		return nil, garbled("", errMissing)
	}
	var accounts []institution.Account
	for _, list := range []struct {
		entries []account
		card    bool
		path    string
	}{{said.Accounts, a.Query.Card, "accounts"}, {said.CardAccounts, true, b.wire.cards}} {
		for _, entry := range list.entries {
			if read, ok := entry.read(list.card, list.path); ok {
				accounts = append(accounts, read)
			}
		}
	}
	return accounts, nil
}

func (a account) read(card bool, path string) (institution.Account, bool) {
	read := institution.Account{
		ResourceID:    string(a.ResourceID),
		Card:          card,
		IBAN:          compact(a.IBAN),
		BBAN:          compact(a.BBAN),
		MaskedPAN:     compact(a.MaskedPAN),
		BIC:           compact(a.BIC),
		Currency:      strings.ToUpper(a.Currency.line()),
		Name:          a.Name.line(),
		DisplayName:   a.DisplayName.line(),
		Product:       a.Product.line(),
		Type:          strings.ToUpper(a.Type.line()),
		OwnerName:     a.owners(),
		Closed:        strings.EqualFold(a.Status.line(), "deleted"),
		DebitPositive: a.DebitAccounting.yes(),
		Balances:      readBalances(a.Balances),
	}
	if read.ResourceID == "" && read.IBAN == "" && read.BBAN == "" && read.MaskedPAN == "" {
		return institution.Account{}, false
	}
	if a.CreditLimit != nil {
		if limit, ok := a.CreditLimit.money(); ok {
			read.Credit = &limit
		}
	}
	switch {
	case a.Links != nil:
		read.BalancesLink, read.TransactionsLink = string(a.Links.Balances), string(a.Links.Transactions)
	case read.ResourceID != "" && path != "":
		// A bank that writes no links at all does not tell the scope by them.
		under := "/v1/" + path + "/" + url.PathEscape(read.ResourceID)
		read.BalancesLink, read.TransactionsLink = under+"/balances", under+"/transactions"
	}
	return read, true
}

// owners gives the owner as the bank writes it, or the names of all it lists.
func (a account) owners() string {
	if name := a.OwnerName.line(); name != "" {
		return name
	}
	var names []string
	for _, o := range a.OwnerNames {
		if name := o.Name.line(); name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// compact takes the blanks out of a number that is printed in groups.
func compact(t text) string { return strings.ReplaceAll(t.line(), " ", "") }

// ReadBalances implements institution.Source for the answers to Balances.
func (b *Bank) ReadBalances(a institution.Answer) ([]institution.Balance, error) {
	var said struct {
		Balances []balance `json:"balances"`
	}
	if err := decode(answer{body: a.Body}, &said); err != nil {
		return nil, err
	}
	if said.Balances == nil {
		return nil, garbled("", errMissing)
	}
	return readBalances(said.Balances), nil
}

// readBalances leaves out what has no amount.
func readBalances(list []balance) []institution.Balance {
	var balances []institution.Balance
	for _, entry := range list {
		m, ok := entry.Amount.money()
		if !ok {
			continue
		}
		read := institution.Balance{
			Kind: institution.BalanceKind(entry.Type.line()), Amount: m, LimitIncluded: entry.LimitIncluded.yes(),
			At: entry.ChangedAt.moment(),
		}
		if read.At.IsZero() {
			read.At = entry.Reference.date()
		}
		balances = append(balances, read)
	}
	return balances
}
