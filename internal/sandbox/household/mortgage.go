package household

import "strconv"

// mortgage is what a loan on a home has beside other loans.
type mortgage struct {
	home        string // what it is drawn on
	binding     binding
	periodStart Day // of the binding period that holds the day
	periodEnd   Day // first day of the next one
	list        int64
	discount    int64 // basis points; rate is list less discount
}

// binding is how long a rate stays the same.
type binding struct {
	name    string // interestBindingPeriod of docs/reference/products.md 7
	months  int
	spreads []int64 // over the list rate, basis points: before 2022, then each year from 2022 to 2026
}

// bindings are the periods that are generated, and the chance of each in percent.
var bindings = []struct {
	chance int
	binding
}{
	{60, binding{"THREE_MONTHS", 3, []int64{0}}},
	{8, binding{"ONE_YEAR", 12, []int64{5, 60, 10, -30, 0, 5}}},
	{10, binding{"TWO_YEARS", 24, []int64{15, 110, -10, -60, 5, 15}}},
	{12, binding{"THREE_YEARS", 36, []int64{30, 130, -30, -80, 15, 30}}},
	{8, binding{"FIVE_YEARS", 60, []int64{60, 140, -60, -100, 35, 50}}},
	{2, binding{"TEN_YEARS", 120, []int64{120, 150, -60, -90, 60, 80}}},
}

// spread returns what a bound rate is above the list rate of 3 months in a year.
func (b binding) spread(year int) int64 { return series{2021, b.spreads}.at(year) }

// mortgageYears is how long after a mortgage is drawn its last instalment may be.
const mortgageYears = 50

// couple reports whether the person owns and owes with a partner.
func (p *person) couple() bool { return p.percent("couple") < 65 }

// mortgages returns the person's mortgages on a day: none, one, or two with different
// periods (docs/reference/households.md 4.6).
func (p *person) mortgages(on Day) []loan {
	drawn, ok := p.mortgageDrawn()
	if !ok || drawn > on || p.age(on) >= 75 {
		return nil
	}
	// Limits of loan-to-value and of amortisation, docs/reference/households.md 1.1 and 1.5.
	highest := int64(85)
	if drawn >= date(2026, 4, 1) {
		highest = 90
	}
	income := 12 * p.salaryIn(yearOf(drawn))
	if p.couple() {
		income = income * 19 / 10
	}
	home := floorTo(income*p.between("price", 28, 52, 1)/10, 50_000)
	toValue := p.between("ltv", 45, highest, 5)
	granted := floorTo(home*toValue/100, 5_000)
	parts := []int64{granted}
	if granted >= 2_000_000 {
		first := floorTo(granted*60/100, 5_000)
		parts = []int64{first, granted - first}
	}
	loans := make([]loan, len(parts))
	for i, part := range parts {
		loans[i] = p.mortgage(i, part, amortisation(toValue, drawn), drawn, on)
		loans[i].mortgage.home = p.home(ore(granted) * sek)
	}
	return loans
}

// mortgageDrawn returns when the mortgage is drawn, or false for a person without one.
func (p *person) mortgageDrawn() (Day, bool) {
	if p.percent("mortgage") >= 65 {
		return 0, false
	}
	year := p.birth.year + int(p.between("buyage", 26, 38, 1))
	for year < 2009 {
		year += 11
	}
	drawn := date(year, int(p.between("buym", 1, 12, 1)), int(p.between("buyd", 1, 28, 1)))
	return drawn, drawn >= p.work && p.age(drawn) <= 66
}

// amortisation returns the percent of a loan that is paid back a year.
func amortisation(toValue int64, drawn Day) int64 {
	switch {
	case toValue <= 50:
		return 0
	case toValue <= 70 || drawn < date(2016, 6, 1):
		return 1
	}
	return 2
}

// mortgage returns the part i of a mortgage.
func (p *person) mortgage(i int, granted, amortisation int64, drawn, on Day) loan {
	index := strconv.Itoa(i)
	m := &mortgage{binding: p.binding("bind" + index), discount: p.between("disc"+index, 30, 95, 5)}
	start := drawn
	for {
		m.periodStart, m.periodEnd = start, addMonths(start, m.binding.months)
		if m.periodEnd > on {
			break
		}
		start = m.periodEnd
	}
	year := yearOf(m.periodStart)
	m.list = listRate.at(year) + m.binding.spread(year)
	return loan{
		label: "mortgage" + index, granted: ore(granted) * sek,
		instalment: ore(granted*amortisation/1200) * sek,
		rate:       m.list - m.discount, drawn: drawn,
		dueDay: int(p.between("dueday", 25, 28, 1)),
		latest: monthAt(drawn) + 12*mortgageYears, mortgage: m,
	}
}

func (p *person) binding(label string) binding {
	choices := make([]choice, len(bindings))
	for i, b := range bindings {
		choices[i] = choice{i, b.chance}
	}
	return bindings[p.oneOf(label, choices...)].binding
}

// addMonths returns the same day of the month later. The day is at most 28.
func addMonths(d Day, months int) Day {
	return (monthAt(d) + month(months)).day(d.Time().Day())
}
