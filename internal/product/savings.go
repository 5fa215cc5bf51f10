package product

import (
	"encoding/json"

	"samla/internal/money"
)

// SavingsAccount is a savings account, with or without a fixed period
// (docs/reference/products.md 6). Only the one with a fixed period has BindingPeriod.
type SavingsAccount struct {
	Head
	AccountHolderName     string               `json:"accountHolderName,omitzero"`
	AccountName           string               `json:"accountName,omitzero"`
	AccountNumber         string               `json:"accountNumber,omitzero" rule:"identity"`
	BIC                   string               `json:"bic,omitzero"`
	IBAN                  string               `json:"iban,omitzero" rule:"identity"`
	CurrentValue          *money.Amount        `json:"currentValue,omitzero"`
	Interest              *SavingsInterest     `json:"interest,omitzero"`
	Deposit               *Deposit             `json:"deposit,omitzero"`
	DepositGuarantee      *bool                `json:"depositGuarantee,omitzero"`
	HasExclusiveOwnership *bool                `json:"hasExclusiveOwnership,omitzero"`
	CanDeposit            *bool                `json:"canDeposit,omitzero"`
	CanWithdraw           *bool                `json:"canWithdraw,omitzero"`
	WithdrawalConditions  ReadOnly             `json:"withdrawalConditions,omitzero"`
	BindingPeriod         *BindingPeriod       `json:"bindingPeriod,omitzero" of:"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD"`
	PersonalInformation   *PersonalInformation `json:"personalInformation,omitzero"`
	Transactions          []Transaction        `json:"transactionsLast12Months,omitzero" rule:"limit=20000"`
}

// UnmarshalJSON also accepts the name transactions, which other products use.
func (s *SavingsAccount) UnmarshalJSON(data []byte) error {
	type plain SavingsAccount
	read := struct {
		*plain
		OtherName []Transaction `json:"transactions"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	if s.Transactions == nil {
		s.Transactions = read.OtherName
	}
	return nil
}

// SavingsInterest is the interest of a savings account (GeneralSavingsInterest of
// docs/reference/products.md 6). Rates are ratios: 0.01 is 1 %.
type SavingsInterest struct {
	Rate                *money.Number            `json:"rate,omitzero"`
	EffectiveRate       *money.Number            `json:"effectiveRate,omitzero"`
	AccruedInterest     *money.Amount            `json:"accruedInterest,omitzero"`
	PayoutFrequency     Frequency                `json:"payoutFrequency,omitzero"`
	RateConditionRanges []InterestConditionRange `json:"rateConditionRanges,omitzero"`
}

// InterestConditionRange is the rate between two balances.
type InterestConditionRange struct {
	MinAmount *money.Amount `json:"minAmount,omitzero"`
	MaxAmount *money.Amount `json:"maxAmount,omitzero"`
	Rate      *money.Number `json:"rate,omitzero"` // ratio
}

// UnmarshalJSON accepts a bare number for one of the amounts and gives it the
// currency of the other.
func (r *InterestConditionRange) UnmarshalJSON(data []byte) error {
	type plain InterestConditionRange
	if err := json.Unmarshal(data, (*plain)(r)); err != nil {
		return err
	}
	if r.MinAmount != nil && r.MaxAmount != nil {
		copyCurrency(r.MinAmount, r.MaxAmount)
		copyCurrency(r.MaxAmount, r.MinAmount)
	}
	return nil
}

// copyCurrency sets the currency of to, if it has none.
func copyCurrency(from, to *money.Amount) {
	if to.Currency() == "" {
		// New cannot fail: from's currency is empty or was validated before.
		*to, _ = money.New(to.Value(), from.Currency())
	}
}

// Deposit is a regular deposit.
type Deposit struct {
	Amount    *money.Amount `json:"amount,omitzero"`
	Frequency Frequency     `json:"frequency,omitzero"`
}

// BindingPeriod is how long the money cannot be withdrawn.
type BindingPeriod struct {
	StartDate       Date          `json:"startDate,omitzero"`
	EndDate         Date          `json:"endDate,omitzero"`
	LengthPeriod    TimePeriod    `json:"lengthPeriod,omitzero"`
	AutoRenewal     *bool         `json:"autoRenewal,omitzero"`
	CancellationFee *money.Amount `json:"cancellationFee,omitzero"`
}
