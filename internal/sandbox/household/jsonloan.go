package household

import (
	"encoding/json"
	"math/big"
)

// loanJSON is a mortgage or an unsecured loan (docs/reference/products.md 7).
type loanJSON struct {
	LoanID                string                   `json:"loanId"`
	Status                string                   `json:"status"`
	FirstDrawDownDate     string                   `json:"firstDrawDownDate"`
	FinancedObject        string                   `json:"financedObject,omitzero"`
	Interest              loanInterestJSON         `json:"interest"`
	InterestBindingPeriod string                   `json:"interestBindingPeriod,omitzero"`
	LoanDetails           loanDetailsJSON          `json:"loanDetails"`
	NextPayment           *nextPaymentJSON         `json:"nextPayment,omitzero"`
	Owners                []ownerJSON              `json:"owners"`
	RepaymentSchedule     *scheduleJSON            `json:"repaymentSchedule,omitzero"`
	PersonalInformation   *personalInformationJSON `json:"personalInformation,omitzero"`
}

type loanInterestJSON struct {
	Rate               json.Number `json:"rate"`
	BaseRate           json.Number `json:"baseRate,omitzero"`
	Discount           json.Number `json:"discount,omitzero"`
	EffectiveRate      json.Number `json:"effectiveRate,omitzero"`
	DiscountEndDate    string      `json:"discountEndDate,omitzero"`
	PeriodStartDate    string      `json:"periodStartDate,omitzero"`
	RateAdjustmentDate string      `json:"rateAdjustmentDate,omitzero"`
}

type loanDetailsJSON struct {
	Balance *amountJSON `json:"balance"`
	Granted *amountJSON `json:"granted"`
	Paid    *amountJSON `json:"paid"`
}

type nextPaymentJSON struct {
	Date       string      `json:"date"`
	Instalment *amountJSON `json:"instalment"`
	Interest   *amountJSON `json:"interest"`
	Total      *amountJSON `json:"total"`
}

type ownerJSON struct {
	Name            string      `json:"name"`
	SharePercentage json.Number `json:"sharePercentage"` // a fraction, docs/reference/products.md 7
}

type scheduleJSON struct {
	FinalDebt           json.Number `json:"finalDebt"` // whole SEK
	FinalPaymentDate    string      `json:"finalPaymentDate"`
	NumberOfInstalments int         `json:"numberOfInstalments"`
	RepaymentDayOfMonth int         `json:"repaymentDayOfMonth"`
}

const (
	mortgageType  = "MORTGAGE_LOAN"
	unsecuredType = "UNSECURED_LOAN"
)

// product returns the loan as it stands on a day.
func (l *loan) product(p *person, on Day) Product {
	balance := l.balance(on)
	j := loanJSON{
		LoanID: p.loanNumber(l.label), Status: "IN_PROGRESS", FirstDrawDownDate: dateJSON(l.drawn),
		Interest:    loanInterestJSON{Rate: ratioOf(l.rate)},
		LoanDetails: loanDetailsJSON{balance.json(), l.granted.json(), (l.granted - balance).json()},
		Owners:      []ownerJSON{{p.name(), "1"}},
	}
	thin := p.thin(j.LoanID)
	if !thin {
		j.PersonalInformation = p.personalInformation()
	}
	if balance > 0 {
		j.NextPayment = l.nextPayment(on)
		if !thin {
			j.RepaymentSchedule = l.schedule(on).json(l.dueDay)
		}
	} else {
		j.Status = "PAID_UP"
	}
	if l.mortgage == nil {
		return Product{unsecuredType, encode(&j)}
	}
	j.FinancedObject = l.mortgage.home
	j.InterestBindingPeriod = l.mortgage.binding.name
	j.Interest = l.mortgage.interest(l.rate, thin)
	if p.couple() {
		j.Owners = []ownerJSON{{p.name(), "0.5"}, {p.partner(), "0.5"}}
	}
	return Product{mortgageType, encode(&j)}
}

func (l *loan) nextPayment(on Day) *nextPaymentJSON {
	balance := l.balance(on)
	instalment := min(l.instalment, balance)
	interest := balance.share(l.rate, 12*basisPoints)
	return &nextPaymentJSON{
		Date: dateJSON(l.nextDue(on).day(l.dueDay)), Instalment: instalment.json(),
		Interest: interest.json(), Total: (instalment + interest).json(),
	}
}

func (s schedule) json(dueDay int) *scheduleJSON {
	return &scheduleJSON{decimal(int64(s.finalDebt/sek), 0), dateJSON(s.last), s.instalments, dueDay}
}

func (m *mortgage) interest(rate int64, thin bool) loanInterestJSON {
	j := loanInterestJSON{Rate: ratioOf(rate), RateAdjustmentDate: dateJSON(m.periodEnd)}
	if !thin {
		j.BaseRate, j.Discount = ratioOf(m.list), ratioOf(m.discount)
		j.DiscountEndDate, j.PeriodStartDate = j.RateAdjustmentDate, dateJSON(m.periodStart)
		j.EffectiveRate = ratioOf(effectiveMonthly(rate))
	}
	return j
}

// effectiveMonthly returns the yearly rate of a rate that is paid each month, both in
// basis points: (1 + rate / 12)^12 - 1, rounded half up.
func effectiveMonthly(rate int64) int64 {
	const year = 12 * basisPoints
	twelve := big.NewInt(12)
	whole := new(big.Int).Exp(big.NewInt(year), twelve, nil)
	grown := new(big.Int).Exp(big.NewInt(year+rate), twelve, nil)
	grown.Sub(grown, whole).Mul(grown, big.NewInt(2*basisPoints)).Add(grown, whole)
	return grown.Div(grown, whole.Lsh(whole, 1)).Int64()
}
