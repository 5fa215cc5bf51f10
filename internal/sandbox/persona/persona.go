// Package persona owns the customers of the sandbox banks: who they are, which
// accounts they hold and what happened on them. It hands them to package aspsp,
// which puts them on the wire.
//
// Everything follows from the personal number, the account and the date, so
// that the same question has the same answer in every process. Amounts are
// whole minor units (öre, cent); nothing here is floating point.
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

// Default is the person whom a bank expects when it is not told who signs.
const Default = "198412099296"

// Person is a customer.
type Person struct {
	Number   string // 12 digits
	Given    string
	Surname  string
	Shows    string // one sentence for the documentation
	Accounts []Account
	// Status is the HTTP status that every account read of this person ends
	// with, 0 when reads work.
	Status int
}

// Name is the given name and the surname.
func (p Person) Name() string { return p.Given + " " + p.Surname }

// Account returns the person's account of this id.
func (p Person) Account(id string) (Account, bool) {
	for _, a := range p.Accounts {
		if a.ID == id {
			return a, true
		}
	}
	return Account{}, false
}

// Account is one account or card of a person at one bank. Optional members are
// empty when the bank does not tell them.
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

	// TransactionsStatus is the HTTP status that reading its transactions ends
	// with, 0 when that works.
	TransactionsStatus int

	recipe  *recipe
	pockets []pocket
	cached  bool
}

// pocket is one currency of an account.
type pocket struct {
	currency string
	opening  int64
	recipe   *recipe
}

// Book is the customers of one bank. It is safe for concurrent use.
type Book struct {
	bank    string // three digits, the bank id in the IBAN
	mu      sync.RWMutex
	people  map[string]Person
	ledgers map[string]datedLedger
}

type datedLedger struct {
	day    Day
	ledger *Ledger
}

// NewBook opens the book of the bank with this id (three digits, docs/reference/banks.md
// 14.2). The same person has other accounts at another bank.
func NewBook(bankID string) *Book {
	b := &Book{bank: bankID, people: map[string]Person{}, ledgers: map[string]datedLedger{}}
	for _, e := range roster {
		b.people[e.number] = b.person(e)
	}
	return b
}

// Valid tells whether number is a 12-digit personal or coordination number
// whose check digit holds.
func Valid(number string) bool {
	_, err := ident.ParsePersonalNumber12(number)
	return err == nil
}

// Person returns the customer with this number. A valid number outside the
// roster is a customer with one small account; a number that is not valid is
// nobody.
func (b *Book) Person(number string) (Person, bool) {
	if p, ok := b.people[number]; ok {
		return p, true
	}
	if !Valid(number) {
		return Person{}, false
	}
	return b.person(entry{number: number, given: "Kund", surname: number[:4], accounts: lightAccounts, uncached: true}), true
}

// Roster lists the persons with a story, in the order of the documentation.
func Roster() []Person {
	out := make([]Person, len(roster))
	b := &Book{bank: "500"}
	for i, e := range roster {
		out[i] = b.person(e)
	}
	return out
}

func (b *Book) person(e entry) Person {
	p := Person{Number: e.number, Given: e.given, Surname: e.surname, Shows: e.shows, Status: e.status}
	for _, t := range e.accounts {
		holder, owners := e.number, []string{p.Name()}
		if t.sharedBy != nil {
			holder, owners = t.sharedBy[0], nil
			for _, number := range t.sharedBy {
				owners = append(owners, nameOf(number))
			}
		}
		p.Accounts = append(p.Accounts, b.account(t, holder, owners, !e.uncached))
	}
	return p
}

func (b *Book) account(t accountEntry, holder string, owners []string, cached bool) Account {
	sum := sha256.Sum256([]byte(b.bank + "/" + holder + "/" + t.key))
	id := hex.EncodeToString(sum[:16])
	a := Account{
		ID:       fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:]),
		Currency: t.currency, Name: t.name, Product: t.product, Type: t.kind, Status: t.status, Owners: owners,
		Card: t.card, CreditLimit: t.limit, TransactionsStatus: t.fault, cached: cached,
		recipe: t.recipe, pockets: t.pockets,
	}
	if a.Currency == "" {
		a.Currency = "SEK"
	}
	if a.Status == "" {
		a.Status = "enabled"
	}
	if a.pockets == nil {
		a.pockets = []pocket{{currency: a.Currency, opening: t.opening, recipe: t.recipe}}
	}
	account := digits(sum[16:], 11)
	switch {
	case t.card:
		a.MaskedPAN = "54" + account[:2] + "00******" + account[7:]
	case t.bbanOnly:
		a.BBAN = b.bank + "0" + account
	default:
		a.IBAN = iban(b.bank, account)
		a.BBAN = a.IBAN[4:]
	}
	return a
}

func nameOf(number string) string {
	for _, e := range roster {
		if e.number == number {
			return e.given + " " + e.surname
		}
	}
	return ""
}

// digits makes n decimal digits of a hash; the first is not zero.
func digits(hash []byte, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + hash[i]%10
	}
	out[0] = '1' + hash[0]%9
	return string(out)
}

// iban makes a Swedish IBAN: check digits, bank id, account padded to 17.
func iban(bank, account string) string {
	bban := bank + fmt.Sprintf("%017s", account)
	rest := 0
	for _, c := range bban + "281400" { // "SE00" as digits, moved to the end
		rest = (rest*10 + int(c-'0')) % 97
	}
	return fmt.Sprintf("SE%02d%s", 98-rest, bban)
}

// Ledger returns what happened on the account up to the end of today. Accounts
// of the roster are worked out once a day; the small account of any other
// number is short enough to be worked out each time.
func (b *Book) Ledger(a Account, today Day) *Ledger {
	if !a.cached {
		return makeLedger(a, today)
	}
	b.mu.RLock()
	found, ok := b.ledgers[a.ID]
	b.mu.RUnlock()
	if ok && found.day == today {
		return found.ledger
	}
	l := makeLedger(a, today)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ledgers[a.ID] = datedLedger{today, l}
	return l
}

const (
	internalError = http.StatusInternalServerError
	unavailable   = http.StatusServiceUnavailable
)
