package money

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/govalues/decimal"
)

// Amount is a sum in one currency, the MonetaryAmount of docs/reference/products.md 9:
// major units with decimals (10.32 EUR, never 1032 cents). It keeps the decimals it
// was read with: 25000 stays 25000 and 45.50 stays 45.50.
//
// The currency is empty when the source did not state it. The zero value is 0 of
// an unknown currency. The operator == compares digits (1.50 != 1.5); Equal and
// Cmp compare values.
type Amount struct {
	value    decimal.Decimal
	currency string
}

// New returns an amount. The currency is any three letters A to Z, or empty for
// unknown; anything else is ErrCurrency.
func New(value decimal.Decimal, currency string) (Amount, error) {
	if currency != "" && !IsCurrency(currency) {
		return Amount{}, ErrCurrency
	}
	return Amount{value, currency}, nil
}

// Must is like Parse but panics on an error. It is for constants.
func Must(value, currency string) Amount {
	a, err := Parse(value, currency)
	if err != nil {
		panic("money: " + err.Error())
	}
	return a
}

// IsCurrency reports whether s has the form of an ISO 4217 code, [A-Z]{3}.
func IsCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// Value returns the amount without its currency.
func (a Amount) Value() decimal.Decimal { return a.value }

// Currency returns the ISO 4217 code, or "" when it is unknown.
func (a Amount) Currency() string { return a.currency }

// Sign returns -1, 0 or 1.
func (a Amount) Sign() int { return a.value.Sign() }

// Neg returns the amount with the opposite sign.
func (a Amount) Neg() Amount { return Amount{a.value.Neg(), a.currency} }

// Abs returns the absolute amount.
func (a Amount) Abs() Amount { return Amount{a.value.Abs(), a.currency} }

// Add returns the exact sum; it never rounds. The error is ErrCurrency when the
// currencies differ and ErrPrecision when the sum needs too many digits.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.currency != b.currency {
		return Amount{}, fmt.Errorf("add: %w", ErrCurrency)
	}
	sum, err := a.value.AddExact(b.value, max(a.value.Scale(), b.value.Scale()))
	if err != nil {
		return Amount{}, fmt.Errorf("add: %w", ErrPrecision)
	}
	return Amount{sum, a.currency}, nil
}

// Sub returns the exact difference. Its errors are those of Add.
func (a Amount) Sub(b Amount) (Amount, error) { return a.Add(b.Neg()) }

// Cmp compares two amounts of one currency by value and returns -1, 0 or 1. The
// error is ErrCurrency when the currencies differ.
func (a Amount) Cmp(b Amount) (int, error) {
	if a.currency != b.currency {
		return 0, fmt.Errorf("compare: %w", ErrCurrency)
	}
	return a.value.Cmp(b.value), nil
}

// Equal reports whether currency and value are the same: 1.50 SEK equals 1.5 SEK.
func (a Amount) Equal(b Amount) bool {
	return a.currency == b.currency && a.value.Equal(b.value)
}

// String returns a readable form, such as "10.32 EUR".
func (a Amount) String() string {
	if a.currency == "" {
		return a.value.String()
	}
	return a.value.String() + " " + a.currency
}

// AppendJSON appends {"amount":10.32,"currency":"EUR"} to b. It omits an unknown
// currency.
func (a Amount) AppendJSON(b []byte) []byte {
	b = appendDecimal(append(b, `{"amount":`...), a.value)
	if a.currency != "" {
		// A currency is [A-Z]{3}: nothing to escape.
		b = append(append(append(b, `,"currency":"`...), a.currency...), '"')
	}
	return append(b, '}')
}

// MarshalJSON returns what AppendJSON appends.
func (a Amount) MarshalJSON() ([]byte, error) { return a.AppendJSON(nil), nil }

// UnmarshalJSON reads {"amount": 10.32, "currency": "EUR"}. The amount may be a
// JSON string that contains a number. A bare number is an amount of unknown
// currency (docs/reference/products.md 6 documents one). Unknown members are ignored.
// A missing amount is ErrSyntax, because missing does not mean zero.
func (a *Amount) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if string(data) == "null" {
		return nil
	}
	var parts struct {
		Amount   *Number `json:"amount"`
		Currency string  `json:"currency"`
	}
	if len(data) > 0 && data[0] != '{' {
		parts.Amount = new(Number)
		if err := parts.Amount.UnmarshalJSON(data); err != nil {
			return fmt.Errorf("amount: %w", err)
		}
	} else if err := json.Unmarshal(data, &parts); err != nil {
		return fmt.Errorf("amount: %w", err)
	}
	if parts.Amount == nil {
		return fmt.Errorf("amount: %w", ErrSyntax)
	}
	read, err := New(parts.Amount.value, parts.Currency)
	if err != nil {
		return fmt.Errorf("amount: %w", err)
	}
	*a = read
	return nil
}
