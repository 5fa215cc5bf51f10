package household

// The products of the maximum person that no household has like this.

func (p *person) maximumAccount(kind accountKind, on Day) Product {
	typ := string(kind)
	l := maximumLedger(on)
	value, deposits := l.value(on)+unknownValue, l.deposits+unknownCost
	j := investmentJSON{
		ProductName: accountNames[kind], ProductNumber: p.accountNumber(typ),
		PersonalInformation: p.personalInformation(), Holder: p.holder(),
		AccountInformation: &accountInformationJSON{
			CashValue: l.cash.json(), CashAccountNumber: p.accountNumber(typ),
			HasExclusiveOwnership: yes(), InterestRate: perMillion(2_500),
		},
		FinancialInformation: &financialInformationJSON{
			value.json(), performance(value, l.withdrawals, deposits), deposits.json(),
		},
		Holdings:             p.maximumHoldings(l, on, kind == isk || kind == custodyAccount),
		MonthlySavingsAmount: (2_000 * sek).json(),
		Movability:           &movabilityJSON{maximumMovability[typ]},
		Transactions:         l.transactionsJSON(),
	}
	if kind == kf {
		j.ProductNumber = p.insuranceNumber(typ)
		j.AccountInformation.CashAccountNumber = j.ProductNumber
		j.Fees = maximumFees()
	}
	return Product{typ, encode(&j)}
}

func maximumFees() *feesJSON {
	return &feesJSON{Personalized: &feeJSON{(240 * sek).json(), perMillion(4_000), ore(1_123_45).json()}}
}

// maximumPension has three parts of payout: ten years by age, five years by date, and for
// life by age.
func (p *person) maximumPension(typ string, on Day) Product {
	l := maximumLedger(on)
	holdings := p.maximumHoldings(l, on, false)
	value, deposits := l.value(on)-l.cash+unknownValue, unknownCost
	for _, position := range l.positions {
		deposits += position.acquired
	}
	age := max(65, p.age(on)+2)
	from := p.after(age + 10)
	amount := value / (1200 * 45) * sek
	j := pensionJSON{
		ProductName: maximumNames[typ], ProductNumber: p.insuranceNumber(typ), StartDate: dateJSON(monthsBefore(on, 120)),
		Classification: "ITP", PersonalInformation: p.personalInformation(), Holder: p.holder(),
		OtherInsuredPerson: no(), ActivePayment: yes(), ActivePayout: no(),
		PayoutDetails: []payoutJSON{
			{no(), amount.json(), no(), periodJSON{Type: "AGE_RANGE", StartAge: age, EndAge: age + 10}},
			{no(), amount.json(), no(), periodJSON{Type: "DATE_RANGE", StartDate: dateJSON(from), EndDate: dateJSON(addMonths(from, 60) - 1)}},
			{no(), amount.json(), yes(), periodJSON{Type: "AGE_RANGE", StartAge: age + 15}},
		},
		FinancialInformation: &financialInformationJSON{value.json(), performance(value, 0, deposits), deposits.json()},
		Holdings:             holdings, Fees: maximumFees(), Movability: &movabilityJSON{maximumMovability[typ]},
	}
	switch typ {
	case collective, occupational:
		j.BenefitType = "DEFINED_CONTRIBUTION"
	case unknown:
		j.Holder, j.OtherInsuredPerson = &holderJSON{p.partner()}, yes()
	}
	return Product{typ, encode(&j)}
}

var maximumNames = map[string]string{
	collective:   "Älvglimt Pension ITP1 Fond",
	occupational: "Ripvinge Depåförsäkring Tjänstepension",
	private:      "Ripvinge Privat Pension",
	ips:          "Norrglim IPS",
	unknown:      "Granskugga Liv Fribrev",
}

func (p *person) maximumSavings(typ string, on Day) Product {
	s := savingsAccount{rate: 150, monthly: 1_500 * sek, ledger: ledger{until: on, since: yearBefore(on)}}
	m := monthAt(on) - 11
	s.post(transaction{kind: deposit, settled: adjusted(m.day(5)), amount: 120_000 * sek, text: "Insättning"})
	s.post(transaction{kind: withdrawal, settled: adjusted((m + 3).day(15)), amount: 4_500 * sek, text: "Uttag"})
	s.post(transaction{kind: interest, settled: adjusted((m + 6).day(20)), amount: 866_25, text: "Ränta"})
	s.accrued = 433_12
	f := fixedAccount{amount: s.cash, rate: 235, months: 24, start: monthsBefore(on, 6)}
	f.end = addMonths(f.start, f.months)
	f.accrue(on)
	var j savingsJSON
	if typ == fixedType {
		j = f.json(p)
		j.CanDeposit, j.CanWithdraw = yes(), yes()
	} else {
		j = s.json(p)
		j.Interest.EffectiveRate = j.Interest.Rate
	}
	j.Deposit = &depositJSON{s.monthly.json(), "MONTHLY"}
	j.Transactions = s.transactionsJSON()
	limit := (100_000 * sek).json()
	j.Interest.RateConditionRanges = []rateRangeJSON{
		{ore(0).json(), limit, j.Interest.Rate},
		{limit, (1_150_000 * sek).json(), "0.0175"},
	}
	return Product{typ, encode(&j)}
}
