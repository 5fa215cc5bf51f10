package enablebanking

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/sandbox/persona"
)

type party struct {
	Name string `json:"name"`
}

type transactionCode struct {
	Description string `json:"description,omitempty"`
	Code        string `json:"code,omitempty"`
	SubCode     string `json:"sub_code,omitempty"`
}

type exchangeRate struct {
	UnitCurrency string `json:"unit_currency"`
	Rate         string `json:"exchange_rate"`
	Instructed   amount `json:"instructed_amount"`
}

type transaction struct {
	Reference   string           `json:"entry_reference,omitempty"`
	MCC         string           `json:"merchant_category_code,omitempty"`
	Amount      amount           `json:"transaction_amount"`
	Creditor    *party           `json:"creditor,omitempty"`
	Debtor      *party           `json:"debtor,omitempty"`
	Code        *transactionCode `json:"bank_transaction_code,omitempty"`
	Indicator   string           `json:"credit_debit_indicator"`
	Status      string           `json:"status"`
	BookingDate string           `json:"booking_date,omitempty"`
	ValueDate   string           `json:"value_date,omitempty"`
	Date        string           `json:"transaction_date,omitempty"`
	After       *amount          `json:"balance_after_transaction,omitempty"`
	Remittance  []string         `json:"remittance_information,omitempty"`
	Rate        *exchangeRate    `json:"exchange_rate,omitempty"`
	ID          string           `json:"transaction_id,omitempty"`
}

// freshTime is how long after the login a bank with lateDays goes back further.
const freshTime = time.Hour

// usualDays is the period without dates.
const usualDays = 90

// window is what a report covers. The continuation key holds it.
type window struct {
	Session string      `json:"s"`
	Account string      `json:"a"`
	Query   string      `json:"q"` // of the first page: the others must repeat it
	From    persona.Day `json:"f"`
	To      persona.Day `json:"t"`
	Page    int         `json:"p"`
}

func (c *call) listTransactions() (any, *apiError) {
	q := c.r.URL.Query()
	key := q.Get("continuation_key")
	q.Del("continuation_key")
	status := q.Get("transaction_status")
	if status != "" && !slices.Contains([]string{"BOOK", "CNCL", "HOLD", "OTHR", "PDNG", "RJCT", "SCHD"}, status) {
		return nil, wrong("transaction_status is unknown")
	}
	rd, f := c.reader("transactions", key != "")
	if f != nil {
		return nil, f
	}
	w := window{Session: rd.login.Session, Account: rd.key, Query: q.Encode()}
	if key == "" {
		w.From, w.To, f = c.period(rd)
	} else {
		w, f = c.openKey(key, w)
	}
	if f != nil {
		return nil, f
	}
	rows := c.rows(rd, w, status)
	slice := w.Page
	if rd.bank.emptyPage && slice > 0 {
		slice-- // the second page is empty
	}
	start := min(slice*rd.bank.pageSize, len(rows))
	end := min(start+rd.bank.pageSize, len(rows))
	more := end < len(rows)
	rows = rows[start:end]
	if rd.bank.emptyPage && w.Page == 1 {
		rows, more = rows[:0], true
	}
	out := map[string]any{"transactions": rows}
	if more {
		w.Page++
		out["continuation_key"] = c.newKey(w)
	}
	return out, nil
}

// period returns the days that the query asks for.
func (c *call) period(rd reading) (from, to persona.Day, f *apiError) {
	q := c.r.URL.Query()
	today := c.today()
	strategy := q.Get("strategy")
	if strategy != "" && strategy != "default" && strategy != "longest" {
		return 0, 0, wrong("strategy is unknown")
	}
	if q.Has("date_to") && !q.Has("date_from") {
		return 0, 0, refuse(http.StatusUnprocessableEntity, "DATE_TO_WITHOUT_DATE_FROM", "")
	}
	from, to = today-usualDays, today
	for name, into := range map[string]*persona.Day{"date_from": &from, "date_to": &to} {
		if !q.Has(name) {
			continue
		}
		t, err := time.Parse(time.DateOnly, q.Get(name))
		if err != nil {
			return 0, 0, wrong("a date is YYYY-MM-DD")
		}
		*into = persona.DayAt(t)
	}
	if from > today {
		return 0, 0, refuse(http.StatusUnprocessableEntity, "DATE_FROM_IN_FUTURE", "")
	}
	if from > to {
		return 0, 0, refuse(http.StatusUnprocessableEntity, "WRONG_DATE_INTERVAL", "")
	}
	days := rd.bank.historyDays
	if fresh := c.Clock.Now().Sub(rd.login.Authorized) < freshTime; rd.bank.lateDays > 0 && (!fresh || !rd.attended) {
		days = rd.bank.lateDays
	}
	first := today - persona.Day(days)
	if strategy == "longest" {
		if !q.Has("date_from") {
			from = first
		}
		return max(from, first), today, nil
	}
	if from < first {
		if rd.bank.lateDays > 0 { // the bank itself refuses
			return 0, 0, bankFailed()
		}
		return 0, 0, refuse(http.StatusUnprocessableEntity, "WRONG_TRANSACTIONS_PERIOD", "")
	}
	return from, min(to, today), nil
}

