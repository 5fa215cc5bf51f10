// Package money owns exact decimals: amounts with their currency, and bare
// numbers such as rates and quantities. Both are read from the text of a JSON
// number or of a bank's string and written as text again, never through a binary
// float (docs/reference/products.md 1 and 9, docs/reference/banks.md 5). It hands them to every package that
// touches money.
package money

import (
	"errors"
	"fmt"
	"strings"

	"github.com/govalues/decimal"
)

// Errors of this package. They never repeat the text that was refused.
var (
	// ErrSyntax: the text is no decimal number of the accepted form.
	ErrSyntax = errors.New("not a decimal number")
	// ErrPrecision: the number needs more than 19 digits, before and after the
	// point together, or more than 19 decimals. It is refused, never rounded.
	ErrPrecision = errors.New("more than 19 digits")
	// ErrCurrency: a currency is not three letters A to Z, or two amounts are of
	// different currencies.
	ErrCurrency = errors.New("unfit currency")
)

// Number is an exact decimal without unit: a ratio (0.0375 is 3.75 %), a
// quantity, a plain count. It keeps the decimals it was read with: 1.50 stays
// 1.50. Only the sign of a zero and an exponent are not kept: -0 is 0 and 1.5e3
// is 1500. The zero value is 0. Numbers compare with == by their digits; use Cmp
// to compare by value.
type Number struct{ value decimal.Decimal }

// NewNumber wraps a decimal.
func NewNumber(d decimal.Decimal) Number { return Number{d} }

// ParseNumber reads a number in the grammar of JSON (RFC 8259 section 6).
func ParseNumber(s string) (Number, error) {
	d, err := parseJSONNumber(s)
	return Number{d}, err
}

// MustNumber is ParseNumber for constants; it panics on bad input.
func MustNumber(s string) Number {
	n, err := ParseNumber(s)
	if err != nil {
		panic("money: " + err.Error())
	}
	return n
}

// Decimal gives the number for calculations.
func (n Number) Decimal() decimal.Decimal { return n.value }

// Cmp compares by value: 1.50 and 1.5 are the same.
func (n Number) Cmp(other Number) int { return n.value.Cmp(other.value) }

// String gives the digits.
func (n Number) String() string { return n.value.String() }

// AppendJSON appends the digits to b as a JSON number.
func (n Number) AppendJSON(b []byte) []byte { return appendDecimal(b, n.value) }

// MarshalJSON writes a JSON number.
func (n Number) MarshalJSON() ([]byte, error) { return n.AppendJSON(nil), nil }

// UnmarshalJSON reads a JSON number, or a JSON string that holds one. As
// encoding/json asks, null changes nothing.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	d, err := parseJSONNumber(unquote(string(data)))
	if err != nil {
		return fmt.Errorf("number: %w", err)
	}
	n.value = d
	return nil
}

// unquote takes the quotes off a JSON string. Escapes are left in: no number
// needs one, so the number's grammar refuses them.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

func appendDecimal(b []byte, d decimal.Decimal) []byte {
	// AppendText has no failure: its error only serves encoding.TextAppender.
	b, _ = d.AppendText(b)
	return b
}

// parseJSONNumber splits the text by JSON's grammar. It does not leave that to
// the decimal package, which rounds what has too many decimals.
func parseJSONNumber(s string) (decimal.Decimal, error) {
	rest, minus := strings.CutPrefix(s, "-")
	whole, rest := splitDigits(rest)
	if whole == "" || (len(whole) > 1 && whole[0] == '0') {
		return decimal.Decimal{}, ErrSyntax
	}
	var fraction string
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if fraction, rest = splitDigits(after); fraction == "" {
			return decimal.Decimal{}, ErrSyntax
		}
	}
	if rest == "" {
		return exactly(s, whole+fraction, len(fraction))
	}
	exponent, err := parseExponent(rest)
	if err != nil {
		return decimal.Decimal{}, err
	}
	return shifted(minus, whole+fraction, len(fraction)-exponent)
}

// exactly parses text, of which the digits and the decimals were counted, when
// the decimal package has room for them all.
func exactly(text, digits string, decimals int) (decimal.Decimal, error) {
	if len(strings.TrimLeft(digits, "0")) > decimal.MaxPrec || decimals > decimal.MaxScale {
		return decimal.Decimal{}, ErrPrecision
	}
	d, err := decimal.Parse(text)
	if err != nil { // only more than 330 leading zeros of a bank come here
		return decimal.Decimal{}, ErrSyntax
	}
	return d, nil
}

// shifted is digits * 10^-decimals: what an exponent leads to.
func shifted(minus bool, digits string, decimals int) (decimal.Decimal, error) {
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		decimals = max(decimals, 0)
	} else if decimals < 0 {
		digits += strings.Repeat("0", -decimals)
		decimals = 0
	}
	if decimals > decimal.MaxScale || len(digits) > decimal.MaxPrec {
		return decimal.Decimal{}, ErrPrecision
	}
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	text := digits
	if decimals > 0 {
		point := len(digits) - decimals
		text = digits[:point] + "." + digits[point:]
	}
	if minus {
		text = "-" + text
	}
	return exactly(text, digits, decimals)
}

func splitDigits(s string) (digits, rest string) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// maxExponent is beyond what 19 digits can use, so larger ones need no counting.
const maxExponent = 100

func parseExponent(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	if s[0] != 'e' && s[0] != 'E' {
		return 0, ErrSyntax
	}
	s = s[1:]
	minus := strings.HasPrefix(s, "-")
	if minus || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	digits, rest := splitDigits(s)
	if digits == "" || rest != "" {
		return 0, ErrSyntax
	}
	exponent := 0
	for _, c := range []byte(digits) {
		exponent = min(exponent*10+int(c-'0'), maxExponent)
	}
	if minus {
		return -exponent, nil
	}
	return exponent, nil
}
