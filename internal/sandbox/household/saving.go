package household

// savingsAccount is a savings account without a fixed period (docs/reference/households.md
// 4.6).
type savingsAccount struct {
	rate    int64 // basis points
	monthly ore
	accrued ore // interest since 1 January
	ledger
}

// savings returns the person's savings account as it stands on a day, or false before it
// begins. Transactions settled after since are kept.
func (p *person) savings(on, since Day) (savingsAccount, bool) {
	first := monthOf(max(2018, p.birth.year+1), 1)
	if first.day(premiumDay) > on {
		return savingsAccount{}, false
	}
	monthly := max(100, floorTo(p.between("smon", 300, 3_000, 100)*min(p.wealth, 320)/100, 100))
	s := savingsAccount{
		rate: p.between("srate", 25, 235, 5), monthly: ore(monthly) * sek,
		ledger: ledger{until: on, since: since},
	}
	for m := first; m.day(1) <= on && !s.over; m++ {
		if m.monthOfYear() == 6 && m != first {
			s.post(transaction{kind: withdrawal, settled: adjusted(m.day(15)), amount: min(8*s.monthly, s.cash), text: "Uttag"})
		}
		amount := s.monthly
		if m == first {
			amount += s.monthly * ore(p.between("sopen", 2, 12, 1))
		}
		s.post(transaction{kind: deposit, settled: adjusted(m.day(25)), amount: amount, text: "Insättning"})
		if m.monthOfYear() == 12 {
			s.post(transaction{kind: interest, settled: m.day(31), amount: s.cash.share(s.rate, basisPoints), text: "Ränta"})
		}
	}
	days := int64(on - date(yearOf(on), 1, 1))
	s.accrued = s.cash.share(s.rate*days, basisPoints*365)
	return s, true
}

// fixedAccount is a savings account with a fixed period.
type fixedAccount struct {
	amount  ore
	rate    int64 // basis points
	months  int
	start   Day // of the period that holds the day
	end     Day // the next period begins
	accrued ore
}

// fixedRates are the rates of the years in which a period starts, in basis points.
var fixedRates = series{2021, []int64{40, 150, 360, 340, 230, 210}}

// fixed returns the person's fixed-period account on a day, if there is one. It is rolled
// over at the end of each period.
func (p *person) fixed(on Day) (fixedAccount, bool) {
	if p.percent("fixed") >= 30 || p.birth.year > 1996 {
		return fixedAccount{}, false
	}
	amount := floorTo(p.between("famt", 25_000, 250_000, 5_000)*min(p.wealth, 320)/100, 5_000)
	term := p.percent("fterm") % 5
	f := fixedAccount{
		amount: ore(min(max(amount, 25_000), 1_000_000)) * sek,
		months: []int{6, 12, 24, 36, 60}[term],
	}
	start := date(2021, 1, 1) + Day(p.between("fday", 0, 700, 1))
	f.start = monthAt(start).day(min(28, start.Time().Day()))
	if f.start > on {
		return fixedAccount{}, false
	}
	for f.end = addMonths(f.start, f.months); f.end <= on; f.end = addMonths(f.start, f.months) {
		f.start = f.end
	}
	f.rate = fixedRates.at(yearOf(f.start)) + []int64{0, 5, 10, 15, 25}[term]
	f.accrue(on)
	return f, true
}

// accrue sets the interest from the start of the period to a day.
func (f *fixedAccount) accrue(on Day) {
	f.accrued = f.amount.share(f.rate*int64(on-f.start), basisPoints*365)
}