// rows returns the rows of a window, newest first, pending ones before all others.
func (c *call) rows(rd reading, w window, status string) []transaction {
	ledger := rd.bank.customers.Ledger(rd.Account, c.today())
	rows := []transaction{}
	add := func(list []persona.Transaction, booked bool) {
		for i := len(list) - 1; i >= 0; i-- {
			t := list[i]
			if t.Currency == rd.currency && t.Day >= w.From && t.Day <= w.To {
				rows = append(rows, c.transaction(rd, t, booked))
			}
		}
	}
	if status == "" || status == "PDNG" {
		add(ledger.Pending, false)
	}
	if status == "" || status == "BOOK" {
		add(ledger.Booked, true)
	}
	return rows
}

func (c *call) transaction(rd reading, r persona.Transaction, booked bool) transaction {
	t := transaction{
		Reference: r.EntryReference, MCC: r.MCC, Remittance: r.Text, Indicator: "CRDT", Status: "PDNG", Date: r.Day.String(),
		Amount: amount{r.Currency, persona.Amount(max(r.Minor, -r.Minor))},
	}
	who := &t.Debtor
	if r.Minor < 0 {
		t.Indicator, who = "DBIT", &t.Creditor
		if rd.bank.signed {
			t.Amount.Amount = persona.Amount(r.Minor)
		}
	}
	if r.Counterparty != "" {
		*who = &party{r.Counterparty}
	}
	if parts := strings.Split(r.Code, "-"); len(parts) == 3 {
		t.Code = &transactionCode{r.Text[0], parts[1], parts[2]}
	}
	if x := r.Exchange; x != nil {
		t.Rate = &exchangeRate{x.Currency, x.Rate, amount{x.Currency, persona.Amount(max(x.Minor, -x.Minor))}}
	}
	if !booked {
		return t
	}
	t.Status, t.BookingDate, t.ValueDate = "BOOK", r.Day.String(), r.Day.String()
	if rd.login.Access.Balances {
		t.After = &amount{r.Currency, persona.Amount(r.BalanceAfter)}
	}
	if !rd.bank.noDetails {
		t.ID = c.transactionToken(rd, r)
	}
	return t
}

// transactionToken returns a transaction_id: another one each time.
func (c *call) transactionToken(rd reading, r persona.Transaction) string {
	nonce, err := c.newID()
	if err != nil {
		return ""
	}
	return c.seal("transaction", map[string]string{"n": nonce, "s": rd.login.Session, "a": rd.key, "r": r.Key})
}

func (c *call) getTransaction() (any, *apiError) {
	rd, f := c.reader("transactions", true)
	if f != nil {
		return nil, f
	}
	var want map[string]string
	unknown := refuse(http.StatusUnprocessableEntity, "TRANSACTION_DOES_NOT_EXIST", "")
	if !c.unseal("transaction", c.transactionID, &want) || want["s"] != rd.login.Session || want["a"] != rd.key {
		return nil, unknown
	}
	for _, r := range rd.bank.customers.Ledger(rd.Account, c.today()).Booked {
		if r.Key == want["r"] && r.Currency == rd.currency {
			return c.transaction(rd, r, true), nil
		}
	}
	return nil, unknown
}

func (c *call) newKey(w window) string { return c.seal("page", w) }

// openKey opens a continuation key. want is what it must be for.
func (c *call) openKey(key string, want window) (window, *apiError) {
	var w window
	if !c.unseal("page", key, &w) || w.Session != want.Session || w.Account != want.Account || w.Query != want.Query {
		return w, refuse(http.StatusUnprocessableEntity, "WRONG_CONTINUATION_KEY", "")
	}
	return w, nil
}

// seal returns v as a text that only unseal of the same use opens.
func (g *Gateway) seal(use string, v any) string {
	text, _ := json.Marshal(v) // texts and numbers: it cannot fail
	return base64.RawURLEncoding.EncodeToString(append(g.mac(use, string(text))[:16], text...))
}

func (g *Gateway) unseal(use, sealed string, v any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	return err == nil && len(raw) > 16 && hmac.Equal(raw[:16], g.mac(use, string(raw[16:]))[:16]) && json.Unmarshal(raw[16:], v) == nil
}
