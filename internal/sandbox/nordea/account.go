package nordea

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"samla/internal/sandbox/persona"
)

// kind is account_type.
type kind string

const (
	current kind = "Current"
	savings kind = "Savings"
)

// account is an account of a person in one currency, in one of the four countries. The same
// persona has accounts in each: their numbers, ids and home currency differ.
type account struct {
	persona.Account
	country  string
	currency string // of the numbers that the bank shows
	ledger   string // currency of the persona's ledger
	digits   int    // decimals of the currency
	scale    int64  // what amounts are multiplied with
	kind     kind
	iban     string // empty: the account has none
	bban     string // empty: the country has none
	v4, v5   string
}

// number returns the number by which the person knows the account.
func (a account) number() string {
	if a.bban != "" {
		return a.bban
	}
	return a.iban
}

// isNamed reports whether a number in account_list means the account.
func (a account) isNamed(number string) bool {
	number = strings.ReplaceAll(number, " ", "")
	return number != "" && (number == a.iban || number == a.bban)
}

// country is what differs between the countries.
type country struct {
	bic, currency, bbanType string
}

var countries = map[string]country{
	"SE": {"NDEASESS", "SEK", "BBAN_SE"},
	"NO": {"NDEANOKK", "NOK", "BBAN_NO"},
	"DK": {"NDEADKKK", "DKK", "BBAN_DK"},
	"FI": {"NDEAFIHH", "EUR", ""},
}

// bigCustomer is the persona whose amounts are multiplied with bigFactor, so that clients
// meet numbers with more digits than they may expect.
const (
	bigCustomer = "196603233724"
	bigFactor   = 10_000_019
)

// noDecimals are currencies without a minor unit.
var noDecimals = []string{"JPY"}

// accounts returns the accounts of a person in a country: payment accounts only, so neither
// loans nor cards. An account with several currencies is one account for each.
func (b *Bank) accounts(person persona.Person, where string) []account {
	var list []account
	for _, p := range person.Accounts {
		if p.Card || p.Type == "LOAN" {
			continue
		}
		for _, sub := range b.customers.Ledger(p, b.today()).SubAccounts {
			list = append(list, newAccount(p, person.Number, where, sub.Currency, sub.Currency))
		}
		// Somebody with an account in several currencies has one in yen too, whose numbers
		// are those of the account in euro.
		if p.Currency == "XXX" {
			list = append(list, newAccount(p, person.Number, where, "EUR", "JPY"))
		}
	}
	return list
}

// newAccount returns the account of a persona's account with this ledger, shown in another
// currency.
func newAccount(p persona.Account, person, where, ledger, shown string) account {
	home := countries[where]
	if shown == "SEK" {
		shown = home.currency
	}
	a := account{Account: p, country: where, ledger: ledger, currency: shown, digits: 2, scale: 1, kind: current}
	if slices.Contains(noDecimals, shown) {
		a.digits = 0
	}
	if person == bigCustomer {
		a.scale = bigFactor
	}
	switch {
	case slices.Contains([]string{"SVGS", "LLSV", "MOMA"}, p.Type), p.Type == "" && strings.HasPrefix(p.Product, "Spar"):
		a.kind = savings
	}
	sum := sha256.Sum256([]byte(p.ID + "/" + where + "/" + ledger + "/" + shown))
	a.iban, a.bban = numbers(where, p, shown, sum[:])
	a.v4 = where + "-" + a.number() + "-" + shown
	a.v5 = hex.EncodeToString(sum[:])
	return a
}

// numbers returns the IBAN and the national number. Those of Sweden in the first currency
// are the persona's; all others are made up.
func numbers(where string, p persona.Account, currency string, seed []byte) (iban, bban string) {
	switch where {
	case "NO":
		bban = norwegian(decimals(seed, 10))
		return withCheck("NO", bban), bban
	case "DK":
		bban = "2000" + decimals(seed, 10)
		return withCheck("DK", bban), bban
	case "FI":
		return withCheck("FI", "1"+decimals(seed, 13)), ""
	}
	if p.IBAN == "" && p.BBAN == "" || currency != "SEK" {
		bban = "3" + decimals(seed, 10)
		return withCheck("SE", "300"+strings.Repeat("0", 6)+bban), bban
	}
	return p.IBAN, p.BBAN[len(p.BBAN)-11:]
}

