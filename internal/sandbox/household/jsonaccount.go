package household

import "encoding/json"

// investmentJSON is an ISK, KF, custody account or unknown investment
// (docs/reference/products.md 5).
type investmentJSON struct {
	AccountInformation   *accountInformationJSON   `json:"accountInformation"`
	FinancialInformation *financialInformationJSON `json:"financialInformation"`
	Holder               *holderJSON               `json:"holder,omitzero"`
	Holdings             []holdingJSON             `json:"holdings"`
	MonthlySavingsAmount *amountJSON               `json:"monthlySavingsAmount,omitzero"`
	Movability           *movabilityJSON           `json:"movability,omitzero"`
	PersonalInformation  *personalInformationJSON  `json:"personalInformation,omitzero"`
	ProductName          string                    `json:"productName"`
	ProductNumber        string                    `json:"productNumber"`
	Transactions         []transactionJSON         `json:"transactions,omitzero"`
	Fees                 *feesJSON                 `json:"fees,omitzero"`
}

type accountInformationJSON struct {
	CashAccountNumber     string      `json:"cashAccountNumber,omitzero"`
	CashValue             *amountJSON `json:"cashValue"`
	HasExclusiveOwnership *bool       `json:"hasExclusiveOwnership,omitzero"`
	InterestRate          json.Number `json:"interestRate,omitzero"`
}

// insuranceFee is the yearly fee of a KF, in parts per million.
const insuranceFee = 4_000

// accountNames are the names of the products of each kind.
var accountNames = map[accountKind]string{
	isk:            "Norrglim Depå Investeringssparkonto",
	kf:             "Ripvinge Försäkring Kapitalförsäkring",
	custodyAccount: "Norrglim Depå Aktie- och fonddepå",

	unknownInvestment: "Norrglim Depå Sparande",
}

// unknownInvestment is a type that only the maximum and the minimum person have.
const unknownInvestment = "UNKNOWN_INVESTMENT_TYPE"

// product returns the account as it stands on a day.
func (a *account) product(on Day) Product {
	a.fold(on, yearBefore(on))
	p := a.person
	j := investmentJSON{ProductName: accountNames[a.kind], ProductNumber: p.accountNumber(string(a.kind))}
	if a.kind == kf {
		j.ProductNumber = p.insuranceNumber(string(a.kind))
	}
	thin := p.thin(j.ProductNumber)
	value := a.value(on)
	j.AccountInformation = &accountInformationJSON{CashValue: a.cash.json()}
	j.FinancialInformation = &financialInformationJSON{CurrentValue: value.json()}
	j.Holdings = a.holdingsJSON(on, thin)
	if thin {
		return Product{string(a.kind), encode(&j)}
	}
	j.PersonalInformation, j.Holder = p.personalInformation(), p.holder()
	j.AccountInformation.CashAccountNumber = j.ProductNumber
	j.AccountInformation.HasExclusiveOwnership = yes()
	j.AccountInformation.InterestRate = perMillion(a.cashRate)
	j.FinancialInformation.TotalDeposits = a.deposits.json()
	j.FinancialInformation.PerformanceSinceStart = performance(value, a.withdrawals, a.deposits)
	if monthly := a.saving(on); monthly > 0 {
		j.MonthlySavingsAmount = monthly.json()
	}
	j.Movability = &movabilityJSON{movable}
	if a.kind == kf {
		j.Movability.Result = movableMeeting
		j.Fees = &feesJSON{Personalized: &feeJSON{
			Fixed: ore(0).json(), Variable: perMillion(insuranceFee), PreviousYear: a.lastYearFees.json(),
		}}
	}
	j.Transactions = a.transactionsJSON()
	return Product{string(a.kind), encode(&j)}
}

func (l *ledger) holdingsJSON(on Day, thin bool) []holdingJSON {
	list := []holdingJSON{}
	for i, position := range l.positions {
		if position.units == 0 {
			continue
		}
		h := holding(number(i+1), position.units, on, thin)
		if !thin {
			h.AcquisitionValue = position.acquired.json()
		}
		list = append(list, h)
	}
	return list
}
