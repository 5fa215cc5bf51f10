package account

import (
	"slices"
	"strings"

	"samla/internal/sandbox/persona"
)

// Card is a credit card of a person. A parallel card is a second one on the same account,
// held by somebody else.
type Card struct {
	persona.Account
	ID       string
	parallel bool
}

// CardsOf returns the cards of a person, main cards only. They are the same in each country.
func CardsOf(p persona.Person) []Card {
	var list []Card
	for _, a := range p.Accounts {
		if a.Card {
			list = append(list, Card{Account: a, ID: "CR1-" + strings.ReplaceAll(a.ID, "-", "")})
		}
	}
	return list
}

// Masked returns the number as cards have it: the last four digits.
func (c Card) Masked() string {
	last := c.MaskedPAN[len(c.MaskedPAN)-4:]
	if c.parallel {
		last = string([]byte{last[3], last[2], last[1], last[0]})
	}
	return strings.Repeat("*", 12) + last
}

// Object returns CreditCard of Nordea's file.
func (c Card) Object(holder persona.Person, ledger *persona.Ledger) Object {
	balance := ledger.SubAccounts[0]
	name := strings.ToUpper(holder.Name())
	o := Object{
		"id": c.ID, "product_name": c.Product, "masked_credit_card_number": c.Masked(),
		"cardholder_name": name, "main_cardholder_name": name,
		"credit_account_number":    decimals([]byte(c.ID), 11),
		"credit_limit":             money(c.CreditLimit),
		"credit_booked_balance":    money(balance.Booked),
		"credit_available_balance": money(c.CreditLimit + balance.Expected),
	}
	if c.parallel {
		o["id"], o["cardholder_name"] = c.ID+"-P1", "PARALLELL "+strings.ToUpper(holder.Surname)
		return o
	}
	o["card_monthly_spending_limit"] = money(c.CreditLimit / 2)
	second := c
	second.parallel = true
	o["parallel_cards"] = []Object{second.Object(holder, ledger)}
	return o
}

// Rows returns the booked transactions of the days from to to, newest first.
func (c Card) Rows(ledger *persona.Ledger, from, to persona.Day) []Row {
	var list []Row
	for _, t := range slices.Backward(between(ledger.Booked, from, to)) {
		list = append(list, Row{Transaction: t, id: t.ID})
	}
	return list
}

// Transaction returns CreditCardTransaction of Nordea's file.
func (c Card) Transaction(r Row) Object {
	o := Object{
		"amount": money(r.Minor), "currency": r.Currency, "booking_date": r.Day.String(),
		"transaction_date": (r.Day - 1).String(), "transaction_type": "Purchase", "masked_credit_card_number": c.Masked(),
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
		o["original_amount"], o["original_currency"] = money(e.Minor), e.Currency
	}
	return o
}
