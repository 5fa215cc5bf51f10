package aspsp

import (
	"net/http"

	"samla/internal/sandbox/persona"
)

// transaction is the object of the standard (docs/reference/banks.md 6.3).
type transaction struct {
	ID           string          `json:"transactionId,omitempty"`
	Ref          string          `json:"entryReference,omitempty"`
	BookingDate  string          `json:"bookingDate,omitempty"`
	ValueDate    string          `json:"valueDate,omitempty"`
	Amount       amount          `json:"transactionAmount"`
	Exchange     []exchange      `json:"currencyExchange,omitempty"`
	CreditorName string          `json:"creditorName,omitempty"`
	DebtorName   string          `json:"debtorName,omitempty"`
	Text         string          `json:"remittanceInformationUnstructured,omitempty"`
	Lines        []string        `json:"remittanceInformationUnstructuredArray,omitempty"`
	Code         string          `json:"bankTransactionCode,omitempty"`
	After        *balance        `json:"balanceAfterTransaction,omitempty"`
	Links        map[string]link `json:"_links,omitempty"`
}

type exchange struct {
	Source   string `json:"sourceCurrency"`
	Rate     string `json:"exchangeRate"`
	Unit     string `json:"unitCurrency"`
	Target   string `json:"targetCurrency"`
	Date     string `json:"quotationDate"`
	Contract string `json:"contractIdentification,omitempty"`
}

func exchangeOf(r persona.Transaction) []exchange {
	if r.Exchange == nil {
		return nil
	}
	return []exchange{{Source: r.Exchange.Currency, Rate: r.Exchange.Rate, Unit: r.Exchange.Currency, Target: r.Currency, Date: r.Day.String()}}
}

// transaction returns a transaction in the standard's form. With details it has a
// link to its details.
func (c *call) transaction(a persona.Account, s Scope, r persona.Transaction, booked, details bool) transaction {
	t := transaction{
		ID: r.ID, Ref: r.EntryReference, ValueDate: r.Day.String(), Exchange: exchangeOf(r), Code: r.Code,
		Amount: amount{r.Currency, persona.Amount(c.sign(a) * r.Minor)},
	}
	if r.Minor < 0 {
		t.CreditorName = r.Counterparty
	} else {
		t.DebtorName = r.Counterparty
	}
	if len(r.Text) > 1 {
		t.Lines = r.Text
	} else {
		t.Text = r.Text[0]
	}
	if !booked {
		return t
	}
	t.BookingDate = r.Day.String()
	if s.Balances && r.Exchange == nil {
		t.After = &balance{Amount: amount{r.Currency, persona.Amount(c.sign(a) * r.BalanceAfter)}, Type: "interimBooked"}
	}
	if details && r.ID != "" {
		t.Links = map[string]link{"transactionDetails": c.href("accounts/" + a.ID + "/transactions/" + r.ID)}
	}
	return t
}

func (c *call) listTransactions() (response, *apiError) {
	rep, f := c.report("withBalance")
	if f != nil {
		return response{}, f
	}
	rep.links["account"] = c.href("accounts/" + rep.account.ID)
	body := map[string]any{"_links": rep.links}
	if rep.booked != nil {
		list := make([]transaction, len(rep.booked))
		for i, r := range rep.booked {
			list[i] = c.transaction(rep.account, rep.scope, r, true, true)
		}
		body["booked"] = list
	}
	if rep.pending != nil {
		list := make([]transaction, len(rep.pending))
		for i, r := range rep.pending {
			list[i] = c.transaction(rep.account, rep.scope, r, false, false)
		}
		body["pending"] = list
	}
	out := map[string]any{"account": referenceTo(rep.account), "transactions": body}
	if rep.balance {
		out["balances"] = c.balances(rep.account)
	}
	return response{http.StatusOK, nil, out}, nil
}

// getTransaction nests its result twice, as the schema requires
// (docs/reference/banks.md 6.4).
func (c *call) getTransaction() (response, *apiError) {
	if _, f := c.query(); f != nil {
		return response{}, f
	}
	rd, f := c.reader()
	if f != nil {
		return response{}, f
	}
	a, s, f := c.coveredAccount(rd, func(s Scope) bool { return s.Transactions })
	if f != nil {
		return response{}, f
	}
	if a.TransactionsStatus != 0 {
		return response{}, &apiError{status: a.TransactionsStatus}
	}
	for _, r := range c.customers.Ledger(a, c.today()).Booked {
		if r.ID != c.transactionID || r.ID == "" {
			continue
		}
		body := map[string]any{"transactionDetails": c.transaction(a, s, r, true, false)}
		return response{http.StatusOK, nil, map[string]any{"transactionsDetails": body}},
			c.countRead(rd.Consent, "transactions/"+a.ID+"/"+r.ID)
	}
	return response{}, resourceUnknown("no such transaction")
}

// cardTransaction is the object of the standard.
type cardTransaction struct {
	ID          string     `json:"cardTransactionId,omitempty"`
	Date        string     `json:"transactionDate"`
	BookingDate string     `json:"bookingDate,omitempty"`
	ValueDate   string     `json:"valueDate,omitempty"`
	Amount      amount     `json:"transactionAmount"`
	Exchange    []exchange `json:"currencyExchange,omitempty"`
	Original    *amount    `json:"originalAmount,omitempty"`
	Acceptor    *address   `json:"cardAcceptorAddress,omitempty"`
	MCC         string     `json:"merchantCategoryCode,omitempty"`
	MaskedPAN   string     `json:"maskedPAN,omitempty"`
	Details     string     `json:"transactionDetails,omitempty"`
	Invoiced    *bool      `json:"invoiced,omitempty"`
}

type address struct {
	Town    string `json:"townName,omitempty"`
	Country string `json:"country"`
}

func (c *call) listCardTransactions() (response, *apiError) {
	rep, f := c.report()
	if f != nil {
		return response{}, f
	}
	rep.links["cardAccount"] = c.href("card-accounts/" + rep.account.ID)
	body := map[string]any{"_links": rep.links}
	if rep.booked != nil {
		body["booked"] = c.cardRows(rep, rep.booked, true)
	}
	if rep.pending != nil {
		body["pending"] = c.cardRows(rep, rep.pending, false)
	}
	return response{http.StatusOK, nil, map[string]any{
		"cardAccount": referenceTo(rep.account), "debitAccounting": c.DebitPositive, "cardTransactions": body}}, nil
}

func (c *call) cardRows(rep report, rows []persona.Transaction, booked bool) []cardTransaction {
	month := c.today().Time().Format("2006-01")
	list := make([]cardTransaction, len(rows))
	for i, r := range rows {
		invoiced := booked && r.Day.Time().Format("2006-01") < month
		t := cardTransaction{
			ID: r.ID, Date: r.Day.String(), MCC: r.MCC, MaskedPAN: rep.account.MaskedPAN, Invoiced: &invoiced,
			Amount: amount{r.Currency, persona.Amount(c.sign(rep.account) * r.Minor)}, Exchange: exchangeOf(r), Details: r.Text[0],
		}
		if r.Counterparty != "" {
			t.Details = r.Counterparty + " " + r.Text[0]
			t.Acceptor = &address{Country: "SE"}
		}
		if r.Exchange != nil {
			t.Original = &amount{r.Exchange.Currency, persona.Amount(c.sign(rep.account) * r.Exchange.Minor)}
			t.Acceptor = &address{Town: "Berlin", Country: "DE"}
		}
		if booked {
			t.BookingDate, t.ValueDate = r.Day.String(), r.Day.String()
		}
		list[i] = t
	}
	return list
}
