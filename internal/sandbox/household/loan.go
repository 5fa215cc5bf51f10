package household

// loan is a mortgage or an unsecured loan with its payments (docs/reference/households.md
// 4.6).
type loan struct {
	label      string // part of the loan's number
	granted    ore
	instalment ore // a month, whole SEK; the last one may be less
	rate       int64
	drawn      Day
	dueDay     int   // of the month, from the month after the loan is drawn
	latest     month // of the last instalment; mortgages
	mortgage   *mortgage
}

// basisPoints is the scale of the rates of loans and savings.
const basisPoints = 10_000

// paidBy returns how many due days there have been.
func (l *loan) paidBy(on Day) int64 {
	due := monthAt(on) - monthAt(l.drawn)
	if on < monthAt(on).day(l.dueDay) {
		due--
	}
	return int64(max(0, due))
}

// balance returns the debt that is left on a day.
func (l *loan) balance(on Day) ore {
	return max(0, l.granted-l.instalment*ore(l.paidBy(on)))
}

// nextDue returns the month of the first due day after a day.
func (l *loan) nextDue(on Day) month {
	return monthAt(l.drawn) + month(l.paidBy(on)) + 1
}

// schedule is how a loan is paid from a day on.
type schedule struct {
	instalments int
	last        Day
	finalDebt   ore // what the last instalment leaves
}

// schedule returns what remains to be paid. The balance is above 0.
func (l *loan) schedule(on Day) schedule {
	balance, next := l.balance(on), l.nextDue(on)
	count := int64(1)
	if l.instalment > 0 {
		count = int64((balance + l.instalment - 1) / l.instalment)
	}
	if l.mortgage != nil {
		months := int64(max(1, l.latest-next+1))
		if l.instalment == 0 {
			count = months
		}
		count = min(count, months)
	}
	left := balance - l.instalment*ore(count)
	if left < l.instalment { // the last instalment takes it
		left = 0
	}
	return schedule{instalments: int(count), last: (next + month(count) - 1).day(l.dueDay), finalDebt: left}
}

// unsecured returns the person's unsecured loan, if there is one on a day.
func (p *person) unsecured(on Day) (loan, bool) {
	chance := 20
	if p.career == worker {
		chance = 35
	}
	drawn := date(int(p.between("uy", 2019, 2025, 1)), int(p.between("um", 1, 12, 1)), int(p.between("ud", 1, 28, 1)))
	if p.percent("unsec") >= chance || drawn > on || p.age(drawn) < 20 {
		return loan{}, false
	}
	most := max(20_000, floorTo(6*p.salaryIn(yearOf(drawn)), 5_000))
	granted := ore(min(p.between("uamt", 20_000, 350_000, 5_000), most)) * sek
	months := []ore{24, 36, 60, 72, 96, 120, 144}[p.percent("uterm")%7]
	return loan{
		label: "unsecured", granted: granted, drawn: drawn,
		instalment: (granted/sek + months - 1) / months * sek,
		rate:       p.between("urate", 495, 1_495, 5),
		dueDay:     int(p.between("uday", 25, 28, 1)),
	}, true
}
