package aspsp

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"samla/internal/sandbox/persona"
)

// accountDetails is accountDetails and cardAccountDetails of the standard.
type accountDetails struct {
	ResourceID  string          `json:"resourceId"`
	IBAN        string          `json:"iban,omitempty"`
	BBAN        string          `json:"bban,omitempty"`
	MaskedPAN   string          `json:"maskedPan,omitempty"`
	Currency    string          `json:"currency"`
	OwnerName   string          `json:"ownerName,omitempty"`
	OwnerNames  []owner         `json:"ownerNames,omitempty"`
	Name        string          `json:"name,omitempty"`
	Product     string          `json:"product,omitempty"`
	CashType    string          `json:"cashAccountType,omitempty"`
	Status      string          `json:"status,omitempty"`
	BIC         string          `json:"bic,omitempty"`
	Usage       string          `json:"usage,omitempty"`
	Debit       *bool           `json:"debitAccounting,omitempty"`
	CreditLimit *amount         `json:"creditLimit,omitempty"`
	Balances    []balance       `json:"balances,omitempty"`
	Links       map[string]link `json:"_links"`
}

type owner struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

type amount struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

type balance struct {
	Amount        amount `json:"balanceAmount"`
	Type          string `json:"balanceType"`
	LimitIncluded bool   `json:"creditLimitIncluded,omitempty"`
	Changed       string `json:"lastChangeDateTime,omitempty"`
	Date          string `json:"referenceDate,omitempty"`
	Last          string `json:"lastCommittedTransaction,omitempty"`
}

// sign is -1 if this bank reports card debits as positive numbers.
func (c *call) sign(a persona.Account) int64 {
	if a.Card && c.DebitPositive {
		return -1
	}
	return 1
}

func (c *call) details(a persona.Account, s Scope, withBalance bool) accountDetails {
	d := accountDetails{
		ResourceID: a.ID, IBAN: a.IBAN, MaskedPAN: a.MaskedPAN, Currency: a.Currency, Name: a.Name, Product: a.Product,
		Status: a.Status, Usage: "PRIV", Links: map[string]link{},
	}
	root := "accounts/"
	if c.cards {
		root = "card-accounts/"
		debit := c.DebitPositive
		d.Debit = &debit
		d.CreditLimit = &amount{a.Currency, persona.Amount(a.CreditLimit)}
	} else {
		d.CashType, d.BIC = a.Type, c.BIC
		if !a.Card {
			d.BBAN = a.BBAN
		}
	}
	if s.Owner {
		d.OwnerName = a.Owners[0]
		if len(a.Owners) > 1 && !c.cards {
			d.OwnerName = ""
			for _, name := range a.Owners {
				d.OwnerNames = append(d.OwnerNames, owner{name, "owner"})
			}
		}
	}
	if s.Balances {
		d.Links["balances"] = c.href(root + a.ID + "/balances")
	}
	if s.Transactions {
		d.Links["transactions"] = c.href(root + a.ID + "/transactions")
	}
	if withBalance && s.Balances {
		d.Balances = c.balances(a)
	}
	return d
}

// balances returns the booked balance of now and of yesterday, the available balance
// and the expected one, for each currency.
func (c *call) balances(a persona.Account) []balance {
	today := c.today()
	ledger := c.customers.Ledger(a, today)
	last := ""
	if n := len(ledger.Booked); n > 0 {
		last = ledger.Booked[n-1].EntryReference
	}
	out := []balance{}
	for _, p := range ledger.SubAccounts {
		of := func(minor int64) amount { return amount{p.Currency, persona.Amount(c.sign(a) * minor)} }
		if c.ExpectedOnly {
			out = append(out, balance{Amount: of(p.Expected), Type: "expected", Date: today.String()})
			continue
		}
		out = append(out,
			balance{Amount: of(p.Booked), Type: "interimBooked", Date: today.String(), Last: last,
				Changed: today.Time().Format(time.RFC3339)},
			balance{Amount: of(p.Yesterday), Type: "closingBooked", Date: (today - 1).String()},
			balance{Amount: amount{p.Currency, persona.Amount(p.Expected + a.CreditLimit)}, Type: "interimAvailable",
				LimitIncluded: a.CreditLimit > 0, Date: today.String()})
		if c.cards {
			out = append(out, balance{Amount: of(p.Expected - p.Booked), Type: "nonInvoiced"})
		} else {
			out = append(out, balance{Amount: of(p.Expected), Type: "expected", Date: today.String()})
		}
	}
	return out
}

