package household

// plan is a pension and its rules (docs/reference/households.md 1.2 and 4.4).
type plan struct {
	typ        string // of docs/reference/products.md 2
	name       string
	class      string   // classification, of collective plans
	funds      []weight // unit-linked, or none: traditional
	payoutAge  int      // the payout starts on the first day of the month after this birthday
	years      int      // of payout; 0 is for life
	fee        int64    // parts per million of the value a year
	fixedFee   ore      // a year
	movability string
	finalDue   bool // benefit is a share of the final salary: ITP 2
	listedFrom Day  // not shown before

	// premium returns what is paid on the 25th of a month at an age; 0 is nothing.
	premium func(m month, age int) ore
}

const (
	collective   = "COLLECTIVE_OCCUPATIONAL_PENSION"
	occupational = "OCCUPATIONAL_PENSION"
	private      = "PRIVATE_PENSION"
	ips          = "IPS_PENSION"
	unknown      = "UNKNOWN_PENSION_TYPE"
)

const (
	movable        = "MOVABLE"
	movableCentral = "MOVABLE_VALCENTRAL"
	movableMeeting = "MOVABLE_MEETING"
	notMovable     = "NOT_MOVABLE"
	movableUnknown = "UNKNOWN"
)

// plans returns the pensions that a person may have, in the order in which they are
// listed.
func (p *person) plans() []plan {
	list := make([]plan, 0, 6)
	switch p.career {
	case office:
		list = append(list, p.itp1()...)
	case worker:
		list = append(list, p.safLO())
	case municipal:
		list = append(list, p.akap())
	case state:
		list = append(list, p.pa16()...)
	case executive:
		list = append(list, p.itp2()...)
	case owner:
		list = append(list, p.ownersPlan())
	}
	return append(list, p.privatePlans()...)
}

// generation is the generation fund of a person's age.
func (p *person) generation() number {
	switch {
	case p.birth.year < 1970:
		return 9
	case p.birth.year < 1980:
		return 10
	case p.birth.year < 1990:
		return 11
	}
	return 12
}

// payoutYears draws the years of payout: for life, or one of 5, 10, 15 and 20 that is at
// least least.
func (p *person) payoutYears(label string, least int) int {
	choices := []choice{{0, 60}}
	for years := 5; years <= 20; years += 5 {
		if years >= least {
			choices = append(choices, choice{years, 10})
		}
	}
	return p.oneOf("yrs"+label, choices...)
}

// rates are premiums in thousandths of the salary, up to 7.5 income base amounts and
// between 7.5 and 30.
type rates struct{ below, above int64 }

// of returns the premium of a month. The salary is that of the month's year.
func (p *person) premium(m month, r rates) ore {
	year := m.year()
	salary, ceiling := p.salaryIn(year)*100, incomeBaseSEK(year)*1500/24
	above := max(0, min(salary, incomeBaseSEK(year)*250)-ceiling)
	return ore((min(salary, ceiling)*r.below + above*r.above) / 1000)
}

// flatPremium returns a premium of one rate on the whole salary, in thousandths.
func (p *person) flatPremium(m month, rate int64) ore {
	return ore(p.salaryIn(m.year()) * 100 * rate / 1000)
}
