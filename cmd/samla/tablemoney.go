package main

import (
	"slices"
	"strings"

	"github.com/govalues/decimal"

	"samla/internal/money"
)

// sums are exact sums, one for each currency.
type sums []money.Amount

// decimals is the largest number of decimals of some amounts.
type decimals int

// widen takes amounts into account. A nil amount is unknown.
func (d *decimals) widen(amounts ...*money.Amount) {
	for _, a := range amounts {
		if a != nil {
			*d = max(*d, decimals(a.Value().Scale()))
		}
	}
}

// scale returns how many decimals all of the amounts are shown with: two rather than one.
func (d decimals) scale() int {
	if d == 1 {
		return 2
	}
	return int(d)
}

// add adds an amount to the sum of its currency. A nil amount is unknown and changes
// nothing.
func (s *sums) add(a *money.Amount) error {
	if a == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(*s, a.Currency(), func(sum money.Amount, currency string) int {
		return strings.Compare(sum.Currency(), currency)
	})
	if !found {
		*s = slices.Insert(*s, i, *a)
		return nil
	}
	sum, err := (*s)[i].Add(*a)
	if err != nil {
		return err
	}
	(*s)[i] = sum
	return nil
}

// scale returns how many decimals amounts are shown with.
func (s sums) scale() int {
	var d decimals
	for _, a := range s {
		d.widen(&a)
	}
	return d.scale()
}

// digits returns an amount with its currency, grouped by thousands, with at least scale
// decimals: 1 234 567.50 SEK. It rounds nothing. A nil amount is unknown.
func digits(a *money.Amount, scale int) string {
	if a == nil {
		return "-"
	}
	text := grouped(a.Value().Pad(scale).String())
	if a.Currency() == "" {
		return text
	}
	return text + " " + a.Currency()
}

// grouped separates the thousands of a number.
func grouped(number string) string {
	whole, decimals, fraction := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	var b strings.Builder
	for i, digit := range []byte(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(digit)
	}
	if fraction {
		return sign + b.String() + "." + decimals
	}
	return sign + b.String()
}

// percent returns a ratio in percent without zeros at its end: 3.92 %. A nil ratio is
// unknown.
func percent(ratio *money.Number) string {
	if ratio == nil {
		return ""
	}
	hundred, err := decimal.New(100, 0)
	if err != nil {
		return ""
	}
	product, err := ratio.Decimal().Mul(hundred)
	if err != nil {
		return ""
	}
	return product.Trim(0).String() + " %"
}
