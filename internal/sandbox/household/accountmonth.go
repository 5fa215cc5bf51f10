package household

// fold posts everything that settles from the start of the account to a day. Transactions
// settled after since are kept.
func (a *account) fold(until, since Day) {
	a.ledger = ledger{until: until, since: since}
	year, january := 0, yearTax{}
	for m := a.start; m.day(1) <= until && !a.over; m++ {
		if m.year() != year {
			year = m.year()
			january = yearTax{value: a.value(m.day(1)), deposits: a.deposits}
			if m == a.start {
				january.value = 0
			}
		}
		a.month(m, january)
	}
}

// yearTax is what the tax of a KF is computed from.
type yearTax struct {
	value    ore // on 1 January
	deposits ore // up to then
}

// month posts the transactions of a month in their order.
func (a *account) month(m month, january yearTax) {
	switch m.monthOfYear() {
	case 5:
		a.dividends(m)
	case 6:
		a.redemption(m)
		a.withdrawal(m)
	case 10:
		a.rebalance(m)
	}
	if a.kind == kf && m.monthOfYear()%3 == 0 {
		a.insuranceFee(m, january)
	}
	a.save(m)
	if m.monthOfYear() == 12 {
		a.post(transaction{kind: interest, settled: m.day(31), amount: a.cash.share(a.cashRate, million), text: "Ränta på likvida medel"})
	}
}

// dividends posts what shares pay, with the tax that is withheld in a custody account.
func (a *account) dividends(m month) {
	day := adjusted(m.day(8))
	for n := number(21); n <= lastNumber; n++ {
		if a.units(n) == 0 {
			continue
		}
		perMille := int64(20 + commonKey("dy/"+n.instrument().isin)%26)
		amount := a.perUnit(n, price(n, (m-2).day(31)), perMille)
		a.post(transaction{kind: dividend, settled: day, number: n, price: amount, amount: valueOf(a.units(n), amount), text: "Utdelning " + n.instrument().name})
		if a.kind == custodyAccount {
			a.post(transaction{kind: other, settled: day, amount: valueOf(a.units(n), amount).share(30, 100), text: "Preliminärskatt"})
		}
	}
}

// perUnit returns what is paid for a unit, in whole öre.
func (a *account) perUnit(n number, p scaled, perMille int64) scaled {
	return floorTo(p*scaled(perMille)/1000, 100)
}

// redemption posts the yearly redemption of the one share that has it.
func (a *account) redemption(m month) {
	const n number = 21
	amount := a.perUnit(n, price(n, (m-1).day(31)), 15)
	a.post(transaction{kind: redemption, settled: adjusted(m.day(10)), number: n, price: amount, amount: valueOf(a.units(n), amount), text: "Inlösen " + n.instrument().name})
}

// withdrawal posts the sale of a part of the largest fund, and takes out the proceeds.
func (a *account) withdrawal(m month) {
	retired := a.age(m.day(1)) >= retirementAge
	traded := adjusted(m.day(18))
	largest := a.largestFund(traded)
	if !retired && !a.withdraws || largest == 0 {
		return
	}
	units := a.units(largest) * 8 / 100
	if !retired {
		units = unitsFor(3*a.monthly, price(largest, traded))
	}
	settled := weekdaysAfter(traded, 2)
	amount := a.sellFund(largest, units, traded, settled)
	a.post(transaction{kind: withdrawal, settled: settled, amount: amount, text: "Uttag"})
}

// rebalance moves a tenth of the largest fund to the smallest.
func (a *account) rebalance(m month) {
	traded := adjusted(m.day(15))
	largest := a.largestFund(traded)
	if largest == 0 || a.smallestFund(traded, largest) == 0 {
		return
	}
	settled := weekdaysAfter(traded, 2)
	amount := a.sellFund(largest, a.units(largest)/10, traded, settled)
	a.buy(a.smallestFund(settled, largest), amount, settled)
}

// insuranceFee posts the quarterly fee of a KF, and the yearly tax. If the cash is short,
// units of the largest fund are sold the same day.
func (a *account) insuranceFee(m month, january yearTax) {
	traded := adjusted(m.day(20))
	settled := weekdaysAfter(traded, 2)
	pay := func(kind transactionKind, amount ore, text string) {
		if missing := amount - a.cash; missing > 0 {
			if largest := a.largestFund(traded); largest > 0 {
				a.sellFund(largest, unitsFor(missing, price(largest, traded))+1, traded, settled)
			}
		}
		a.post(transaction{kind: kind, settled: settled, amount: min(amount, a.cash), text: text})
	}
	pay(fee, a.value(traded).share(insuranceFee, 4*million), "Försäkringsavgift")
	if m.monthOfYear() == 12 {
		pay(other, a.insuranceTax(m.year(), january), "Avkastningsskatt")
	}
}

// insuranceTax is 30 percent of a share of the year's capital (docs/reference/households.md 4.5).
func (a *account) insuranceTax(year int, january yearTax) ore {
	var free ore
	switch {
	case a.taxFree, year < 2025:
	case year == 2025:
		free = 150_000 * sek
	default:
		free = 300_000 * sek
	}
	capital := max(0, january.value+a.deposits-january.deposits-free)
	return capital.share(insuranceTaxBase.at(year)*30, 10_000*100)
}

// save posts the monthly deposit and what is bought for it. In March and September all
// cash above 500 SEK buys one of the shares and ETFs, in turn.
func (a *account) save(m month) {
	day := adjusted(m.day(25))
	amount := a.saving(day)
	if m == a.start {
		amount += a.first
	}
	a.post(transaction{kind: deposit, settled: day, amount: amount, text: "Insättning"})
	for _, f := range a.funds {
		if budget := amount * ore(f.weight*a.fundShare/100) / 100; budget > 0 {
			a.buy(f.number, budget, weekdaysAfter(day, 1))
		}
	}
	if half := m.monthOfYear(); len(a.shares) > 0 && (half == 3 || half == 9) {
		turn := 2*m.year() + half/9
		a.buy(a.shares[turn%len(a.shares)], a.cash-500*sek, weekdaysAfter(day, 2))
	}
}
