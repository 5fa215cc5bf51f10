package money

import (
	"fmt"
	"strings"
	"unicode"
)

// Digits of an amount at a Berlin Group bank (docs/reference/banks.md 5).
const (
	maxWhole    = 14
	maxFraction = 3
)

// Parse parses an amount in the exact form of the Berlin Group
// (docs/reference/banks.md 5): -?[0-9]{1,14}(\.[0-9]{1,3})? and a currency [A-Z]{3}.
// Errors are ErrSyntax and ErrCurrency.
func Parse(value, currency string) (Amount, error) {
	if !IsCurrency(currency) {
		return Amount{}, ErrCurrency
	}
	unsigned, _ := strings.CutPrefix(value, "-")
	whole, rest := splitDigits(unsigned)
	fraction, point := strings.CutPrefix(rest, ".")
	digits, rest := splitDigits(fraction)
	if whole == "" || len(whole) > maxWhole || len(digits) > maxFraction || rest != "" || point != (digits != "") {
		return Amount{}, ErrSyntax
	}
	d, err := exactly(value, whole+digits, len(digits))
	if err != nil {
		return Amount{}, err
	}
	return Amount{d, currency}, nil
}

// ParseLenient parses an amount in the forms that real banks write. In addition to
// the form of Parse it accepts
//   - a plus sign, the minus sign U+2212 and dashes in its place, and a sign after
//     the number: "45,50-";
//   - white space around the number, after its sign, and (also as no-break
//     space) between groups of three digits: "1 234,50";
//   - a comma as the decimal sign; when comma and point both occur, the last one is
//     the decimal sign and the other separates groups of three: "1.234,50",
//     "1,234.50"; one that occurs more than once separates groups: "1,234,567";
//   - no digit before the decimal sign: ".50";
//   - an exponent as in JSON: "1.5e3";
//   - up to 19 digits; a currency in lower case or with white space around it.
//
// A single comma before exactly three digits ("1,234") is ErrSyntax, because a wrong
// guess would change the amount by a factor of a thousand. Errors are ErrSyntax,
// ErrPrecision and ErrCurrency.
func ParseLenient(value, currency string) (Amount, error) {
	currency = strings.ToUpper(strings.TrimSpace(currency))
	if !IsCurrency(currency) {
		return Amount{}, ErrCurrency
	}
	text, err := plain(value)
	if err != nil {
		return Amount{}, err
	}
	d, err := parseJSONNumber(text)
	if err != nil {
		return Amount{}, fmt.Errorf("lenient: %w", err)
	}
	return Amount{d, currency}, nil
}

// plain converts a bank's form of a number to JSON's grammar.
func plain(s string) (string, error) {
	s, minus := cutSign(strings.TrimSpace(s))
	whole, fraction, grouped := s, "", false
	if at := strings.LastIndexAny(s, ".,"); at >= 0 {
		switch point := s[at : at+1]; {
		case strings.Contains(s[:at], point):
			if strings.ContainsAny(strings.ReplaceAll(s, point, ""), ".,") {
				return "", ErrSyntax
			}
			grouped = true
		case point == "," && ambiguous(s[:at], s[at+1:]):
			return "", ErrSyntax
		default:
			whole, fraction = s[:at], s[at+1:]
		}
	}
	whole, ok := ungroup(whole)
	if !ok {
		return "", ErrSyntax
	}
	if whole == "" && fraction != "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	} else if !grouped && strings.ContainsAny(s, ".,") {
		return "", ErrSyntax
	}
	if minus {
		whole = "-" + whole
	}
	return whole, nil
}

// ambiguous reports whether the comma between whole and fraction can be read in two
// ways: "1,234" is 1.234 at one bank and 1234 at another.
func ambiguous(whole, fraction string) bool {
	digits, rest := splitDigits(whole)
	return len(fraction) == 3 && rest == "" && digits != "" && len(digits) <= 3 && digits != "0"
}

// The signs that banks write, before or after the number. A dash is meant as a minus.
var (
	minusSigns = []string{"-", "\u2212", "\u2010", "\u2011", "\u2013", "\ufe63", "\uff0d"}
	plusSigns  = []string{"+", "\uff0b"}
)

// cutSign returns s without its sign, which is before or after it.
func cutSign(s string) (rest string, minus bool) {
	if s == "" || (isDigit(s[0]) && isDigit(s[len(s)-1])) {
		return s, false
	}
	for _, sign := range minusSigns {
		if rest, ok := cutEither(s, sign); ok {
			return rest, true
		}
	}
	for _, sign := range plusSigns {
		if rest, ok := cutEither(s, sign); ok {
			return rest, false
		}
	}
	return s, false
}

func cutEither(s, sign string) (string, bool) {
	rest, ok := strings.CutPrefix(s, sign)
	if !ok {
		rest, ok = strings.CutSuffix(s, sign)
	}
	return strings.TrimSpace(rest), ok
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// ungroup joins groups of digits and drops leading zeros, which JSON does not
// allow. It fails unless all groups but the first have three digits and the same
// separator.
func ungroup(s string) (string, bool) {
	at := strings.IndexFunc(s, isSeparator)
	if at >= 0 {
		separator := []rune(s[at:])[0]
		groups := strings.Split(s, string(separator))
		if len(groups[0]) == 0 || len(groups[0]) > 3 {
			return "", false
		}
		for _, group := range groups[1:] {
			if digits, rest := splitDigits(group); len(digits) != 3 || rest != "" {
				return "", false
			}
		}
		s = strings.Join(groups, "")
	}
	for len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' {
		s = s[1:]
	}
	return s, true
}

func isSeparator(r rune) bool {
	return r == '.' || r == ',' || r == '\'' || r == '\u2019' || unicode.IsSpace(r)
}
