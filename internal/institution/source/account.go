package source

import (
	"encoding/json"
	"strings"
	"time"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/ident"
	"samla/internal/money"
	"samla/internal/plaintext"
)

type wireAccount struct {
	ID           string            `json:"id"`
	IBAN         string            `json:"iban"`
	Number       string            `json:"number"`
	Name         string            `json:"name"`
	Holder       string            `json:"holder"`
	Currency     string            `json:"currency"`
	Kind         string            `json:"kind"`
	Booked       json.RawMessage   `json:"booked"`
	Available    json.RawMessage   `json:"available"`
	Transactions []json.RawMessage `json:"transactions"` // nil: not told
}

var classes = map[string]fact.Class{"CHECKING": fact.ClassChecking, "SAVINGS": fact.ClassSavings, "CARD": fact.ClassCard}

const (
	maxText   = 500 // characters of names and descriptions
	maxNumber = 50  // bytes of numbers of accounts

	tooLong = "must have at most 50 bytes"
)

// account adds an account of the page, with its balances and transactions.
func (p *Page) account(i int, raw json.RawMessage) {
	at := pointerTo("accounts", i)
	unreadable := func(member, what string) { p.problem(at+member, deviation.UnreadableAccount, what) }
	var in wireAccount
	if err := json.Unmarshal(raw, &in); err != nil {
		unreadable(pointerOf(err), "has another type than it must have")
		return
	}
	class, known := classes[in.Kind]
	switch {
	case in.ID == "" || len(in.ID) > maxID:
		unreadable("/id", "must have 1 to 200 bytes")
	case !known:
		unreadable("/kind", "must be CHECKING, SAVINGS or CARD")
	case !money.IsCurrency(in.Currency):
		unreadable("/currency", "must be a code of ISO 4217")
	case len(in.IBAN) > maxNumber:
		unreadable("/iban", tooLong)
	case len(in.Number) > maxNumber:
		unreadable("/number", tooLong)
	default:
		p.Facts.Accounts = append(p.Facts.Accounts, fact.Account{Key: in.ID, ID: in.ID, IBAN: p.iban(at, in.IBAN), BBAN: in.Number,
			Name: cleaned(in.Name), OwnerName: cleaned(in.Holder), Currency: in.Currency, Class: class, Card: class == fact.ClassCard})
		p.balance(at+"/booked", in.ID, fact.InterimBooked, in.Booked)
		p.balance(at+"/available", in.ID, fact.InterimAvailable, in.Available)
		p.history(at, in)
	}
}

// iban returns an IBAN in its electronic form. What has not the form of one identifies
// nothing and is left out; the account stays.
func (p *Page) iban(at, s string) string {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if s != "" && !ident.HasIBANForm(s) {
		p.problem(at+"/iban", deviation.UnreadableMember, "must be an IBAN")
		return ""
	}
	return s
}

// cleaned returns a text for people, cut where it is too long.
func cleaned(s string) string {
	s = plaintext.Clean(s)
	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText])
	}
	return s
}

func (p *Page) balance(at, key string, kind fact.BalanceKind, raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	amount, ok := readAmount(raw)
	if !ok {
		p.problem(at, deviation.UnreadableBalance, "must be an amount with a currency")
		return
	}
	p.Facts.Balances = append(p.Facts.Balances, fact.Balance{Account: key, Kind: kind, Amount: amount, At: p.at})
}

// readAmount reads the members amount and currency of an object.
func readAmount(raw json.RawMessage) (money.Amount, bool) {
	var amount money.Amount
	err := json.Unmarshal(raw, &amount)
	return amount, err == nil && amount.Currency() != ""
}

func (p *Page) history(at string, in wireAccount) {
	if in.Transactions == nil {
		return
	}
	h := fact.History{Account: in.ID, At: p.at}
	for i, raw := range in.Transactions {
		if row, ok := p.transaction(at+pointerTo("transactions", i), raw); ok {
			h.Transactions = append(h.Transactions, row)
		}
	}
	p.Facts.Histories = append(p.Facts.Histories, h)
}

type wireTransaction struct {
	ID           string `json:"id"`
	BookingDate  string `json:"bookingDate"`
	Counterparty string `json:"counterparty"`
	Description  string `json:"description"`
	Pending      bool   `json:"pending"`
}

func (p *Page) transaction(at string, raw json.RawMessage) (fact.Transaction, bool) {
	var in wireTransaction
	amount, ok := readAmount(raw)
	unreadable := func(member, what string) (fact.Transaction, bool) {
		p.problem(at+member, deviation.UnreadableRow, what)
		return fact.Transaction{}, false
	}
	switch err := json.Unmarshal(raw, &in); {
	case err != nil:
		return unreadable(pointerOf(err), "has another type than it must have")
	case !ok:
		return unreadable("/amount", "must be a decimal, beside a currency")
	case len(in.ID) > maxID:
		return unreadable("/id", "must have at most 200 bytes")
	}
	row := fact.Transaction{ID: in.ID, Booked: !in.Pending, Amount: amount, Text: cleaned(in.Description)}
	if day, err := time.Parse(time.DateOnly, in.BookingDate); err == nil {
		row.BookingDate = day
	} else if in.BookingDate != "" || row.Booked {
		p.problem(at+"/bookingDate", deviation.UnreadableDate, "must be a date such as 2026-03-02")
	}
	if amount.Sign() < 0 {
		row.CreditorName = cleaned(in.Counterparty)
	} else {
		row.DebtorName = cleaned(in.Counterparty)
	}
	return row, true
}
