package nordea

import (
	"slices"
	"strings"

	"samla/internal/sandbox/bankpage"
	"samla/internal/sandbox/nordea/account"
	"samla/internal/sandbox/nordea/grant"
)

// host is the bank as its page sees it.
type host struct{ *Bank }

// openPage makes the page of the bank, with the logins of an earlier run.
func (b *Bank) openPage() error {
	c := bankpage.Config{Host: host{b}, BankID: b.BankID, Clock: b.Clock, Random: b.Random, Prefix: b.PagePath(""), Log: b.Log}
	if b.Journal != "" {
		c.Journal = strings.TrimSuffix(b.Journal, ".jsonl") + "-pages.jsonl"
	}
	var err error
	b.pages, err = bankpage.New(c)
	return err
}

// Visit implements bankpage.Host.
func (h host) Visit(id string) (bankpage.Visit, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.visits[id]
	if v == nil {
		return bankpage.Visit{}, bankpage.ErrNoVisit
	}
	return bankpage.Visit{
		Bank: h.DisplayName, Client: h.apps[v.App].Name, Until: v.Until, Asked: asked(v.Request), Choose: !v.Request.Skip,
	}, nil
}

// sentences say what each scope allows.
var sentences = map[string]string{
	grant.Basic:            "your accounts and their numbers",
	grant.Balances:         "the balances of your accounts",
	grant.Details:          "the names, products and limits of your accounts",
	grant.Transactions:     "the transactions of your accounts",
	grant.Payments:         "to start payments, each of which you sign",
	grant.Cards:            "your cards and their balances",
	grant.CardTransactions: "the transactions of your cards",
}

func asked(q grant.RedirectRequest) []string {
	list := make([]string, len(q.Scopes))
	for i, s := range q.Scopes {
		list[i] = sentences[s]
	}
	return list
}

// Accounts implements bankpage.Host: the accounts that the request allows, and the cards if
// it asks for them.
func (h host) Accounts(id, personalNumber string) ([]bankpage.Account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.visits[id]
	if v == nil {
		return nil, bankpage.ErrNoVisit
	}
	q := v.Request
	person, _ := h.customers.Person(personalNumber)
	list := []bankpage.Account{}
	for _, a := range h.accounts(person, q.Country) {
		named := slices.ContainsFunc(q.Accounts, a.IsNamed)
		if len(q.Accounts) == 0 || named || slices.Contains(q.Accounts, grant.AllAccounts) || slices.Contains(q.Accounts, grant.AllWithCards) {
			list = append(list, bankpage.Account{ID: a.V5, Name: a.Name + ", " + a.Currency, Number: a.Number()})
		}
	}
	if slices.ContainsFunc(q.Scopes, grant.IsCard) {
		for _, k := range account.CardsOf(person) {
			list = append(list, bankpage.Account{ID: k.ID, Name: k.Product, Number: k.Masked()})
		}
	}
	return list, nil
}

// failures are the httpMessage of each outcome but Approved; only the first is known from
// Nordea (docs/reference/families.md 3.5).
var failures = map[bankpage.Outcome]string{
	bankpage.Refused:     codeCancelled,
	bankpage.TimedOut:    codeTimedOut,
	bankpage.WrongPerson: codeBankID,
	bankpage.NotEligible: codeDenied,
	bankpage.Failed:      codeServer,
}

// Decide implements bankpage.Host.
func (h host) Decide(id string, d bankpage.Decision) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.visits[id]
	if v == nil {
		return "", bankpage.ErrNoVisit
	}
	return h.decide(v, d.PersonalNumber, d.Accounts, failures[d.Outcome])
}
