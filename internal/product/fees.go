package product

import (
	"encoding/json"

	"samla/internal/money"
)

// Fees is what a product costs (docs/reference/products.md 8.1). At most one member
// is set; a consumer learns from it whether the fees are the holder's own.
type Fees struct {
	Personalized *PersonalizedFees `json:"personalized,omitzero" rule:"either"` // the holder's own figures
	Generic      *GenericFees      `json:"generic,omitzero" rule:"either"`      // list prices
}

// PersonalizedFees are the holder's own, discounts included.
type PersonalizedFees struct {
	Fixed        *money.Amount `json:"fixed,omitzero"`                       // per year
	Variable     *money.Number `json:"variable,omitzero" rule:"min=0,max=1"` // ratio
	PreviousYear *money.Amount `json:"previousYear,omitzero"`
}

// GenericFees are list prices.
type GenericFees struct {
	Fixed    *money.Amount `json:"fixed,omitzero"`                       // per year
	Variable *money.Number `json:"variable,omitzero" rule:"min=0,max=1"` // ratio
}

// UnmarshalJSON also reads the older form (docs/reference/products.md 10.3) and
// converts it to the newer one. If both members are present, it keeps the holder's
// own figures.
func (f *Fees) UnmarshalJSON(data []byte) error {
	type plain Fees
	var read struct {
		plain
		Collected    *bool         `json:"feesCollected"`
		Fixed        *money.Amount `json:"feeFixed"`
		Variable     *money.Number `json:"feeVariable"`
		PreviousYear *money.Amount `json:"feesPreviousYear"`
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*f = Fees(read.plain)
	older := read.Collected != nil || read.Fixed != nil || read.Variable != nil || read.PreviousYear != nil
	switch {
	case f.Personalized != nil:
		f.Generic = nil
	case f.Generic != nil || !older:
	// Only the holder's own figures include what was paid last year.
	case read.Collected != nil && *read.Collected, read.Collected == nil && read.PreviousYear != nil:
		f.Personalized = &PersonalizedFees{read.Fixed, read.Variable, read.PreviousYear}
	default:
		f.Generic = &GenericFees{read.Fixed, read.Variable}
	}
	return nil
}
