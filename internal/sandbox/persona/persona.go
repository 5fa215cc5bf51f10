// Package persona defines the customers of the sandbox banks: their names, accounts
// and transactions. Package aspsp returns them over HTTP.
//
// All data is computed from the personal number, the account and the date, so that
// the same request has the same result in every process. Amounts are integers in
// minor units (öre, cent), never floating point.
//
// All personal numbers are Skatteverket's test numbers (docs/reference/banks.md 14.1).
package persona

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"

	"samla/internal/ident"
)

// Default is the person whom a bank expects to sign if the request does not name one.
const Default = "198412099296"

// Person is a customer.
type Person struct {
	Number      string // 12 digits
	GivenName   string
	Surname     string
	Description string // one sentence for the documentation
	Accounts    []Account
	// Status is the HTTP status of every account read of this person; 0 if reads
	// succeed.
	Status int
}

// Name returns the given name and the surname.
func (p Person) Name() string { return p.GivenName + " " + p.Surname }

// Account returns the account with this id, and reports whether there is one.
func (p Person) Account(id string) (Account, bool) {
	for _, a := range p.Accounts {
		if a.ID == id {
			return a, true
		}
	}
	return Account{}, false
}

// Account is one account or card of a person at one bank. A field is empty if the
// bank does not return it.
type Account struct {
	ID          string // resourceId
	Card        bool
	IBAN        string // valid by mod 97; empty for cards and BBAN-only accounts
	BBAN        string
	MaskedPAN   string // cards only
	Currency    string // "XXX" for a multi-currency account
	Name        string
	Product     string
	Type        string // cashAccountType, may be empty
	Status      string // enabled, blocked, deleted
	Owners      []string
	CreditLimit int64 // minor units

	// TransactionsStatus is the HTTP status of reads of its transactions; 0 if they
	// succeed.
	TransactionsStatus int

	rules       *ruleSet
	subAccounts []subAccount
	cached      bool
}

// subAccount is one currency of an account.
type subAccount struct {
	currency string
	opening  int64
	rules    *ruleSet
}

// Customers is the customers of one bank. It is safe for concurrent use.
type Customers struct {
	bank    string // three digits, the bank id in the IBAN
	mu      sync.RWMutex
	persons map[string]Person
	ledgers map[string]datedLedger
}

type datedLedger struct {
	day    Day
	ledger *Ledger
}

// NewCustomers returns the customers of the bank with this id (three digits,
// docs/reference/banks.md 14.2). The same person has different accounts at each bank.
func NewCustomers(bankID string) *Customers {
	c := &Customers{bank: bankID, persons: map[string]Person{}, ledgers: map[string]datedLedger{}}
	for _, e := range personas {
		c.persons[e.number] = c.person(e)
	}
	return c
}

// Valid reports whether number is a 12-digit personal or coordination number with a
// matching check digit.
func Valid(number string) bool {
	_, err := ident.ParsePersonalNumber12(number)
	return err == nil
}

// Person returns the customer with this number. Any valid number that is not one of
// the personas is a customer with one small account. For an invalid number it
// reports false.
func (c *Customers) Person(number string) (Person, bool) {
	if p, ok := c.persons[number]; ok {
		return p, true
	}
	if !Valid(number) {
		return Person{}, false
	}
	return c.person(personaSpec{number: number, givenName: "Kund", surname: number[:4], accounts: smallAccounts, uncached: true}), true
}

// All returns the personas in the order of docs/sandbox.md.
func All() []Person {
	out := make([]Person, len(personas))
	c := &Customers{bank: "500"}
	for i, e := range personas {
		out[i] = c.person(e)
	}
	return out
}

func (c *Customers) person(e personaSpec) Person {
	p := Person{Number: e.number, GivenName: e.givenName, Surname: e.surname, Description: e.description, Status: e.status}
	for _, t := range e.accounts {
		holder, owners := e.number, []string{p.Name()}
		if t.sharedBy != nil {
			holder, owners = t.sharedBy[0], nil
			for _, number := range t.sharedBy {
				owners = append(owners, nameOf(number))
			}
		}
		p.Accounts = append(p.Accounts, c.account(t, holder, owners, !e.uncached))
	}
	return p
}

func (c *Customers) account(t accountSpec, holder string, owners []string, cached bool) Account {
	sum := sha256.Sum256([]byte(c.bank + "/" + holder + "/" + t.key))
	id := hex.EncodeToString(sum[:16])
	a := Account{
		ID:       fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:]),
		Currency: t.currency, Name: t.name, Product: t.product, Type: t.kind, Status: t.status, Owners: owners,
		Card: t.card, CreditLimit: t.limit, TransactionsStatus: t.fault, cached: cached,
		rules: t.rules, subAccounts: t.subAccounts,
	}
	if a.Currency == "" {
		a.Currency = "SEK"
	}
	if a.Status == "" {
		a.Status = "enabled"
	}
	if a.subAccounts == nil {
		a.subAccounts = []subAccount{{currency: a.Currency, opening: t.opening, rules: t.rules}}
	}
	account := digits(sum[16:], 11)
	switch {
	case t.card:
		a.MaskedPAN = "54" + account[:2] + "00******" + account[7:]
	case t.bbanOnly:
		a.BBAN = c.bank + "0" + account
	default:
		a.IBAN = iban(c.bank, account)
		a.BBAN = a.IBAN[4:]
	}
	return a
}

func nameOf(number string) string {
	for _, e := range personas {
		if e.number == number {
			return e.givenName + " " + e.surname
		}
	}
	return ""
}

// digits converts a hash to n decimal digits; the first is not zero.
func digits(hash []byte, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + hash[i]%10
	}
	out[0] = '1' + hash[0]%9
	return string(out)
}

// iban returns a Swedish IBAN: check digits, bank id, account padded to 17 digits.
func iban(bank, account string) string {
	bban := bank + fmt.Sprintf("%017s", account)
	rest := 0
	for _, c := range bban + "281400" { // "SE00" as digits, moved to the end
		rest = (rest*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("SE%02d%s", 98-rest, bban)
}

// Currencies returns the currencies of the account, in the order of the SubAccounts of its
// ledger. They are known without it.
func (a Account) Currencies() []string {
	list := make([]string, len(a.subAccounts))
	for i, p := range a.subAccounts {
		list[i] = p.currency
	}
	return list
}

// Ledger returns the transactions and balances of the account up to the end of today.
// The ledgers of personas are computed once per day and cached; the small account of
// any other number is computed each time.
func (c *Customers) Ledger(a Account, today Day) *Ledger {
	if !a.cached {
		return makeLedger(a, today)
	}
	c.mu.RLock()
	found, ok := c.ledgers[a.ID]
	c.mu.RUnlock()
	if ok && found.day == today {
		return found.ledger
	}
	l := makeLedger(a, today)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledgers[a.ID] = datedLedger{today, l}
	return l
}

const (
	internalError = http.StatusInternalServerError
	unavailable   = http.StatusServiceUnavailable
)
