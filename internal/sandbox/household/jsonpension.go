package household

// pensionJSON is a pension of any type but the public one (docs/reference/products.md 8).
type pensionJSON struct {
	ProductName          string                    `json:"productName"`
	ProductNumber        string                    `json:"productNumber"`
	StartDate            string                    `json:"startDate,omitzero"`
	Classification       string                    `json:"classification,omitzero"`
	BenefitType          string                    `json:"benefitType,omitzero"`
	ActivePayment        *bool                     `json:"activePayment"`
	ActivePayout         *bool                     `json:"activePayout"`
	PayoutDetails        []payoutJSON              `json:"payoutDetails,omitzero"`
	FinancialInformation *financialInformationJSON `json:"financialInformation,omitzero"`
	Holdings             []holdingJSON             `json:"holdings,omitzero"`
	Fees                 *feesJSON                 `json:"fees,omitzero"`
	Holder               *holderJSON               `json:"holder,omitzero"`
	OtherInsuredPerson   *bool                     `json:"otherInsuredPerson,omitzero"`
	Movability           *movabilityJSON           `json:"movability,omitzero"`
	PersonalInformation  *personalInformationJSON  `json:"personalInformation,omitzero"`
}

type payoutJSON struct {
	Active         *bool       `json:"active"`
	Amount         *amountJSON `json:"amount"`
	LifelongPayout *bool       `json:"lifelongPayout"`
	Period         periodJSON  `json:"period"`
}

type periodJSON struct {
	Type      string `json:"type"`
	StartAge  int    `json:"startAge,omitzero"`
	EndAge    int    `json:"endAge,omitzero"`
	StartDate string `json:"startDate,omitzero"`
	EndDate   string `json:"endDate,omitzero"`
}

// product returns the pension as it stands on a day.
func (s *pension) product(on Day) Product {
	p := s.person
	value := s.value(on)
	j := pensionJSON{
		ProductName: s.name, ProductNumber: p.insuranceNumber(s.name), Classification: s.class,
		ActivePayment: boolJSON(s.active), ActivePayout: boolJSON(s.payoutActive),
	}
	if s.typ == ips {
		j.ProductNumber = p.accountNumber(s.name)
	}
	switch {
	case s.finalDue:
		j.BenefitType = "DEFINED_BENEFIT"
	case s.typ == collective, s.typ == occupational:
		j.BenefitType = "DEFINED_CONTRIBUTION"
	}
	thin := p.thin(j.ProductNumber)
	if !s.finalDue {
		j.FinancialInformation = &financialInformationJSON{CurrentValue: value.json()}
	}
	if !s.payoutActive {
		for i, units := range s.units {
			if units > 0 {
				j.Holdings = append(j.Holdings, holding(s.funds[i].number, units, on, thin))
			}
		}
	}
	if thin {
		return Product{s.typ, encode(&j)}
	}
	j.StartDate = dateJSON(s.first.day(1))
	j.PersonalInformation, j.Holder, j.OtherInsuredPerson = p.personalInformation(), p.holder(), no()
	j.PayoutDetails = []payoutJSON{s.payout(value)}
	j.Movability = &movabilityJSON{s.movability}
	if s.payoutActive {
		j.Movability.Result = notMovable
	}
	if s.finalDue {
		return Product{s.typ, encode(&j)}
	}
	if !s.payoutActive {
		j.FinancialInformation.TotalDeposits = s.paid.json()
		j.FinancialInformation.PerformanceSinceStart = performance(value, 0, s.paid)
	}
	j.Fees = s.feesJSON()
	return Product{s.typ, encode(&j)}
}

// payout returns the plan of payout, by ages before it starts and by dates after.
func (s *pension) payout(value ore) payoutJSON {
	amount := s.payment
	if amount == 0 && s.payments == 0 && !s.finalDue {
		amount = s.perMonth(value)
	}
	j := payoutJSON{Active: boolJSON(s.payoutActive), Amount: amount.json(), LifelongPayout: boolJSON(s.years == 0)}
	if s.payoutActive {
		j.Period = periodJSON{Type: "DATE_RANGE", StartDate: dateJSON(s.payoutStart)}
		if s.years > 0 {
			j.Period.EndDate = dateJSON(addMonths(s.payoutStart, 12*s.years) - 1)
		}
		return j
	}
	j.Period = periodJSON{Type: "AGE_RANGE", StartAge: s.payoutAge}
	if s.years > 0 {
		j.Period.EndAge = s.payoutAge + s.years
	}
	return j
}

func (s *pension) feesJSON() *feesJSON {
	j := &feeJSON{Fixed: s.fixedFee.json(), Variable: perMillion(s.fee)}
	if s.person.percent("feekind/"+s.name) < 25 {
		return &feesJSON{Generic: j}
	}
	j.PreviousYear = (s.fixedFee + s.lastYear.share(s.fee, million)).json()
	return &feesJSON{Personalized: j}
}

// publicPensionJSON is docs/reference/products.md 8.5.
type publicPensionJSON struct {
	IncomePension       *amountJSON              `json:"incomePension,omitzero"`
	PremiumPension      *amountJSON              `json:"premiumPension,omitzero"`
	GuaranteePension    *amountJSON              `json:"guaranteePension,omitzero"`
	UpdatedDate         string                   `json:"updatedDate,omitzero"`
	PersonalInformation *personalInformationJSON `json:"personalInformation,omitzero"`
}

const publicPensionType = "PUBLIC_PENSION"

// product returns the public pension as it stands on a day.
func (s publicPension) product(p *person, on Day) Product {
	j := publicPensionJSON{PersonalInformation: p.personalInformation(), UpdatedDate: dateJSON(date(yearOf(on), 1, 15))}
	if s.known {
		j.IncomePension, j.PremiumPension = s.income.json(), s.premium.json()
	}
	if s.guarantee > 0 {
		j.GuaranteePension = s.guarantee.json()
	}
	return Product{publicPensionType, encode(&j)}
}
