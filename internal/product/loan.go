package product

import (
	"encoding/json"

	"samla/internal/money"
)

// Loan is a mortgage or an unsecured loan (docs/reference/products.md 7). FinancedObject,
// InterestBindingPeriod and all of Interest but its rate are members of the
// mortgage only. Amounts are positive: a positive balance is debt.
type Loan struct {
	Head
	LoanID                string                `json:"loanId,omitzero" rule:"identity"`
	Status                LoanStatus            `json:"status,omitzero"`
	FirstDrawDownDate     Date                  `json:"firstDrawDownDate,omitzero"`
	FinancedObject        string                `json:"financedObject,omitzero" of:"MORTGAGE_LOAN"`
	Interest              *LoanInterest         `json:"interest,omitzero"`
	InterestBindingPeriod InterestBindingPeriod `json:"interestBindingPeriod,omitzero" of:"MORTGAGE_LOAN"`
	LoanDetails           *LoanDetails          `json:"loanDetails,omitzero"`
	NextPayment           *NextPayment          `json:"nextPayment,omitzero"`
	Owners                []LoanOwner           `json:"owners,omitzero"`
	RepaymentSchedule     *RepaymentSchedule    `json:"repaymentSchedule,omitzero"`
	PersonalInformation   *PersonalInformation  `json:"personalInformation,omitzero"`
}

// LoanInterest is the interest of a loan. Rates are ratios.
type LoanInterest struct {
	Rate               *money.Number `json:"rate,omitzero"`
	BaseRate           *money.Number `json:"baseRate,omitzero" of:"MORTGAGE_LOAN"`
	Discount           *money.Number `json:"discount,omitzero" of:"MORTGAGE_LOAN"`
	EffectiveRate      *money.Number `json:"effectiveRate,omitzero" of:"MORTGAGE_LOAN"`
	DiscountEndDate    Date          `json:"discountEndDate,omitzero" of:"MORTGAGE_LOAN"`
	PeriodStartDate    Date          `json:"periodStartDate,omitzero" of:"MORTGAGE_LOAN"`
	RateAdjustmentDate Date          `json:"rateAdjustmentDate,omitzero" of:"MORTGAGE_LOAN"`
}

// LoanDetails is how much of a loan was granted, paid back and is left.
type LoanDetails struct {
	Balance *money.Amount `json:"balance,omitzero"`
	Granted *money.Amount `json:"granted,omitzero"`
	Paid    *money.Amount `json:"paid,omitzero"`
}

// NextPayment is the next payment due.
type NextPayment struct {
	Date       Date          `json:"date,omitzero"`
	Instalment *money.Amount `json:"instalment,omitzero"`
	Interest   *money.Amount `json:"interest,omitzero"`
	Total      *money.Amount `json:"total,omitzero"`
}

// LoanOwner is a borrower. SharePercentage is a fraction despite its name: 1 is the
// whole loan.
type LoanOwner struct {
	Name            string        `json:"name,omitzero"`
	SharePercentage *money.Number `json:"sharePercentage,omitzero" rule:"min=0,max=1"`
}

// RepaymentSchedule is how a loan is paid back.
type RepaymentSchedule struct {
	FinalDebt           *int64 `json:"finalDebt,omitzero"` // without currency
	FinalPaymentDate    Date   `json:"finalPaymentDate,omitzero"`
	NumberOfInstalments *int32 `json:"numberOfInstalments,omitzero" rule:"min=0"`
	RepaymentDayOfMonth *int32 `json:"repaymentDayOfMonth,omitzero" rule:"min=1,max=31"`
}

// UnmarshalJSON also accepts the spelling numberOfInstallments.
func (r *RepaymentSchedule) UnmarshalJSON(data []byte) error {
	type plain RepaymentSchedule
	read := struct {
		*plain
		Misspelt *int32 `json:"numberOfInstallments"`
	}{plain: (*plain)(r)}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	if r.NumberOfInstalments == nil {
		r.NumberOfInstalments = read.Misspelt
	}
	return nil
}
