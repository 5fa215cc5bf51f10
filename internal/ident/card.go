package ident

import "strings"

// HideCardNumber hides the middle of a whole card number: 13 to 19 digits, which may have
// hyphens. The number is not to be stored (PCI DSS 3.4). Any other text is returned as it
// is.
func HideCardNumber(number string) string {
	const first, last = 6, 4
	compact := strings.ReplaceAll(number, "-", "")
	n := len(compact)
	if n < 13 || n > 19 || !allDigits(compact) {
		return number
	}
	return compact[:first] + strings.Repeat("*", n-first-last) + compact[n-last:]
}
