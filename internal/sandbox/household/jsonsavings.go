package household

import (
	"encoding/json"
	"math/big"
)

// savingsJSON is a savings account, with or without a fixed period
// (docs/reference/products.md 6).
type savingsJSON struct {
	AccountHolderName     string                   `json:"accountHolderName,omitzero"`
	AccountName           string                   `json:"accountName"`
	AccountNumber         string                   `json:"accountNumber"`
	BIC                   string                   `json:"bic,omitzero"`
	IBAN                  string                   `json:"iban,omitzero"`
	CurrentValue          *amountJSON              `json:"currentValue"`
	Interest              savingsInterestJSON      `json:"interest"`
	Deposit               *depositJSON             `json:"deposit,omitzero"`
	DepositGuarantee      *bool                    `json:"depositGuarantee"`
	HasExclusiveOwnership *bool                    `json:"hasExclusiveOwnership,omitzero"`
	CanDeposit            *bool                    `json:"canDeposit"`
	CanWithdraw           *bool                    `json:"canWithdraw"`
	BindingPeriod         *bindingJSON             `json:"bindingPeriod,omitzero"`
	PersonalInformation   *personalInformationJSON `json:"personalInformation,omitzero"`
	Transactions          []transactionJSON        `json:"transactionsLast12Months,omitzero"`
}

type savingsInterestJSON struct {
	Rate                json.Number     `json:"rate"`
	EffectiveRate       json.Number     `json:"effectiveRate,omitzero"`
	AccruedInterest     *amountJSON     `json:"accruedInterest"`
	PayoutFrequency     string          `json:"payoutFrequency"`
	RateConditionRanges []rateRangeJSON `json:"rateConditionRanges,omitzero"`
}

type rateRangeJSON struct {
	MinAmount *amountJSON `json:"minAmount"`
	MaxAmount *amountJSON `json:"maxAmount"`
	Rate      json.Number `json:"rate"`
}

type depositJSON struct {
	Amount    *amountJSON `json:"amount"`
	Frequency string      `json:"frequency"`
}

type bindingJSON struct {
	StartDate       string      `json:"startDate"`
	EndDate         string      `json:"endDate"`
	LengthPeriod    lengthJSON  `json:"lengthPeriod"`
	AutoRenewal     *bool       `json:"autoRenewal"`
	CancellationFee *amountJSON `json:"cancellationFee"`
}

type lengthJSON struct {
	PeriodLength int    `json:"periodLength"`
	PeriodUnit   string `json:"periodUnit"`
}

const (
	savingsType = "GENERAL_SAVINGS_ACCOUNT"
	fixedType   = "GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD"
)

// bic is that of the invented savings bank; 0 as the eighth character marks a test code.
const bic = "NEJOSES0"

// savingsHead returns the members that both kinds of accounts have, and whether the rest
// of the account is thin.
func (p *person) savingsHead(name, label string) (j savingsJSON, thin bool) {
	j = savingsJSON{AccountName: name, AccountNumber: p.accountNumber(label), DepositGuarantee: yes()}
	if p.thin(j.AccountNumber) {
		return j, true
	}
	j.AccountHolderName, j.PersonalInformation = p.name(), p.personalInformation()
	j.BIC, j.IBAN = bic, p.iban(label)
	j.HasExclusiveOwnership = boolJSON(p.full || p.percent("joint") >= 10)
	return j, false
}

func (s *savingsAccount) product(p *person) Product {
	j := s.json(p)
	return Product{savingsType, encode(&j)}
}

func (s *savingsAccount) json(p *person) savingsJSON {
	j, thin := p.savingsHead("Nejonskär Bank Sparkonto", "savings")
	j.CurrentValue = s.cash.json()
	j.Interest = savingsInterestJSON{Rate: ratioOf(s.rate), AccruedInterest: s.accrued.json(), PayoutFrequency: "ANNUALLY"}
	j.CanDeposit, j.CanWithdraw = yes(), yes()
	if !thin {
		j.Deposit = &depositJSON{s.monthly.json(), "MONTHLY"}
		j.Transactions = s.transactionsJSON()
	}
	return j
}

func (f *fixedAccount) product(p *person) Product {
	j := f.json(p)
	return Product{fixedType, encode(&j)}
}

func (f *fixedAccount) json(p *person) savingsJSON {
	j, _ := p.savingsHead("Nejonskär Bank Fasträntekonto", "fixed")
	j.CurrentValue = f.amount.json()
	j.Interest = savingsInterestJSON{Rate: ratioOf(f.rate), AccruedInterest: f.accrued.json(), PayoutFrequency: "ONCE"}
	if f.months > 12 {
		j.Interest.EffectiveRate = ratioOf(effectiveOnce(f.rate, f.months/12))
	}
	j.BindingPeriod = &bindingJSON{
		StartDate: dateJSON(f.start), EndDate: dateJSON(f.end), LengthPeriod: lengthJSON{f.months, "MONTH"},
		AutoRenewal: yes(), CancellationFee: f.amount.share(1, 100).json(),
	}
	if f.months%12 == 0 {
		j.BindingPeriod.LengthPeriod = lengthJSON{f.months / 12, "YEAR"}
	}
	j.CanDeposit, j.CanWithdraw = no(), no()
	return j
}

// effectiveOnce returns the yearly rate of a rate that is paid once after years, both in
// basis points: (1 + rate × years)^(1 / years) - 1, rounded half up.
func effectiveOnce(rate int64, years int) int64 {
	const two = 2 * basisPoints
	power := big.NewInt(int64(years))
	paid := new(big.Int).Exp(big.NewInt(two), power, nil)
	paid.Mul(paid, big.NewInt(basisPoints+rate*int64(years)))
	for e := rate; ; e-- { // the highest e with (1 + e - 0.5)^years not above what is paid
		grown := new(big.Int).Exp(big.NewInt(two+2*e-1), power, nil)
		if grown.Mul(grown, big.NewInt(basisPoints)).Cmp(paid) <= 0 {
			return e
		}
	}
}
