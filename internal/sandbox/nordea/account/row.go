package account

import (
	"slices"
	"strings"
	"time"

	"samla/internal/sandbox/persona"
)

// balances are the balances of an account at a time, in minor units.
type balances struct {
	booked    int64
	available int64       // without the credit limit
	latest    persona.Day // of the last booked transaction; 0: none
}

// Row is a transaction. A reserved one is not in the booked balance.
type Row struct {
	persona.Transaction
	reserved bool
	id       string // empty: the bank tells none
}

// bookingHour is when the transactions of a day are booked, UTC. Before that they are
// reserved. What the ledger calls pending stays reserved until the end of the day and then
// disappears.
const bookingHour = 12

// balances returns the balances at a time on the ledger's day.
func (a Account) balances(ledger *persona.Ledger, now time.Time) balances {
	today := persona.DayAt(now)
	var out balances
	for _, s := range ledger.SubAccounts {
		if s.Currency != a.ledger {
			continue
		}
		out.booked, out.available = s.Booked, s.Expected
		if now.Hour() < bookingHour {
			out.booked = s.Yesterday
		}
	}
	for _, t := range slices.Backward(ledger.Booked) {
		if t.Currency == a.ledger && (t.Day < today || now.Hour() >= bookingHour) {
			out.latest = t.Day
			break
		}
	}
	return out
}

// Rows returns the transactions of the days from to to, newest first, at a time on the
// ledger's day.
func (a Account) Rows(ledger *persona.Ledger, now time.Time, from, to persona.Day) []Row {
	today := persona.DayAt(now)
	var list []Row
	add := func(t persona.Transaction, reserved bool) {
		if t.Currency != a.ledger {
			return
		}
		r := Row{Transaction: t, reserved: reserved, id: t.ID}
		if a.Country == "DK" && reserved {
			r.id = "reservation-" + t.Key // it changes when the entry is booked
		}
		list = append(list, r)
	}
	if from <= today && today <= to {
		for _, t := range ledger.Pending {
			add(t, true)
		}
	}
	for _, t := range slices.Backward(between(ledger.Booked, from, to)) {
		add(t, t.Day == today && now.Hour() < bookingHour)
	}
	return list
}

// between returns the transactions of the days from to to. They are sorted, oldest first.
func between(list []persona.Transaction, from, to persona.Day) []persona.Transaction {
	order := func(t persona.Transaction, d persona.Day) int { return int(t.Day - d) }
	first, _ := slices.BinarySearchFunc(list, from, order)
	end, _ := slices.BinarySearchFunc(list, to+1, order)
	return list[first:max(first, end)]
}

// Transaction returns the object of a row in a version and a language; "" is Swedish. What a country lacks follows the file of the
// version (docs/reference/families.md 3.6).
func (a Account) Transaction(r Row, version, language string) Object {
	o := Object{
		"booking_date": r.Day.String(), "transaction_date": r.Day.String(), "status": "billed", "currency": a.Currency,
		"amount": a.amount(r.Minor), "type_description": describe(r.Code, language), "narrative": strings.Join(r.Text, " "),
	}
	if r.id != "" {
		o["transaction_id"] = r.id
	}
	if r.reserved {
		o["status"] = "reserved"
	} else {
		o["value_date"] = r.Day.String()
	}
	old := version == "v4"
	if !r.reserved && r.Exchange == nil && !(old && a.Country == "FI") {
		o["balance_after_transaction"] = a.amount(r.BalanceAfter)
	}
	if r.Counterparty != "" && !(old && a.Country == "DK") {
		o["counterparty_name"] = strings.ToUpper(r.Counterparty)
		o["message"] = r.Text[0]
	}
	if r.Code == codeCardPurchase && a.Country != "DK" {
		o["card_number"] = a.cardDigits()
	}
	if r.Code == codeTransfer && a.Country != "FI" && !(old && a.Country == "DK") {
		o["own_message"] = r.Text[0]
	}
	if !r.reserved && !(old && a.Country == "DK") {
		o["payment_date"] = r.Day.String()
		if len(r.Text) > 1 {
			o["reference"] = strings.TrimPrefix(r.Text[1], "OCR ")
		}
	}
	if e := r.Exchange; e != nil {
		o["original_currency"], o["original_currency_amount"] = e.Currency, money(e.Minor*a.scale)
		o["currency_rate"] = Number(e.Rate)
	}
	if r.Code == codeStanding {
		o["status"] = "confirmed"
		if r.reserved {
			o["status"] = "reserved"
		}
	}
	return o
}

// cardDigits are the last four digits of the card with which purchases are paid.
func (a Account) cardDigits() string { return decimals([]byte(a.V5), 4) }

// Bank transaction codes of the personas' ledgers.
const (
	codeCardPurchase = "PMNT-CCRD-POSD"
	codeSalary       = "PMNT-RCDT-SALA"
	codeTransfer     = "PMNT-ICDT-DMCT"
	codeStanding     = "PMNT-RDDT-BBDD"
	codeInterest     = "ACMT-MCOP-INTR"
)

// descriptions are the texts of type_description: sv, en, fi, da, no.
var descriptions = map[string][5]string{
	codeCardPurchase: {"Kortköp", "Card purchase", "Korttiosto", "Kortkøb", "Varekjøp"},
	codeSalary:       {"Lön", "Salary", "Palkka", "Løn", "Lønn"},
	codeTransfer:     {"Överföring", "Transfer", "Tilisiirto", "Overførsel", "Overføring"},
	codeStanding:     {"Autogiro", "Direct debit", "Suoraveloitus", "Betalingsservice", "Avtalegiro"},
	codeInterest:     {"Ränta", "Interest", "Korko", "Rente", "Rente"},
}

// IsLanguage reports whether the texts of transactions exist in a language.
func IsLanguage(code string) bool { return slices.Contains(languages, code) }

var languages = []string{"sv", "en", "fi", "da", "no"}

func describe(code, language string) string {
	return descriptions[code][max(slices.Index(languages, language), 0)]
}
