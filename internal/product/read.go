package product

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrMalformed is returned for a product that cannot be parsed. Errors of this
// package contain the name of the invalid member, never its value.
var ErrMalformed = errors.New("malformed product")

// Other is a product of a type that this package does not know, kept as raw JSON.
type Other struct {
	Head
	Raw json.RawMessage
}

// MarshalJSON returns the product as it was read.
func (o *Other) MarshalJSON() ([]byte, error) { return o.Raw, nil }

// constructors returns an empty product to unmarshal a type into.
var constructors = map[Type]func() Product{
	KF:                             newInvestment,
	ISK:                            newInvestment,
	CustodyAccount:                 newInvestment,
	UnknownInvestment:              newInvestment,
	IPSPension:                     newPension,
	PrivatePension:                 newPension,
	OccupationalPension:            newPension,
	CollectiveOccupationalPension:  newPension,
	UnknownPension:                 newPension,
	MortgageLoan:                   newLoan,
	UnsecuredLoan:                  newLoan,
	GeneralSavingsAccount:          newSavings,
	GeneralSavingsAccountFixedTerm: newSavings,
	Psd2SavingsAccount:             newPsd2,
	Psd2CheckingAccount:            newPsd2,
	Psd2CreditCard:                 newPsd2,
	PublicPensionType:              newPublicPension,
}

// types are the documented types.
var types = func() (all []string) {
	for t := range constructors {
		all = append(all, string(t))
	}
	return all
}()

func newInvestment() Product    { return new(Investment) }
func newPension() Product       { return new(Pension) }
func newLoan() Product          { return new(Loan) }
func newSavings() Product       { return new(SavingsAccount) }
func newPsd2() Product          { return new(Psd2Account) }
func newPublicPension() Product { return new(PublicPension) }

// Read parses one product. An object with an unknown type, or without one, becomes
// an *Other. The error wraps ErrMalformed if data is not an object, or if a member of
// a known type has the wrong kind of value.
func Read(data []byte) (Product, error) {
	if data = bytes.TrimSpace(data); len(data) == 0 || data[0] != '{' || !json.Valid(data) {
		return nil, fmt.Errorf("%w: not a JSON object", ErrMalformed)
	}
	var discriminator struct {
		Type json.RawMessage `json:"type"`
	}
	var kind Type
	if json.Unmarshal(data, &discriminator) == nil {
		_ = json.Unmarshal(discriminator.Type, &kind) // not a string: kind stays unknown
	}
	construct, known := constructors[kind]
	if !known {
		return readOther(data), nil
	}
	p := construct()
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, withoutValue(err))
	}
	return p, nil
}

// readOther keeps the raw object, and its head if the head's members are valid.
func readOther(data []byte) *Other {
	o := &Other{Raw: bytes.Clone(data)}
	var head Head
	if json.Unmarshal(data, &head) == nil {
		o.Head = head
	}
	return o
}

// withoutValue removes the value that encoding/json includes in its errors.
func withoutValue(err error) error {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return fmt.Errorf("%w: wrong kind of value in %s", ErrMalformed, kind.Field)
	}
	return fmt.Errorf("%w: %w", ErrMalformed, err)
}

// ReadAll parses a JSON array of products, or null. It stops at the first product
// that fails and returns its error, which wraps ErrMalformed.
func ReadAll(data []byte) ([]Product, error) {
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, fmt.Errorf("%w: not a JSON array", ErrMalformed)
	}
	products := make([]Product, 0, len(items))
	for i, item := range items {
		p, err := Read(item)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		products = append(products, p)
	}
	return products, nil
}
