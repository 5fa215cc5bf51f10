package listing

import (
	"strings"

	"samla/internal/fact"
	"samla/internal/ident"
)

// A handle is one way to name an account. Two names that have a handle in common name
// the same account.

// handles returns the handles of what a list says of an account, without its masked
// number, which names it only together with what else is known.
func handles(a fact.Account) []string {
	all := []string{}
	add := func(kind, value string) {
		if value != "" {
			all = append(all, kind+"/"+value)
		}
	}
	add("iban", compact(a.IBAN))
	add("bban", compact(a.BBAN))
	add("msisdn", phone(a.MSISDN))
	add("other", compact(a.Other))
	return append(append(all, numbers(a.IBAN)...), numbers(a.BBAN)...)
}

// handlesOf returns the handles that an id in a consent or a filter can have. It does
// not say what kind of id it is.
func handlesOf(id string) []string {
	c := compact(id)
	if c == "" {
		return nil
	}
	all := []string{"id/" + c, "iban/" + c, "bban/" + c, "other/" + c}
	if p := phone(id); p != "" {
		all = append(all, "msisdn/"+p)
	}
	return append(all, numbers(id)...)
}

// numbers returns handles of a Swedish account that its IBAN and its clearing and
// account number have in common. An IBAN has the bank's id, and after zeros the number
// of the account; before that number it has the clearing number, but not at all banks
// (docs/reference/banks.md 14.2).
func numbers(s string) []string {
	if s == "" {
		return nil
	}
	c := compact(s)
	if country, rest, is := cutIBAN(c); is {
		if country != "SE" {
			return []string{"bban/" + rest}
		}
		c = rest
	}
	if digitsOf(c) != c {
		return nil
	}
	const bban = 20
	if len(c) == bban {
		bank, account := c[:3], strings.TrimLeft(c[3:], "0")
		return []string{"bban/" + c, "number/" + account, "number/" + bank + "/" + account}
	}
	n, _, err := ident.ParseAccountNumber(c)
	if err != nil {
		return nil
	}
	clearing, account := n.Clearing()[:4], n.Account()
	all := []string{"number/" + strings.TrimLeft(c, "0"), "number/" + clearing + account}
	const longest = 10
	if len(account) < longest {
		all = append(all, "number/"+clearing+strings.Repeat("0", longest-len(account))+account)
	}
	for _, bank := range ident.IBANBanks(n) {
		all = append(all, "number/"+bank+"/"+strings.TrimLeft(account, "0"))
	}
	return all
}

// cutIBAN splits an IBAN into its country and its national number.
func cutIBAN(s string) (country, rest string, is bool) {
	if !ident.HasIBANForm(s) {
		return "", "", false
	}
	return s[:2], s[4:], true
}

// compact returns an account number without the characters that only separate its
// digits, in upper case.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == ' ', r == '-', r == '.', r == ',', r == '\t', r == '\u00a0', r == '\u202f':
			return -1
		}
		return r
	}, s)
}

var phoneSeparators = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "")

// phone returns a phone number as digits with the country code, or "".
func phone(s string) string {
	if s == "" {
		return ""
	}
	s = phoneSeparators.Replace(s)
	digits := strings.TrimPrefix(strings.TrimPrefix(s, "+"), "00")
	if digits == "" || digitsOf(digits) != digits {
		return ""
	}
	return digits
}
