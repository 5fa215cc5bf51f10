package nordea

import (
	"slices"
	"strings"

	"samla/internal/sandbox/persona"
)

// card is a credit card of a person. A parallel card is a second one on the same account,
// held by somebody else.
type card struct {
	persona.Account
	id       string
	parallel bool
}

// cardsOf returns the cards of a person, main cards only. They are the same in each country.
func cardsOf(p persona.Person) []card {
	var list []card
	for _, a := range p.Accounts {
		if a.Card {
			list = append(list, card{Account: a, id: "CR1-" + strings.ReplaceAll(a.ID, "-", "")})
		}
	}
	return list
}

// masked returns the number as cards have it: the last four digits.
func (c card) masked() string {
	last := c.MaskedPAN[len(c.MaskedPAN)-4:]
	if c.parallel {
		last = string([]byte{last[3], last[2], last[1], last[0]})
	}
	return strings.Repeat("*", 12) + last
}

// cardObject returns CreditCard of Nordea's file.
func (c *call) cardObject(k card, p persona.Person) object {
	ledger := c.customers.Ledger(k.Account, c.today())
	balance := ledger.SubAccounts[0]
	money := func(minor int64) number { return number(persona.Amount(minor)) }
	holder := strings.ToUpper(p.Name())
	o := object{
		"id": k.id, "product_name": k.Product, "masked_credit_card_number": k.masked(),
		"cardholder_name": holder, "main_cardholder_name": holder,
		"credit_account_number":    decimals([]byte(k.ID), 11),
		"credit_limit":             money(k.CreditLimit),
		"credit_booked_balance":    money(balance.Booked),
		"credit_available_balance": money(k.CreditLimit + balance.Expected),
	}
	if k.parallel {
		o["id"], o["cardholder_name"] = k.id+"-P1", "PARALLELL "+strings.ToUpper(p.Surname)
		return o
	}
	o["card_monthly_spending_limit"] = money(k.CreditLimit / 2)
	second := k
	second.parallel = true
	o["parallel_cards"] = []object{c.cardObject(second, p)}
	return o
}

func (c *call) listCards() (response, *apiError) {
	g, f := c.bearer(scopeCards)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	p := c.person(g)
	if f := personError(p); f != nil {
		return response{}, f
	}
	list := []object{}
	for _, k := range cardsOf(p) {
		if slices.Contains(g.Cards, k.id) {
			list = append(list, c.cardObject(k, p))
		}
	}
	if f := c.countRead(g, "cards"); f != nil {
		return response{}, f
	}
	return c.envelope(nil, object{"cards": list}), nil
}

// card returns the grant of the request and the card of the path.
func (c *call) card(scope string) (Grant, card, *apiError) {
	g, f := c.bearer(scope)
	if f != nil {
		return g, card{}, f
	}
	p := c.person(g)
	for _, k := range cardsOf(p) {
		if k.id != c.id {
			continue
		}
		if !slices.Contains(g.Cards, k.id) {
			return g, k, denied("The card is not shared.")
		}
		return g, k, personError(p)
	}
	return g, card{}, c.unknown()
}

func (c *call) getCard() (response, *apiError) {
	g, k, f := c.card(scopeCards)
	if f != nil {
		return response{}, f
	}
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	if f := c.countRead(g, "card/"+k.id); f != nil {
		return response{}, f
	}
	return c.envelope(nil, c.cardObject(k, c.person(g))), nil
}

func (c *call) listCardTransactions() (response, *apiError) {
	g, k, f := c.card(scopeCardRows)
	if f != nil {
		return response{}, f
	}
	w, f := c.window(g, k.id)
	if f != nil {
		return response{}, f
	}
	if k.TransactionsStatus != 0 {
		return response{}, scripted(k.TransactionsStatus)
	}
	if w.Offset == 0 {
		if f := c.countRead(g, "card-transactions/"+k.id); f != nil {
			return response{}, f
		}
	}
	var booked []row
	for _, t := range slices.Backward(between(c.customers.Ledger(k.Account, c.today()).Booked, w.From, w.To)) {
		booked = append(booked, row{Transaction: t, id: t.ID})
	}
	list, key := c.page(w, booked)
	transactions := []object{}
	for _, r := range list {
		transactions = append(transactions, k.transaction(r))
	}
	v := object{"transactions": transactions}
	if key != "" {
		v["continuation_key"] = key // not in the envelope, as for accounts (docs/reference/families.md 3.7)
	}
	return c.envelope(nil, v), nil
}

// transaction returns CreditCardTransaction of Nordea's file.
func (c card) transaction(r row) object {
	o := object{
		"amount": number(persona.Amount(r.Minor)), "currency": r.Currency, "booking_date": r.Day.String(),
		"transaction_date": (r.Day - 1).String(), "transaction_type": "Purchase", "masked_credit_card_number": c.masked(),
	}
	if r.id != "" {
		o["id"] = r.id
	}
	if r.Minor > 0 {
		o["transaction_type"] = "Payment"
	}
	if r.Counterparty != "" {
		o["beneficiary"] = r.Counterparty
	}
	if e := r.Exchange; e != nil {
		o["original_amount"], o["original_currency"] = number(persona.Amount(e.Minor)), e.Currency
	}
	return o
}
