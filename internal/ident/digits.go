package ident

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// number parses decimal digits. The caller makes sure that they fit an int.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

func twoDigits(n int) string { return string([]byte{byte('0' + n/10%10), byte('0' + n%10)}) }

// luhn reports whether digits pass the Luhn check: modulus 10 with the weights
// 1, 2, 1, 2, ... from the right.
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		n := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return sum%10 == 0
}

// mod11 reports whether digits pass the modulus 11 check with the weights
// 1, 2, ..., 10, 1 from the right (docs/reference/banks.md 14.3).
func mod11(digits string) bool {
	sum := 0
	for i := range len(digits) {
		sum += (i%10 + 1) * int(digits[len(digits)-1-i]-'0')
	}
	return sum%11 == 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func allUpper(s string) bool {
	for i := range len(s) {
		if !isUpper(s[i]) {
			return false
		}
	}
	return true
}
