package product

import "samla/internal/money"

// Pension is a pension of any type except the public one
// (docs/reference/products.md 8). Only occupational pensions have BenefitType, and
// only collective ones ManagementInstitutions.
type Pension struct {
	Head
	ProductName            string                `json:"productName,omitzero"`
	ProductNumber          string                `json:"productNumber,omitzero" rule:"identity"`
	StartDate              Date                  `json:"startDate,omitzero"`
	Classification         PensionClass          `json:"classification,omitzero"`
	SubClassification      ReadOnly              `json:"subClassification,omitzero"`
	BenefitType            BenefitType           `json:"benefitType,omitzero" of:"COLLECTIVE_OCCUPATIONAL_PENSION OCCUPATIONAL_PENSION"`
	ActivePayment          *bool                 `json:"activePayment,omitzero"`
	ActivePayout           *bool                 `json:"activePayout,omitzero"`
	PayoutDetails          []PayoutDetails       `json:"payoutDetails,omitzero"`
	FinancialInformation   *FinancialInformation `json:"financialInformation,omitzero"`
	Holdings               []Holding             `json:"holdings,omitzero" rule:"limit=2000"`
	Fees                   *Fees                 `json:"fees,omitzero"`
	Holder                 *Holder               `json:"holder,omitzero"`
	Insurance              ReadOnly              `json:"insurance,omitzero"`
	OtherInsuredPerson     *bool                 `json:"otherInsuredPerson,omitzero"`
	Movability             *Movability           `json:"movability,omitzero"`
	ManagementInstitutions ReadOnly              `json:"managementInstitutions,omitzero" of:"COLLECTIVE_OCCUPATIONAL_PENSION"`
	PersonalInformation    *PersonalInformation  `json:"personalInformation,omitzero"`
}

// PayoutDetails is one part of a pension's payout plan (docs/reference/products.md 8.2).
type PayoutDetails struct {
	Active         *bool         `json:"active,omitzero"`
	Amount         *money.Amount `json:"amount,omitzero"` // per month
	LifelongPayout *bool         `json:"lifelongPayout,omitzero"`
	Period         *PayoutPeriod `json:"period,omitzero"`
}

// PayoutPeriod is a range of ages (years) or of dates, depending on its type. A range
// without an end is lifelong.
type PayoutPeriod struct {
	Type      PayoutPeriodType `json:"type,omitzero" rule:"discriminator"`
	StartAge  *int32           `json:"startAge,omitzero" of:"AGE_RANGE"`
	EndAge    *int32           `json:"endAge,omitzero" of:"AGE_RANGE"`
	StartDate Date             `json:"startDate,omitzero" of:"DATE_RANGE"`
	EndDate   Date             `json:"endDate,omitzero" of:"DATE_RANGE"`
}

// PublicPension is the state pension (docs/reference/products.md 8.5). A nil
// GuaranteePension means that the person is not entitled to one.
type PublicPension struct {
	Head
	IncomePension       *money.Amount        `json:"incomePension,omitzero"`
	PremiumPension      *money.Amount        `json:"premiumPension,omitzero"`
	GuaranteePension    *money.Amount        `json:"guaranteePension,omitzero"`
	UpdatedDate         Date                 `json:"updatedDate,omitzero"`
	PersonalInformation *PersonalInformation `json:"personalInformation,omitzero"`
}
