// Package money provides exact decimals: amounts with a currency, and plain numbers
// such as rates and quantities. It parses them from a JSON number or a bank's
// string and writes them as text, never by way of a binary float
// (docs/reference/products.md 1 and 9, docs/reference/banks.md 5).
package money

import (
	"errors"
	"fmt"
	"strings"

	"github.com/govalues/decimal"
)

// Errors of this package. They never contain the text that could not be parsed.
var (
	// ErrSyntax: the text is not a decimal number of the accepted form.
	ErrSyntax = errors.New("not a decimal number")
	// ErrPrecision: the number needs more than 19 digits, before and after the
	// point together, or more than 19 decimals. Numbers are never rounded.
	ErrPrecision = errors.New("more than 19 digits")
	// ErrCurrency: a currency is not three letters A to Z, or two amounts are of
	// different currencies.
	ErrCurrency = errors.New("invalid or different currency")
)

// Number is an exact decimal without a unit: a ratio (0.0375 is 3.75 %), a quantity
// or a count. It keeps the decimals it was read with: 1.50 stays 1.50. It does not
// keep the sign of a zero or an exponent: -0 becomes 0 and 1.5e3 becomes 1500. The
// zero value is 0. The operator == compares digits; Cmp compares values.
type Number struct{ value decimal.Decimal }

// NewNumber returns d as a Number.
func NewNumber(d decimal.Decimal) Number { return Number{d} }

// ParseNumber parses a number in the grammar of JSON (RFC 8259 section 6). Errors
// are ErrSyntax and ErrPrecision.
func ParseNumber(s string) (Number, error) {
	d, err := parseJSONNumber(s)
	return Number{d}, err
}

// MustNumber is like ParseNumber but panics on an error. It is for constants.
func MustNumber(s string) Number {
	n, err := ParseNumber(s)
	if err != nil {
		panic("money: " + err.Error())
	}
	return n
}

// Decimal returns the number as a decimal, for calculations.
func (n Number) Decimal() decimal.Decimal { return n.value }

// Cmp compares by value and returns -1, 0 or 1: 1.50 equals 1.5.
func (n Number) Cmp(other Number) int { return n.value.Cmp(other.value) }

// String returns the digits, such as "-1.50".
func (n Number) String() string { return n.value.String() }

// AppendJSON appends the number to b as a JSON number.
func (n Number) AppendJSON(b []byte) []byte { return appendDecimal(b, n.value) }

// MarshalJSON returns a JSON number.
func (n Number) MarshalJSON() ([]byte, error) { return n.AppendJSON(nil), nil }

// UnmarshalJSON reads a JSON number, or a JSON string that contains one. As
// encoding/json requires, null changes nothing.
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

// unquote removes the quotes of a JSON string. It leaves escapes in: no number
// needs one, so the parser rejects them.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

func appendDecimal(b []byte, d decimal.Decimal) []byte {
	// AppendText never fails; it returns an error only to be an encoding.TextAppender.
	b, _ = d.AppendText(b)
	return b
}

// parseJSONNumber parses the text by JSON's grammar. It does not use
// decimal.Parse for this, because that rounds a number with too many decimals.
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

// exactly parses text, or fails with ErrPrecision if the decimal package would have
// to round it. digits are all its digits, decimals is how many follow the point.
func exactly(text, digits string, decimals int) (decimal.Decimal, error) {
	if len(strings.TrimLeft(digits, "0")) > decimal.MaxPrec || decimals > decimal.MaxScale {
		return decimal.Decimal{}, ErrPrecision
	}
	d, err := decimal.Parse(text)
	if err != nil { // possible only with more than 330 leading zeros
		return decimal.Decimal{}, ErrSyntax
	}
	return d, nil
}

// shifted returns digits * 10^-decimals, the value of a number with an exponent.
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

// maxExponent caps exponents. It is larger than any exponent of a number with 19
// digits, so a larger one need not be counted.
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
