package nordea

import (
	"slices"
	"strings"

	"samla/internal/sandbox/bankpage"
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
	scopeBasic:        "your accounts and their numbers",
	scopeBalances:     "the balances of your accounts",
	scopeDetails:      "the names, products and limits of your accounts",
	scopeTransactions: "the transactions of your accounts",
	scopePayments:     "to start payments, each of which you sign",
	scopeCards:        "your cards and their balances",
	scopeCardRows:     "the transactions of your cards",
}

func asked(q redirectRequest) []string {
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
		named := slices.ContainsFunc(q.Accounts, a.isNamed)
		if len(q.Accounts) == 0 || named || slices.Contains(q.Accounts, allAccounts) || slices.Contains(q.Accounts, allWithCards) {
			list = append(list, bankpage.Account{ID: a.v5, Name: a.Name + ", " + a.currency, Number: a.number()})
		}
	}
	if slices.ContainsFunc(q.Scopes, isCardScope) {
		for _, k := range cardsOf(person) {
			list = append(list, bankpage.Account{ID: k.id, Name: k.Product, Number: k.masked()})
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
