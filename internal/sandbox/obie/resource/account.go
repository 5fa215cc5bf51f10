package resource

import (
	"crypto/sha256"
	"strings"
	"unicode/utf8"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/persona"
)

// Account is an account of a person as the bank lists it: one for each currency.
type Account struct {
	persona.Account
	ID       string // AccountId, at most 40 characters
	Currency string
	Several  bool // the number is that of an account with several currencies
}

// Accounts returns the accounts of a person. ledger returns that of an account.
func Accounts(p persona.Person, ledger func(persona.Account) *persona.Ledger) []Account {
	var out []Account
	for _, a := range p.Accounts {
		if a.Currency != "XXX" {
			out = append(out, Account{Account: a, ID: a.ID, Currency: a.Currency})
			continue
		}
		for _, s := range ledger(a).SubAccounts {
			out = append(out, Account{Account: a, ID: a.ID + "-" + s.Currency, Currency: s.Currency, Several: true})
		}
	}
	return out
}

// Number is the number of the account as a page shows it.
func (a Account) Number() string {
	switch {
	case a.Card:
		return a.MaskedPAN
	case a.IBAN != "":
		return a.IBAN
	}
	return a.BBAN
}

type accountData struct {
	AccountID       string       `json:"AccountId"`
	Status          string       `json:"Status"`
	Currency        string       `json:"Currency"`
	AccountType     string       `json:"AccountType,omitempty"`     // 3.1.11
	AccountSubType  string       `json:"AccountSubType,omitempty"`  // 3.1.11
	AccountCategory string       `json:"AccountCategory,omitempty"` // 4.0
	AccountTypeCode string       `json:"AccountTypeCode,omitempty"` // 4.0
	Description     string       `json:"Description,omitempty"`
	Nickname        string       `json:"Nickname,omitempty"`
	Account         []identified `json:"Account,omitempty"`
	Servicer        *servicer    `json:"Servicer,omitempty"`
}

type identified struct {
	SchemeName     string `json:"SchemeName,omitempty"`
	Identification string `json:"Identification,omitempty"`
	Name           string `json:"Name,omitempty"`
	Secondary      string `json:"SecondaryIdentification,omitempty"`
}

type servicer struct {
	SchemeName     string `json:"SchemeName"`
	Identification string `json:"Identification"`
}

var accountStatus = map[string]string{"enabled": "Enabled", "blocked": "Disabled", "deleted": "Deleted"}

// Account renders an account: without ReadAccountsDetail it has no number and no servicer
// (docs/reference/families.md 4.4).
func (v Version) Account(a Account, c grant.Consent, bic string) any {
	kind := v.of(accountKind(a.Card, a.Type, a.Name))
	d := accountData{
		AccountID: a.ID, Status: accountStatus[a.Status], Currency: a.Currency, Nickname: a.Name, Description: shorten(a.Product, 35),
	}
	if v == V40 {
		d.AccountCategory, d.AccountTypeCode = "Personal", kind
	} else {
		d.AccountType, d.AccountSubType = "Personal", kind
	}
	if !c.Has(AccountsDetail) {
		return d
	}
	number := identified{SchemeName: "UK.OBIE.IBAN", Identification: a.IBAN, Name: strings.Join(a.Owners, " & ")}
	switch {
	case a.Card && c.Has(PAN):
		number.SchemeName, number.Identification = "UK.OBIE.PAN", fullPAN(a.Account)
	case a.Card:
		number.SchemeName, number.Identification = "UK.OBIE.PAN", a.MaskedPAN
	case a.IBAN == "":
		number.SchemeName, number.Identification = "UK.OBIE.BBAN", a.BBAN
	}
	if a.Several {
		number.Secondary = a.Currency
	}
	d.Account = []identified{number}
	d.Servicer = &servicer{"UK.OBIE.BICFI", bic}
	return d
}

func shorten(s string, most int) string {
	if utf8.RuneCountInString(s) > most {
		return string([]rune(s)[:most])
	}
	return s
}

// fullPAN replaces the masked digits of a card by invented ones, the last of them such
// that the number is valid (ISO/IEC 7812-1, Luhn).
func fullPAN(a persona.Account) string {
	sum := sha256.Sum256([]byte("pan/" + a.ID))
	next := 0
	digits := []byte(strings.Map(func(r rune) rune {
		if r != '*' {
			return r
		}
		next++
		return rune('0' + sum[next]%10)
	}, a.MaskedPAN))
	last := strings.LastIndexByte(a.MaskedPAN, '*')
	for d := byte('0'); d <= '9' && last >= 0; d++ {
		if digits[last] = d; luhn(digits) {
			break
		}
	}
	return string(digits)
}

func luhn(digits []byte) bool {
	sum := 0
	for i, c := range digits {
		n := int(c - '0')
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

type partyData struct {
	PartyID     string `json:"PartyId"`
	PartyNumber string `json:"PartyNumber,omitempty"`
	PartyType   string `json:"PartyType"`
	Name        string `json:"Name"`
}

// Party renders a person. numbered: the bank tells the personal number.
func Party(p persona.Person, id string, joint, numbered bool) any {
	d := partyData{PartyID: id, PartyType: "Sole", Name: p.Name()}
	if joint {
		d.PartyType = "Joint"
	}
	if numbered {
		d.PartyNumber = p.Number
	}
	return d
}
