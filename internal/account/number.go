package account

import (
	"strings"

	"samla/internal/ident"
)

// hidden are the characters that institutions write in place of a digit.
const hidden = "*xX\u2022\u25cf\u00b7\u2219#_?\u2026"

// isMasked reports whether a text is a number with hidden digits.
func isMasked(s string) bool {
	return strings.ContainsAny(s, hidden) && strings.Trim(s, hidden+" -./0123456789") == "" && len(digits(s)) >= leastShown ||
		strings.ContainsAny(s, "*\u2022\u25cf") && len(digits(s)) >= leastShown
}

// maskOf returns a number with hidden digits in one spelling: the digits and letters that
// are shown at its start, a *, and those at its end.
func maskOf(s string) string {
	first, last := strings.IndexAny(s, hidden), strings.LastIndexAny(s, hidden)
	return alphanumeric(s[:first]) + "*" + alphanumeric(s[last:])
}

func alphanumeric(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'W' || r == 'Y' || r == 'Z' {
			return r
		}
		return -1
	}, s)
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

const (
	// leastShown are the digits at the end that a masked number shows at least.
	leastShown = 4
	// tellingShown are so many that a person has no second card with the same ones.
	tellingShown = 10
)

// fits reports whether two masked numbers can be the same, and how many digits both show.
func fits(a, b string) (shown int, ok bool) {
	ha, ta, _ := strings.Cut(a, "*")
	hb, tb, _ := strings.Cut(b, "*")
	if min(len(ta), len(tb)) < leastShown || !strings.HasSuffix(ta, tb) && !strings.HasSuffix(tb, ta) ||
		!strings.HasPrefix(ha, hb) && !strings.HasPrefix(hb, ha) {
		return 0, false
	}
	return min(len(ta), len(tb)) + min(len(ha), len(hb)), true
}

// fitsWhole reports whether a masked number can be a whole one, and how many digits it
// shows.
func fitsWhole(masked, whole string) (shown int, ok bool) {
	head, tail, _ := strings.Cut(masked, "*")
	if len(tail) < leastShown || len(head)+len(tail) >= len(whole) || !strings.HasPrefix(whole, head) || !strings.HasSuffix(whole, tail) {
		return 0, false
	}
	return len(head) + len(tail), true
}

// sameness is how well two numbers agree.
type sameness int

const (
	none  sameness = iota
	short          // equal, but so short that others can have the same number
	part           // one is the end of the other, without what tells its bank
	whole          // the same number at the same bank
)

// The digits of a number that tell it apart: alone, and with its bank.
const (
	leastPart  = 7
	leastWhole = 11
	leastShort = 6
)

// compareNumbers compares two numbers of accounts, each an IBAN or another number, in the
// national forms: an IBAN has the number of its bank at its end; a Swedish number has a
// clearing number of four or five digits before the account, which IBANs of some banks
// leave out (docs/reference/banks.md 14.3); leading zeros of an account do not count.
func compareNumbers(a, b string) sameness {
	switch {
	case a == b:
		return gradeOf(a)
	case len(a) < len(b):
		a, b = b, a
	}
	if swedish(a, b) {
		return whole
	}
	trimmed := strings.TrimLeft(b, "0")
	if digits(trimmed) != trimmed || len(trimmed) < leastPart || !strings.HasSuffix(a, trimmed) ||
		digits(a) != a && !ident.HasIBANForm(a) {
		return none
	}
	if len(trimmed) >= leastWhole || digits(a) == a && strings.TrimLeft(a, "0") == trimmed {
		return whole
	}
	return part
}

// gradeOf returns how well a number tells an account apart. The number of a person, which
// some institutions use for their products, tells persons apart.
func gradeOf(number string) sameness {
	switch {
	case len(strings.TrimLeft(number, "0")) < leastShort, isPersonal(number):
		return short
	case len(number) < leastWhole && digits(number) == number:
		return part
	}
	return whole
}

// isPersonal reports whether a number can be a personal number, in ten or twelve digits.
// In ten, its check digit must be right: account numbers have ten digits too.
func isPersonal(number string) bool {
	if digits(number) != number || len(number) != 10 && len(number) != 12 {
		return false
	}
	d := number[len(number)-10:]
	month, day := d[2:4], d[4:6]
	dated := month >= "01" && month <= "12" && (day >= "01" && day <= "31" || day >= "61" && day <= "91")
	if len(number) == 12 {
		return dated && (strings.HasPrefix(number, "19") || strings.HasPrefix(number, "20"))
	}
	return dated && luhn(d)
}

func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		n := int(d[i] - '0')
		if i%2 == 0 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return sum%10 == 0
}

// swedish reports whether two numbers are the same Swedish account: two numbers with the
// same clearing number and account, or a number and the IBAN of its account.
func swedish(a, b string) bool {
	if len(b) < leastWhole || a[len(a)-1] != b[len(b)-1] || len(digits(b)) < leastWhole {
		return false // both end with the account; parsing takes longer
	}
	nb, _, err := ident.ParseAccountNumber(b)
	if err != nil || nb.Bank() == "" {
		return false
	}
	account := strings.TrimLeft(nb.Account(), "0")
	if strings.HasPrefix(a, "SE") && ident.HasIBANForm(a) {
		own := strings.TrimLeft(a[7:], "0")
		if own == nb.Clearing()[:4]+account || own == nb.Clearing()+account || own == nb.Clearing()[:4]+nb.Account() || own == nb.Clearing()+nb.Account() {
			return true
		}
		for _, bank := range ident.IBANBanks(nb) {
			if bank == a[4:7] && own == account {
				return true
			}
		}
		return false
	}
	na, _, err := ident.ParseAccountNumber(a)
	return err == nil && na.Bank() == nb.Bank() && na.Clearing()[:4] == nb.Clearing()[:4] && strings.TrimLeft(na.Account(), "0") == account
}
