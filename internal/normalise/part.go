package normalise

import (
	"cmp"
	"slices"

	"samla/internal/consent"
	"samla/internal/fact"
	"samla/internal/listing"
	"samla/internal/money"
)

// index has the facts that the scope covers, by key.
type index map[string]*source

// source is what an institution gave about a key.
type source struct {
	balances      []fact.Balance
	histories     []fact.History
	debitPositive bool // what one answer says of the sign holds for the key
}

func indexOf(scope consent.Scope, facts fact.Facts) index {
	x := index{}
	at := func(key string) *source {
		if x[key] == nil {
			x[key] = &source{}
		}
		return x[key]
	}
	for _, a := range facts.Accounts {
		s := at(a.Key)
		s.debitPositive = s.debitPositive || a.DebitPositive
	}
	for _, h := range facts.Histories {
		s := at(h.Account)
		s.debitPositive = s.debitPositive || h.DebitPositive
		if scope.Transactions {
			s.histories = append(s.histories, h)
		}
	}
	for _, b := range facts.Balances {
		s := at(b.Account)
		s.debitPositive = s.debitPositive || b.DebitPositive
		if scope.Balances {
			s.balances = append(s.balances, b)
		}
	}
	return x
}

// parts returns the account in each of its currencies, that of the first entry first.
// Amounts of different currencies never meet: what is in another currency than the
// account is left to the currency's own part, if the account has several.
func (x index) parts(a *listing.Account) []account {
	p := parts{of: a, at: map[string]int{}}
	var unknown []string // keys of which no currency is known
	done := map[string]bool{}
	for _, e := range a.Entries {
		s := x[e.Key]
		if done[e.Key] {
			continue
		}
		done[e.Key] = true
		if s == nil {
			s = &source{}
		}
		currency := cmp.Or(a.Currency(e.Key), s.currency(a.Home))
		switch currency {
		case "":
			unknown = append(unknown, e.Key)
		case fact.SeveralCurrencies:
			if found := s.currencies(a.Home); len(found) > 0 {
				for _, c := range found {
					p.add(c, e, s.in(c, a.Home))
				}
			} else {
				unknown = append(unknown, e.Key)
			}
		default:
			p.add(currency, e, s)
		}
	}
	if len(p.list) == 0 {
		p.add("", a.Entries[0], &source{})
	}
	for _, key := range unknown {
		i := slices.IndexFunc(a.Entries, func(e fact.Account) bool { return e.Key == key })
		if s := x[key]; s != nil {
			p.add(p.list[0].Currency, a.Entries[i], s)
		}
	}
	return p.list
}

// currency returns the currency of a source that no entry names: that of its amounts.
func (s *source) currency(home string) string {
	found := s.currencies(home)
	if len(s.balances) > 0 {
		found = (&source{balances: s.balances}).currencies(home)
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		return found[0]
	}
	return fact.SeveralCurrencies
}

// currencies returns the currencies of the amounts, in their order.
func (s *source) currencies(home string) (found []string) {
	add := func(m money.Amount) {
		if c := cmp.Or(currencyOf(m), home); c != "" && !slices.Contains(found, c) {
			found = append(found, c)
		}
	}
	for _, b := range s.balances {
		add(b.Amount)
	}
	for _, h := range s.histories {
		for i := range h.Transactions {
			add(h.Transactions[i].Amount)
		}
	}
	return found
}

// currencyOf returns the currency of an amount, or "": no amount is in several.
func currencyOf(m money.Amount) string {
	if m.Currency() == fact.SeveralCurrencies {
		return ""
	}
	return m.Currency()
}

// in returns what a source has in one currency.
func (s *source) in(currency, home string) *source {
	part := &source{debitPositive: s.debitPositive}
	for _, b := range s.balances {
		if cmp.Or(currencyOf(b.Amount), home) == currency {
			part.balances = append(part.balances, b)
		}
	}
	for _, h := range s.histories {
		rows := make([]fact.Transaction, 0, len(h.Transactions))
		for _, t := range h.Transactions {
			if cmp.Or(currencyOf(t.Amount), home) == currency {
				rows = append(rows, t)
			}
		}
		h.Transactions = rows
		part.histories = append(part.histories, h)
	}
	return part
}

// parts collects the parts of an account.
type parts struct {
	of   *listing.Account
	list []account
	at   map[string]int // by currency
}

// add adds what an entry has in a currency.
func (p *parts) add(currency string, e fact.Account, s *source) {
	i, known := p.at[currency]
	if !known {
		i = len(p.list)
		p.at[currency] = i
		p.list = append(p.list, account{Account: p.described(currency)})
		p.list[i].DebitPositive = s.debitPositive
		p.list[i].listCard = e.Card
	}
	a := &p.list[i]
	for _, b := range s.balances {
		b.DebitPositive = s.debitPositive && !b.Signed
		if currencyOf(b.Amount) == "" {
			b.Amount, _ = money.New(b.Amount.Value(), currency) // currency is one
		}
		if e.Card == a.listCard {
			a.balances = append(a.balances, b)
		} else {
			a.others = append(a.others, b)
		}
	}
	if s.histories != nil {
		a.addHistories(s.histories, s.debitPositive != a.DebitPositive)
	}
}

// described returns what the entries say of the account in a currency. The first
// entry that says something counts; those of another currency count last.
func (p *parts) described(currency string) fact.Account {
	var one fact.Account
	for _, own := range []bool{true, false} {
		for _, e := range p.of.Entries {
			c := p.of.Currency(e.Key)
			if (c == "" || c == currency || c == fact.SeveralCurrencies) != own {
				continue
			}
			one.ID = cmp.Or(one.ID, e.ID)
			one.IBAN, one.BBAN, one.BIC = cmp.Or(one.IBAN, e.IBAN), cmp.Or(one.BBAN, e.BBAN), cmp.Or(one.BIC, e.BIC)
			one.MaskedPAN = cmp.Or(one.MaskedPAN, e.MaskedPAN)
			one.MSISDN, one.Other = cmp.Or(one.MSISDN, e.MSISDN), cmp.Or(one.Other, e.Other)
			one.Name, one.DisplayName, one.Product = cmp.Or(one.Name, e.Name), cmp.Or(one.DisplayName, e.DisplayName), cmp.Or(one.Product, e.Product)
			one.OwnerName = cmp.Or(one.OwnerName, e.OwnerName)
			if one.Credit == nil && e.Credit != nil {
				limit, err := money.New(e.Credit.Value().Abs(), cmp.Or(e.Credit.Currency(), currency))
				if err == nil && (currency == "" || limit.Currency() == currency) {
					one.Credit = &limit
				}
			}
		}
	}
	one.Currency = currency
	return one
}
