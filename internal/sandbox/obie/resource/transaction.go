package resource

import (
	"encoding/json"
	"slices"
	"strings"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/persona"
)

type transactionData struct {
	AccountID       string            `json:"AccountId"`
	TransactionID   string            `json:"TransactionId,omitempty"`
	Reference       string            `json:"TransactionReference,omitempty"`
	Indicator       string            `json:"CreditDebitIndicator"`
	Status          string            `json:"Status"`
	Mutability      string            `json:"TransactionMutability,omitempty"`
	BookingDateTime string            `json:"BookingDateTime"`
	ValueDateTime   string            `json:"ValueDateTime,omitempty"`
	Information     string            `json:"TransactionInformation,omitempty"`
	Amount          amount            `json:"Amount"`
	Exchange        *currencyExchange `json:"CurrencyExchange,omitempty"`
	Code            *transactionCode  `json:"BankTransactionCode,omitempty"`
	Proprietary     *proprietaryCode  `json:"ProprietaryBankTransactionCode,omitempty"`
	Balance         *balanceAfter     `json:"Balance,omitempty"`
	Merchant        *merchant         `json:"MerchantDetails,omitempty"`
	Creditor        *identified       `json:"CreditorAccount,omitempty"`
	Debtor          *identified       `json:"DebtorAccount,omitempty"`
	Card            *cardInstrument   `json:"CardInstrument,omitempty"`
}

type currencyExchange struct {
	Source     string      `json:"SourceCurrency"`
	Target     string      `json:"TargetCurrency"`
	Unit       string      `json:"UnitCurrency"`
	Rate       json.Number `json:"ExchangeRate"`
	Quotation  string      `json:"QuotationDate"`
	Instructed amount      `json:"InstructedAmount"`
}

type transactionCode struct {
	Code    string `json:"Code"`
	SubCode string `json:"SubCode"`
}

type proprietaryCode struct {
	Code   string `json:"Code"`
	Issuer string `json:"Issuer"`
}

type balanceAfter struct {
	Indicator string `json:"CreditDebitIndicator"`
	Type      string `json:"Type"`
	Amount    amount `json:"Amount"`
}

type merchant struct {
	Name string `json:"MerchantName,omitempty"`
	Code string `json:"MerchantCategoryCode,omitempty"`
}

type cardInstrument struct {
	Scheme         string `json:"CardSchemeName"`
	Identification string `json:"Identification"`
}

// families are the bank transaction codes of the personas: version 3.1.11 writes the
// names of ISO 20022's families without blanks, version 4.0 their codes.
var families = map[string]struct{ code, sub word }{
	"PMNT-CCRD-POSD": {word{"CustomerCardTransactions", "CCRD"}, word{"PointOfSaleEFTPOSPaymentDebitCard", "POSD"}},
	"PMNT-RCDT-SALA": {word{"ReceivedCreditTransfers", "RCDT"}, word{"PayrollSalaryPayment", "SALA"}},
	"PMNT-ICDT-DMCT": {word{"IssuedCreditTransfers", "ICDT"}, word{"DomesticCreditTransfer", "DMCT"}},
	"PMNT-RDDT-BBDD": {word{"ReceivedDirectDebits", "RDDT"}, word{"SEPAB2BDirectDebit", "BBDD"}},
}

// Row is a transaction of an account, booked or not.
type Row struct {
	persona.Transaction
	Pending bool
}

// Rows returns the rows of the account that the consent may see, newest first: of the days
// from first to last, credits and debits as permitted. Pending rows come before the booked
// ones.
func Rows(a Account, l *persona.Ledger, c grant.Consent, first, last persona.Day) []Row {
	var out []Row
	add := func(rows []persona.Transaction, pending bool) {
		for i := range rows {
			r := rows[len(rows)-1-i]
			permitted := c.Has(TransactionsDebits) && r.Minor < 0 || c.Has(TransactionsCredits) && r.Minor >= 0
			if r.Currency == a.Currency && r.Day >= first && r.Day <= last && permitted {
				out = append(out, Row{r, pending})
			}
		}
	}
	add(l.Pending, true)
	add(l.Booked, false)
	return slices.Clip(out)
}

// Transaction renders a row: without ReadTransactionsDetail it says nothing about the
// other party (docs/reference/families.md 4.4).
func (v Version) Transaction(a Account, r Row, c grant.Consent, bic string) any {
	sum, indicator := signed(r.Minor, r.Currency)
	d := transactionData{
		AccountID: a.ID, TransactionID: r.ID, Reference: r.EntryReference, Indicator: indicator, Status: v.of(booked),
		Mutability: "Immutable", BookingDateTime: dayTime(r.Day), ValueDateTime: dayTime(r.Day), Amount: sum,
	}
	if r.Pending {
		d.Status, d.Mutability, d.ValueDateTime = v.of(pending), "", ""
	}
	if f, ok := families[r.Code]; ok {
		d.Code = &transactionCode{v.of(f.code), v.of(f.sub)}
	}
	if r.Code != "" {
		d.Proprietary = &proprietaryCode{r.Code, bic}
	}
	if e := r.Exchange; e != nil {
		instructed, _ := signed(e.Minor, e.Currency)
		d.Exchange = &currencyExchange{Source: e.Currency, Target: r.Currency, Unit: e.Currency, Rate: json.Number(e.Rate),
			Quotation: dayTime(r.Day), Instructed: instructed}
	}
	if a.Card {
		d.Card = &cardInstrument{"MasterCard", a.MaskedPAN}
		if c.Has(PAN) {
			d.Card.Identification = fullPAN(a.Account)
		}
	}
	if c.Has(TransactionsDetail) {
		v.detail(&d, r)
	}
	return d
}

// detail adds what only ReadTransactionsDetail allows.
func (v Version) detail(d *transactionData, r Row) {
	d.Information = strings.Join(r.Text, "\n")
	switch {
	case r.MCC != "":
		d.Merchant = &merchant{r.Counterparty, r.MCC}
	case r.Counterparty == "":
	case r.Minor < 0:
		d.Creditor = &identified{Name: r.Counterparty}
	default:
		d.Debtor = &identified{Name: r.Counterparty}
	}
	if !r.Pending {
		sum, indicator := signed(r.BalanceAfter, r.Currency)
		d.Balance = &balanceAfter{indicator, v.of(interimBooked), sum}
	}
}
