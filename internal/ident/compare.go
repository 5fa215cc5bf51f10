package ident

import "strings"

// HasIBANForm reports whether s, without spaces and in upper case, has the form of an
// IBAN. A wrong check digit or length does not make an account number another kind of id.
func HasIBANForm(s string) bool {
	if len(s) < minIBAN || len(s) > maxIBAN || !allUpper(s[:2]) || !allDigits(s[2:4]) {
		return false
	}
	for i := 4; i < len(s); i++ {
		if !isUpper(s[i]) && !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// CompactAccount returns an account number or a masked card number as it can be compared:
// in upper case, without spaces and punctuation, and with * for each hidden digit.
func CompactAccount(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '•' || r == '·' || r == '●':
			return '*'
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r == '*' || r > 0x7f:
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, s)
}

// leastNumber is how many digits at the end of an IBAN, or of a number with its clearing
// number, tell an account apart.
const leastNumber = 7

// SameAccount reports whether two texts name the same account: they are equal but for how
// they are written, or one is the account number at the end of the other, an IBAN or a
// longer number. Leading zeros of an account number do not count.
func SameAccount(a, b string) bool {
	a, b = CompactAccount(a), CompactAccount(b)
	if a == b {
		return a != ""
	}
	if len(a) < len(b) {
		a, b = b, a
	}
	b = strings.TrimLeft(b, "0")
	return len(b) >= leastNumber && allDigits(b) && (allDigits(a) || HasIBANForm(a)) && strings.HasSuffix(a, b)
}