// query parses the query. It fails if there is a parameter that is not allowed, or one
// that is repeated.
func (c *call) query(allowed ...string) (url.Values, *apiError) {
	values, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, formatError("the query is malformed")
	}
	known := map[string]bool{}
	for _, name := range allowed {
		known[name] = true
	}
	for name := range c.Query {
		known[name] = true
	}
	for name, v := range values {
		if !known[name] || len(v) != 1 {
			return nil, formatError("the query has an unknown or repeated parameter")
		}
	}
	return values, nil
}

// withBalance parses the parameter withBalance.
func (c *call) withBalance(values url.Values) (bool, *apiError) {
	if !values.Has("withBalance") {
		return false, nil
	}
	on, err := strconv.ParseBool(values.Get("withBalance"))
	if text := values.Get("withBalance"); err != nil || (text != "true" && text != "false") {
		return false, formatError("withBalance is true or false")
	}
	if on && !c.WithBalance {
		return false, newError(http.StatusBadRequest, "PARAMETER_NOT_SUPPORTED", "withBalance is not offered")
	}
	return on, nil
}

func (c *call) listAccounts() (response, *apiError) {
	list, f := c.accountList("accounts", "withBalance")
	return response{http.StatusOK, nil, map[string]any{"accounts": list}}, f
}

func (c *call) listCards() (response, *apiError) {
	list, f := c.accountList("card-accounts")
	return response{http.StatusOK, nil, map[string]any{"cardAccounts": list}}, f
}

func (c *call) accountList(endpoint string, parameters ...string) ([]accountDetails, *apiError) {
	values, f := c.query(parameters...)
	if f != nil {
		return nil, f
	}
	withBalance, f := c.withBalance(values)
	if f != nil {
		return nil, f
	}
	rd, f := c.reader()
	if f != nil {
		return nil, f
	}
	list := []accountDetails{}
	for _, a := range rd.person.Accounts {
		s := rd.Access.scope(a)
		if !s.Visible || !c.underPath(a) {
			continue
		}
		if withBalance && !s.Balances {
			return nil, consentInvalid("the consent does not cover balances")
		}
		list = append(list, c.details(a, s, withBalance))
	}
	return list, c.countRead(rd.Consent, endpoint)
}

func (c *call) getAccount() (response, *apiError) {
	d, f := c.accountDetails("withBalance")
	return response{http.StatusOK, nil, map[string]any{"account": d}}, f
}

func (c *call) getCard() (response, *apiError) {
	d, f := c.accountDetails()
	return response{http.StatusOK, nil, map[string]any{"cardAccount": d}}, f
}

func (c *call) accountDetails(parameters ...string) (accountDetails, *apiError) {
	values, f := c.query(parameters...)
	if f != nil {
		return accountDetails{}, f
	}
	withBalance, f := c.withBalance(values)
	if f != nil {
		return accountDetails{}, f
	}
	rd, f := c.reader()
	if f != nil {
		return accountDetails{}, f
	}
	a, s, f := c.coveredAccount(rd, func(s Scope) bool { return !withBalance || s.Balances })
	if f != nil {
		return accountDetails{}, f
	}
	return c.details(a, s, withBalance), c.countRead(rd.Consent, "details/"+a.ID)
}

func (c *call) getBalances() (response, *apiError) {
	a, list, f := c.accountBalances()
	return response{http.StatusOK, nil, map[string]any{"account": referenceTo(a), "balances": list}}, f
}

func (c *call) getCardBalances() (response, *apiError) {
	a, list, f := c.accountBalances()
	return response{http.StatusOK, nil, map[string]any{
		"cardAccount": referenceTo(a), "debitAccounting": c.DebitPositive, "balances": list}}, f
}

func (c *call) accountBalances() (persona.Account, []balance, *apiError) {
	rd, f := c.reader()
	if f != nil {
		return persona.Account{}, nil, f
	}
	a, _, f := c.coveredAccount(rd, func(s Scope) bool { return s.Balances })
	if f != nil {
		return a, nil, f
	}
	return a, c.balances(a), c.countRead(rd.Consent, "balances/"+a.ID)
}
