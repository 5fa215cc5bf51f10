package enablebanking

import (
	"net/http"
	"slices"
	"strings"

	"samla/internal/sandbox/persona"
)

// pocket is an account as the gateway shows it: one currency of an account of the bank.
// The pockets of an account share its number.
type pocket struct {
	persona.Account
	key      string // stable at the bank
	currency string
	sums     persona.SubAccount
}

// usable reports whether the account has a uid: one that is blocked at the bank has none.
func (p pocket) usable() bool { return p.Status == "enabled" }

type genericIdentification struct {
	Identification string `json:"identification"`
	Scheme         string `json:"scheme_name"`
	Issuer         string `json:"issuer,omitempty"`
}

type accountIdentification struct {
	IBAN  string                 `json:"iban,omitempty"`
	Other *genericIdentification `json:"other,omitempty"`
}

type amount struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
}

type institution struct {
	BIC  string `json:"bic_fi,omitempty"`
	Name string `json:"name,omitempty"`
}

type accountResource struct {
	AccountID   *accountIdentification  `json:"account_id,omitempty"`
	AllIDs      []genericIdentification `json:"all_account_ids,omitempty"`
	Servicer    *institution            `json:"account_servicer,omitempty"`
	Name        string                  `json:"name,omitempty"`    // of the holders
	Details     string                  `json:"details,omitempty"` // what the person calls it
	Usage       string                  `json:"usage,omitempty"`
	Type        string                  `json:"cash_account_type"`
	Product     string                  `json:"product,omitempty"`
	Currency    string                  `json:"currency"`
	PSUStatus   string                  `json:"psu_status,omitempty"`
	CreditLimit *amount                 `json:"credit_limit,omitempty"`
	UID         string                  `json:"uid,omitempty"`
	Hash        string                  `json:"identification_hash"`
	Hashes      []string                `json:"identification_hashes"`
}

// accountsAt returns all accounts of a person at a bank that the gateway can reach.
func (g *Gateway) accountsAt(b *bank, number string) []pocket {
	person, ok := b.customers.Person(number)
	if !ok {
		return nil
	}
	var list []pocket
	for _, a := range person.Accounts {
		if a.Status == "deleted" {
			continue
		}
		for _, s := range b.customers.Ledger(a, g.today()).SubAccounts {
			p := pocket{a, a.ID, s.Currency, s}
			if a.Currency == "XXX" {
				p.key += "/" + s.Currency
			}
			list = append(list, p)
		}
	}
	return list
}

// accountsOf returns the accounts of a login: those that the person shares, and that the
// application asked for if it named any.
func (g *Gateway) accountsOf(b *bank, l *login) []pocket {
	if l.Person == "" {
		return nil
	}
	return slices.DeleteFunc(g.accountsAt(b, l.Person), func(p pocket) bool {
		if !slices.Contains(l.Shared, p.key) {
			return true
		}
		return len(l.Access.Accounts) > 0 && !slices.ContainsFunc(l.Access.Accounts, func(a accountIdentification) bool {
			return a.IBAN != "" && a.IBAN == p.IBAN || a.Other != nil && (a.Other.Identification == p.BBAN || a.Other.Identification == p.MaskedPAN)
		})
	})
}

// identification returns the number of an account, and all its numbers.
func identification(p pocket) (*accountIdentification, []genericIdentification) {
	switch {
	case p.Card:
		id := genericIdentification{Identification: p.MaskedPAN, Scheme: "CPAN"}
		return &accountIdentification{Other: &id}, []genericIdentification{id}
	case p.IBAN == "":
		id := genericIdentification{Identification: p.BBAN, Scheme: "BBAN", Issuer: "SE"}
		return &accountIdentification{Other: &id}, []genericIdentification{id}
	}
	return &accountIdentification{IBAN: p.IBAN}, []genericIdentification{{p.IBAN, "IBAN", ""}, {p.BBAN, "BBAN", "SE"}}
}

// hashes returns the primary hash of an account and all its hashes. The primary one is
// the same in each session, whoever signs; the others are hashes of its numbers, which
// several accounts can share.
func (g *Gateway) hashes(p pocket) (string, []string) {
	_, all := identification(p)
	primary := g.hash("account", p.key)
	list := []string{primary}
	for _, id := range all {
		list = append(list, g.hash("number", id.Scheme, id.Identification))
	}
	return primary, list
}

