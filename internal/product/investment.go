package product

import (
	"bytes"
	"encoding/json"

	"samla/internal/money"
)

// Investment is a KF, ISK, custody account or unknown investment (docs/reference/products.md 5).
// Fees and Insurance are members of KF only.
type Investment struct {
	Head
	AccountInformation   *AccountInformation   `json:"accountInformation,omitzero"`
	FinancialInformation *FinancialInformation `json:"financialInformation,omitzero"`
	Holder               *Holder               `json:"holder,omitzero"`
	Holdings             []Holding             `json:"holdings,omitzero" rule:"limit=2000"`
	MonthlySavingsAmount *money.Amount         `json:"monthlySavingsAmount,omitzero"`
	Movability           *Movability           `json:"movability,omitzero"`
	PersonalInformation  *PersonalInformation  `json:"personalInformation,omitzero"`
	ProductName          string                `json:"productName,omitzero"`
	ProductNumber        string                `json:"productNumber,omitzero" rule:"identity"`
	Transactions         []Transaction         `json:"transactions,omitzero" rule:"limit=20000"` // of the last 12 months
	Insurance            ReadOnly              `json:"insurance,omitzero" of:"KF"`
	Fees                 *Fees                 `json:"fees,omitzero" of:"KF"`
}

// AccountInformation is the account behind an investment (docs/reference/products.md 5).
type AccountInformation struct {
	CashAccountNumber     string        `json:"cashAccountNumber,omitzero"`
	CashValue             *money.Amount `json:"cashValue,omitzero"`
	HasExclusiveOwnership *bool         `json:"hasExclusiveOwnership,omitzero"`
	InterestRate          *money.Number `json:"interestRate,omitzero" rule:"min=0,max=1"` // ratio
}

// FinancialInformation is a product's value, performance and deposits
// (ProductFinancialInformation of docs/reference/products.md 5).
type FinancialInformation struct {
	CurrentValue          *money.Amount `json:"currentValue,omitzero"`
	PerformanceSinceStart *money.Number `json:"performanceSinceStart,omitzero"` // ratio
	TotalDeposits         *money.Amount `json:"totalDeposits,omitzero"`
}

// Holding is a product's holding of one instrument (docs/reference/products.md 5).
type Holding struct {
	Type                 HoldingType   `json:"type,omitzero"`
	Name                 string        `json:"name,omitzero"`
	ISIN                 string        `json:"isin,omitzero"`
	MarketIdentifierCode string        `json:"marketIdentifierCode,omitzero"` // ISO 10383
	Quantity             *money.Number `json:"quantity,omitzero"`
	Value                *money.Amount `json:"value,omitzero"`            // unit price times quantity
	AcquisitionValue     *money.Amount `json:"acquisitionValue,omitzero"` // total cost
	FeeVariable          *money.Number `json:"feeVariable,omitzero"`      // ratio per year
	FundAccountNumber    string        `json:"fundAccountNumber,omitzero"`
}

// Transaction is a transaction in an investment or savings account
// (docs/reference/products.md 5). Which members it has depends on its type. Amounts
// are positive; the type determines the direction.
type Transaction struct {
	Type                  TransactionType        `json:"type,omitzero" rule:"discriminator"`
	Amount                *money.Amount          `json:"amount,omitzero" rule:"min=0"`
	SettlementDate        Date                   `json:"settlementDate,omitzero"`
	Description           string                 `json:"description,omitzero" of:"DIVIDEND REDEMPTION INTEREST DEPOSIT WITHDRAWAL FEE OTHER" rule:"limit=1000"`
	InstrumentInformation *TransactionInstrument `json:"instrumentInformation,omitzero" of:"BUY SELL DIVIDEND REDEMPTION"`
	Commission            *money.Amount          `json:"commission,omitzero" of:"BUY SELL"`
	Quantity              *money.Number          `json:"quantity,omitzero" of:"BUY SELL"`
	TradeDate             Date                   `json:"tradeDate,omitzero" of:"BUY SELL"`
}

// TransactionInstrument is the instrument that was traded (docs/reference/products.md 5).
type TransactionInstrument struct {
	ISIN                   string        `json:"isin,omitzero"`
	Name                   string        `json:"name,omitzero"`
	Type                   HoldingType   `json:"type,omitzero"`
	PriceInAccountCurrency *money.Amount `json:"priceInAccountCurrency,omitzero"`
}

// ReadOnly is a member whose content is not documented. It is read and never written
// (docs/reference/products.md 6, 8 and 8.4).
type ReadOnly struct{ Raw json.RawMessage }

// UnmarshalJSON keeps the raw member; null changes nothing.
func (r *ReadOnly) UnmarshalJSON(data []byte) error {
	if string(data) != "null" {
		r.Raw = bytes.Clone(data)
	}
	return nil
}

// IsZero is always true, so that the member is never written.
func (ReadOnly) IsZero() bool { return true }