// decimals returns n digits made of a seed, of which the first is not zero.
func decimals(seed []byte, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + seed[i]%10
	}
	out[0] = '1' + seed[0]%9
	return string(out)
}

// norwegian returns ten digits with their check digit (mod 11). Numbers whose check would be
// 10 do not exist: the last digit is changed.
func norwegian(ten string) string {
	for last := byte('0'); ; last++ {
		ten := ten[:9] + string('0'+(ten[9]-'0'+last-'0')%10)
		sum := 0
		for i, w := range []int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2} {
			sum += w * int(ten[i]-'0')
		}
		if check := (11 - sum%11) % 11; check < 10 {
			return ten + string(rune('0'+check))
		}
	}
}

// withCheck returns the IBAN of a national number (ISO 13616, mod 97-10).
func withCheck(where, bban string) string {
	rest := 0
	for _, r := range bban + fmt.Sprintf("%d%d00", where[0]-'A'+10, where[1]-'A'+10) {
		rest = (rest*10 + int(r-'0')) % 97
	}
	return fmt.Sprintf("%s%02d%s", where, 98-rest, bban)
}

// person returns the customer of a grant.
func (b *Bank) person(g Grant) persona.Person {
	p, _ := b.customers.Person(g.Person) // it was a customer when it was made
	return p
}

// granted returns the accounts of a grant.
func (b *Bank) granted(g Grant) []account {
	var list []account
	for _, a := range b.accounts(b.person(g), g.Country) {
		if slices.Contains(g.Accounts, a.v5) {
			list = append(list, a)
		}
	}
	return list
}

// share gives a grant the accounts of an account_list: numbers of accounts that the person
// owns, or a special value. The caller holds mu.
func (b *Bank) share(g *Grant, list []string) *apiError {
	person, _ := b.customers.Person(g.Person)
	g.Accounts, g.Cards = []string{}, []string{}
	own := b.accounts(person, g.Country)
	for _, number := range list {
		found := false
		for _, a := range own {
			all := (number == allAccounts || number == allWithCards) && covers(g.Agreement, a)
			if (all || a.isNamed(number) && covers(g.Agreement, a)) && !slices.Contains(g.Accounts, a.v5) {
				g.Accounts = append(g.Accounts, a.v5)
			}
			found = found || a.isNamed(number) && covers(g.Agreement, a)
		}
		if number == allWithCards {
			for _, card := range cardsOf(person) {
				g.Cards = append(g.Cards, card.id)
			}
		}
		if !found && number != allAccounts && number != allWithCards {
			return denied("The person has no such account.")
		}
	}
	return nil
}

// choose gives a grant the accounts and cards that the person has chosen on the page.
func (b *Bank) choose(g *Grant, chosen []string) {
	person, _ := b.customers.Person(g.Person)
	g.Accounts, g.Cards = []string{}, []string{}
	for _, a := range b.accounts(person, g.Country) {
		if slices.Contains(chosen, a.v5) && covers(g.Agreement, a) {
			g.Accounts = append(g.Accounts, a.v5)
		}
	}
	for _, card := range cardsOf(person) {
		if slices.Contains(chosen, card.id) {
			g.Cards = append(g.Cards, card.id)
		}
	}
}

// accountOwners returns an owner of each account and card of the personas, by every id.
func (b *Bank) accountOwners() map[string]string {
	owners := map[string]string{}
	for _, p := range persona.All() {
		p, _ := b.customers.Person(p.Number)
		for where := range countries {
			for _, a := range b.accounts(p, where) {
				owners[a.v4], owners[a.v5] = p.Number, p.Number
			}
		}
		for _, card := range cardsOf(p) {
			owners[card.id] = p.Number
		}
	}
	return owners
}