var accountTypes = map[string]string{
	"CACC": "CACC", "SLRY": "CACC", "ODFT": "CACC", "SVGS": "SVGS", "LLSV": "SVGS", "MOMA": "SVGS", "LOAN": "LOAN", "CARD": "CARD",
}

func (g *Gateway) resource(b *bank, p pocket, uid string) accountResource {
	id, all := identification(p)
	hash, hashes := g.hashes(p)
	r := accountResource{
		AccountID: id, AllIDs: all, Servicer: &institution{b.BIC, b.Name}, Name: strings.Join(p.Owners, ", "), Details: p.Account.Name,
		Usage: "PRIV", Type: accountTypes[p.Type], Product: p.Product, Currency: p.currency, UID: uid, Hash: hash, Hashes: hashes,
	}
	if r.Type == "" {
		r.Type = "OTHR"
	}
	if p.CreditLimit != 0 {
		r.CreditLimit = &amount{p.currency, persona.Amount(p.CreditLimit)}
	}
	if len(p.Owners) > 1 {
		r.PSUStatus = "Co-account Holder"
	}
	if b.noCurrency {
		r.Currency, r.CreditLimit = "XXX", nil
	}
	return r
}

// reading is an account of an authorized session, while a request is served.
type reading struct {
	bank  *bank
	login *login
	pocket
	attended bool
}

// reader finds the account of the path, and applies the rules of all reads. kind is what
// is read. more says that the read goes on with a page, which is not counted.
func (c *call) reader(kind string, more bool) (reading, *apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.current(c.accounts[c.account])
	if l == nil {
		return reading{}, refuse(http.StatusNotFound, "ACCOUNT_DOES_NOT_EXIST", "")
	}
	if f := ended(l); f != nil {
		return reading{}, f
	}
	rd := reading{bank: c.find(l.Bank), login: l}
	var f *apiError
	if rd.attended, f = checkPSU(c.r.Header, rd.bank.RequiredHeaders); f != nil {
		return reading{}, f
	}
	if kind == "balances" && !l.Access.Balances || kind == "transactions" && !l.Access.Transactions {
		return reading{}, refuse(http.StatusForbidden, "ACCESS_DENIED", "")
	}
	all := c.accountsOf(rd.bank, l)
	i := slices.IndexFunc(all, func(p pocket) bool { return l.UIDs[p.key] == c.account })
	if i < 0 {
		return reading{}, refuse(http.StatusBadRequest, "ASPSP_ACCOUNT_NOT_ACCESSIBLE", "")
	}
	rd.pocket = all[i]
	if person, _ := rd.bank.customers.Person(l.Person); person.Status != 0 {
		return reading{}, bankFailed()
	}
	if kind == "transactions" && rd.TransactionsStatus != 0 {
		if rd.TransactionsStatus == http.StatusServiceUnavailable {
			return reading{}, bankTimedOut()
		}
		return reading{}, bankFailed()
	}
	if !rd.attended && !more && !c.countRead(rd.key+"/"+l.Session+"/"+kind) {
		return reading{}, bankLimits()
	}
	return rd, nil
}

func (c *call) getDetails() (any, *apiError) {
	rd, f := c.reader("details", false)
	if f != nil {
		return nil, f
	}
	return c.resource(rd.bank, rd.pocket, c.account), nil
}

type balanceResource struct {
	Name   string `json:"name"`
	Amount amount `json:"balance_amount"`
	Type   string `json:"balance_type"`
	Day    string `json:"reference_date,omitempty"`
}

func (c *call) getBalances() (any, *apiError) {
	rd, f := c.reader("balances", false)
	if f != nil {
		return nil, f
	}
	of := func(minor int64) amount { return amount{rd.currency, persona.Amount(minor)} }
	today := c.today().String()
	list := []balanceResource{
		{"Booked balance", of(rd.sums.Booked), "ITBD", today},
		{"Expected balance", of(rd.sums.Expected), "XPCD", today},
		{"Closing balance", of(rd.sums.Yesterday), "CLBD", (c.today() - 1).String()},
	}
	if rd.Type != "LOAN" {
		list = append(list, balanceResource{"Available balance", of(rd.sums.Expected + rd.CreditLimit), "ITAV", today})
	}
	return map[string]any{"balances": list}, nil
}

// today is the gateway's date, UTC.
func (g *Gateway) today() persona.Day { return persona.DayAt(g.Clock.Now()) }
