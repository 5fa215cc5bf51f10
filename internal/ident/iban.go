package ident

import "strings"

// IBAN is an international bank account number (ISO 13616, docs/reference/banks.md 14.2). Values
// compare with ==. It prints as "[redacted]"; Compact has the real value. The
// zero value is no IBAN.
type IBAN struct{ masked }

// ibanLengths of the countries the banks of docs/reference/banks.md are in; of others only the
// bounds of the standard are asked.
var ibanLengths = map[string]int{"SE": 24, "NO": 15, "DK": 18, "FI": 18, "IS": 26}

const (
	minIBAN = 15
	maxIBAN = 34
)

// ParseIBAN reads an IBAN in electronic or printed form: spaces are dropped and
// letters raised. Errors are ErrForm, for characters or the length, and
// ErrCheckDigit, for the modulus 97 of ISO 7064.
func ParseIBAN(s string) (IBAN, error) {
	s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
	if len(s) < minIBAN || len(s) > maxIBAN || !isIBANForm(s) {
		return IBAN{}, ErrForm
	}
	if want, known := ibanLengths[s[:2]]; known && len(s) != want {
		return IBAN{}, ErrForm
	}
	if mod97(s) != 1 || s[2:4] < "02" || s[2:4] > "98" {
		return IBAN{}, ErrCheckDigit
	}
	return IBAN{mask(s)}, nil
}

// isIBANForm: [A-Z]{2}[0-9]{2}[A-Z0-9]+, the Nordic ones with digits only.
func isIBANForm(s string) bool {
	if !allUpper(s[:2]) || !allDigits(s[2:4]) {
		return false
	}
	if _, nordic := ibanLengths[s[:2]]; nordic {
		return allDigits(s[4:])
	}
	for i := 4; i < len(s); i++ {
		if !isUpper(s[i]) && !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// mod97 moves the first four characters to the end, reads letters as 10 to 35 and
// takes the remainder; 1 is right.
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

// Compact gives the real value without spaces. Never log it.
func (i IBAN) Compact() string { return i.reveal() }

// Country gives the two letters the IBAN begins with, or "".
func (i IBAN) Country() string {
	if i.IsZero() {
		return ""
	}
	return i.reveal()[:2]
}

// BIC gives the bank's BIC, known for Swedish IBANs by the bank id in their first
// three digits; see SwedishBIC.
func (i IBAN) BIC() (BIC, bool) {
	if i.Country() != "SE" {
		return "", false
	}
	return SwedishBIC(i.reveal()[4:7])
}
