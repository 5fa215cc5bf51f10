package ident

import "strings"

// IBAN is an international bank account number (ISO 13616,
// docs/reference/banks.md 14.2). Values compare with ==. It prints as "[redacted]";
// Compact returns the real value. The zero value means no IBAN.
type IBAN struct{ masked }

// ibanLengths has the exact lengths of the Nordic countries, whose IBANs have digits
// only after the country. For other countries
// only the limits of the standard are checked.
var ibanLengths = map[string]int{"SE": 24, "NO": 15, "DK": 18, "FI": 18, "IS": 26}

const (
	minIBAN = 15
	maxIBAN = 34
)

// ParseIBAN parses an IBAN in electronic or printed form: it removes spaces and
// converts letters to upper case. Errors are ErrForm (characters or length) and
// ErrCheckDigit (modulus 97 of ISO 7064).
func ParseIBAN(s string) (IBAN, error) {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if !HasIBANForm(s) {
		return IBAN{}, ErrForm
	}
	if length, nordic := ibanLengths[s[:2]]; nordic && (len(s) != length || !allDigits(s[4:])) {
		return IBAN{}, ErrForm
	}
	if mod97(s) != 1 || s[2:4] < "02" || s[2:4] > "98" {
		return IBAN{}, ErrCheckDigit
	}
	return IBAN{mask(s)}, nil
}

// mod97 moves the first four characters to the end, reads letters as 10 to 35 and
// returns the remainder modulo 97. It is 1 for a valid IBAN.
func mod97(s string) int {
	remainder := 0
	for i := range len(s) {
		c := s[(i+4)%len(s)]
		if isDigit(c) {
			remainder = (remainder*10 + int(c-'0')) % 97
		} else {
			remainder = (remainder*100 + int(c-'A') + 10) % 97
		}
	}
	return remainder
}

// Compact returns the real value without spaces. Never log it.
func (i IBAN) Compact() string { return i.reveal() }

// Country returns the country code, the first two letters, or "" for the zero value.
func (i IBAN) Country() string {
	if i.IsZero() {
		return ""
	}
	return i.reveal()[:2]
}

// BIC returns the bank's BIC if the IBAN is Swedish and its bank id is known; see
// SwedishBIC.
func (i IBAN) BIC() (BIC, bool) {
	if i.Country() != "SE" {
		return "", false
	}
	return SwedishBIC(i.reveal()[4:7])
}
