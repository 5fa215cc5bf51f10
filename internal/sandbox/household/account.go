package household

// accountKind is the type of an investment account.
type accountKind string

const (
	isk            accountKind = "ISK"
	kf             accountKind = "KF"
	custodyAccount accountKind = "CUSTODY_ACCOUNT"
)

// accountKinds are the kinds in the order in which they are listed, and the first year in
// which an account of each may start.
var accountKinds = []struct {
	kind  accountKind
	since int64
}{{isk, 2012}, {kf, 2005}, {custodyAccount, 2001}}

// account is an investment account and how it is used (docs/reference/households.md 4.5).
type account struct {
	*person
	kind      accountKind
	start     month
	monthly   ore // what is saved each month during the years of work
	first     ore // what the first deposit has more than the others
	funds     []weight
	shares    []number // shares and ETFs, bought in turn
	fundShare int64    // percent of a deposit that buys funds
	cashRate  int64    // parts per million a year
	withdraws bool     // takes money out each June before the age of 67
	taxFree   bool     // the person has an ISK, which uses up what is free of tax
	ledger
}

// has reports whether the person has an account of a kind by the draws alone.
func (p *person) has(kind accountKind) bool {
	c := &careers[p.career]
	chance := map[accountKind]int{isk: c.isk, kf: c.kf, custodyAccount: c.custody}
	drawn := func(k accountKind) bool { return p.percent("has/"+string(k)) < chance[k] }
	return drawn(kind) || kind == isk && !drawn(kf) && !drawn(custodyAccount)
}

// newAccount returns an account before its first month.
func (p *person) newAccount(kind accountKind, since int64) *account {
	label := string(kind)
	a := &account{person: p, kind: kind, taxFree: p.has(isk)}
	limits := careers[p.career].monthlySaving
	base := p.between("imon", limits[0], limits[1], 100)
	a.monthly = ore(min(max(floorTo(base*min(p.wealth, 500)/100, 100), 200), 15_000)) * sek
	adult := int64(p.birth.year) + 18
	if p.birth.year >= 2009 {
		adult++
	}
	low := max(since, adult)
	year := int(p.between("start/"+label, low, max(low, 2023), 1))
	a.start = monthOf(year, int(p.between("smonth/"+label, 1, 12, 1)))
	a.first = ore(base*p.wealth/100*p.between("lump/"+label, 0, 24, 1)) * sek
	a.funds = fundsOf(p.percent("alloc/"+label), year-p.birth.year)
	a.shares = p.sharesOf(kind)
	a.fundShare = 100
	switch {
	case len(a.shares) > 0:
		a.fundShare = 60
	case kind == kf:
		a.fundShare = 97
	}
	a.cashRate = p.between("cashrate/"+label, 0, 10_000, 2_500)
	a.withdraws = p.percent("wdr/"+label) < 25
	return a
}

// saving returns what is saved in the month of a day.
func (a *account) saving(on Day) ore {
	switch {
	case a.age(on) >= retirementAge:
		return 0
	case on < a.work:
		return 3 * a.monthly / 10
	}
	return a.monthly
}
