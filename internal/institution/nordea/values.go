package nordea

import (
	"errors"
	"strconv"

	"samla/internal/institution"
	"samla/internal/institution/loose"
	"samla/internal/money"
)

var errMissing = errors.New("a required member is missing")

func malformed(cause error) error {
	return &institution.Error{Kind: institution.MalformedResponse, Cause: cause}
}

// small returns a small number, or 0.
func small(t loose.Text) int {
	n, err := strconv.ParseUint(string(t), 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// amount is a number of the bank. It is never a float.
type amount struct {
	there bool // the member is there and not null
	value money.Number
	ok    bool
}

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (a *amount) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	a.there = true
	a.ok = a.value.UnmarshalJSON(data) == nil
	return nil
}

// money returns the amount in a currency, without one if that is not one of ISO 4217.
func (a amount) money(currency loose.Text) (money.Amount, bool) {
	if !a.ok {
		return money.Amount{}, false
	}
	m, err := money.New(a.value.Decimal(), currency.Currency())
	return m, err == nil
}
