package product

import "slices"

// The enums of docs/reference/products.md are open when read and closed when written.
// An undocumented value is kept as it was read. Its IsZero method reports true, so
// that encoding/json omits it ("omitzero"), as it omits everything unknown.

// HoldingType is the kind of instrument (docs/reference/products.md 5).
type HoldingType string

// IsZero reports whether the value is omitted when written.
func (v HoldingType) IsZero() bool { return undocumented(v) }

func (HoldingType) documented() []string { return holdingTypes }

var holdingTypes = []string{"ETF", "EQUITY", "FUND", "UNKNOWN"}

// TransactionType is the kind of investment transaction (docs/reference/products.md 5).
type TransactionType string

// IsZero reports whether the value is omitted when written.
func (v TransactionType) IsZero() bool { return undocumented(v) }

func (TransactionType) documented() []string { return transactionTypes }

var transactionTypes = []string{"BUY", "SELL", "DEPOSIT", "WITHDRAWAL", "FEE", "INTEREST", "DIVIDEND", "REDEMPTION", "OTHER"}

// Frequency is how often something is paid (docs/reference/products.md 6).
type Frequency string

// IsZero reports whether the value is omitted when written.
func (v Frequency) IsZero() bool { return undocumented(v) }

func (Frequency) documented() []string { return frequencies }

var frequencies = []string{"DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "SEMIANNUALLY", "ANNUALLY", "ONCE"}

// PeriodUnit is the unit of a TimePeriod (docs/reference/products.md 6).
type PeriodUnit string

// The units.
const (
	Day   PeriodUnit = "DAY"
	Month PeriodUnit = "MONTH"
	Year  PeriodUnit = "YEAR"
)

// IsZero reports whether the value is omitted when written.
func (v PeriodUnit) IsZero() bool { return undocumented(v) }

func (PeriodUnit) documented() []string { return periodUnits }

var periodUnits = []string{string(Day), string(Month), string(Year)}

// LoanStatus is the state of a loan (docs/reference/products.md 7).
type LoanStatus string

// IsZero reports whether the value is omitted when written.
func (v LoanStatus) IsZero() bool { return undocumented(v) }

func (LoanStatus) documented() []string { return loanStatuses }

var loanStatuses = []string{"IN_PROGRESS", "PAID_UP", "CANCELLED", "UNKNOWN"}

// InterestBindingPeriod is how long a mortgage's rate is fixed (docs/reference/products.md 7).
type InterestBindingPeriod string

// UnmarshalText reads the value and corrects the misspelling FIE_YEARS, which has
// been observed.
func (v *InterestBindingPeriod) UnmarshalText(text []byte) error {
	*v = InterestBindingPeriod(text)
	if *v == "FIE_YEARS" {
		*v = "FIVE_YEARS"
	}
	return nil
}

// IsZero reports whether the value is omitted when written.
func (v InterestBindingPeriod) IsZero() bool { return undocumented(v) }

func (InterestBindingPeriod) documented() []string { return interestBindingPeriods }

var interestBindingPeriods = []string{"THREE_MONTHS", "ONE_YEAR", "TWO_YEARS", "THREE_YEARS", "FOUR_YEARS", "FIVE_YEARS", "SEVEN_YEARS", "EIGHT_YEARS", "TEN_YEARS", "UNKNOWN"}

// PensionClass is the plan that a pension belongs to (docs/reference/products.md 8).
type PensionClass string

// IsZero reports whether the value is omitted when written.
func (v PensionClass) IsZero() bool { return undocumented(v) }

func (PensionClass) documented() []string { return pensionClasses }

var pensionClasses = []string{"ITP", "FTP", "KAP-KL", "SAF-LO", "PA16", "PA-KFS", "GTP", "BTP", "PPA07", "PPA13", "UNKNOWN_PENSION_CLASSIFICATION"}

// BenefitType is whether a pension's benefit or its contribution is defined
// (docs/reference/products.md 8).
type BenefitType string

// IsZero reports whether the value is omitted when written.
func (v BenefitType) IsZero() bool { return undocumented(v) }

func (BenefitType) documented() []string { return benefitTypes }

var benefitTypes = []string{"DEFINED_BENEFIT", "DEFINED_CONTRIBUTION", "UNKNOWN"}

// PayoutPeriodType is whether a payout period is a range of ages or of dates
// (docs/reference/products.md 8.2).
type PayoutPeriodType string

// IsZero reports whether the value is omitted when written.
func (v PayoutPeriodType) IsZero() bool { return undocumented(v) }

func (PayoutPeriodType) documented() []string { return payoutPeriodTypes }

var payoutPeriodTypes = []string{"AGE_RANGE", "DATE_RANGE"}

// MovabilityResult is whether a product can be moved (docs/reference/products.md 8.3).
type MovabilityResult string

// IsZero reports whether the value is omitted when written.
func (v MovabilityResult) IsZero() bool { return undocumented(v) }

func (MovabilityResult) documented() []string { return movabilityResults }

var movabilityResults = []string{"MOVABLE", "MOVABLE_VALCENTRAL", "MOVABLE_MEETING", "NOT_MOVABLE", "UNKNOWN"}

// enum is a type whose documented values are a closed set.
type enum interface{ documented() []string }

func undocumented[T interface {
	~string
	enum
}](v T) bool {
	return !slices.Contains(v.documented(), string(v))
}
