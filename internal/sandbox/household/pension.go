package household

// pension is a plan as it stands on a day (docs/reference/households.md 4.4).
type pension struct {
	plan
	person       *person
	first        month    // of the first premium
	paid         ore      // sum of the premiums
	active       bool     // the latest 25th had a premium
	capital      ore      // of a traditional plan, and of every plan in payout
	units        []scaled // of the plan's funds, in their order; none in payout
	payments     int      // made
	payment      ore      // a month, in payout
	lastYear     ore      // value on 31 December before
	payoutStart  Day
	payoutActive bool // the payout has started
}

// growth is what traditional insurance gains a year before its fee, parts per million.
const growth = 50_000

// premiumDay is the day of the month on which premiums and pensions are paid.
const premiumDay = 25

// pension returns a plan as it stands on a day, or nil if it has not begun, is not listed
// yet or is paid out.
func (p *person) pension(of plan, on Day) *pension {
	if of.finalDue {
		return p.itp2Pension(of, on)
	}
	s := &pension{plan: of, person: p, payoutStart: p.after(of.payoutAge)}
	s.payoutActive = s.payoutStart <= on
	s.units = make([]scaled, len(of.funds))
	last := lastPayment(s.payoutStart, of.years)
	thisYear := monthOf(yearOf(on), 1)
	for m := max(monthOf(firstYear, 1), monthAt(p.work)); m.day(premiumDay) <= on; m++ {
		if m == thisYear {
			s.lastYear = s.value(m.day(1) - 1)
		}
		day := m.day(premiumDay)
		if day < s.payoutStart {
			s.save(m, day)
			continue
		}
		if s.paid == 0 {
			return nil
		}
		s.payOut(day)
	}
	if m := monthAt(on); m == thisYear && on < m.day(premiumDay) { // in January before the 25th
		s.lastYear = s.value(m.day(1) - 1)
	}
	if s.paid == 0 || on < of.listedFrom || on >= last {
		return nil
	}
	s.active = s.active && !s.payoutActive
	return s
}

// lastPayment returns the day of the last payment of a payout, a day that never comes for
// one that is for life.
func lastPayment(start Day, years int) Day {
	if years == 0 {
		return lastDay + 1
	}
	return (monthAt(start) + month(12*years) - 1).day(premiumDay)
}

// save posts the premium of a month before the payout, and the month's growth or fee.
func (s *pension) save(m month, day Day) {
	premium := s.premium(m, s.person.age(day))
	s.active = premium > 0
	if s.active && s.paid == 0 {
		s.first = m
	}
	s.paid += premium
	if len(s.funds) == 0 {
		s.capital = s.grown(s.capital + premium)
		return
	}
	for i, f := range s.funds {
		s.units[i] += unitsFor(premium*ore(f.weight)/100, price(f.number, day))
		if m.monthOfYear() == 12 {
			s.units[i] -= scaled(int64(s.units[i]) * s.fee / million)
		}
	}
}

// payOut posts a payment. The first one turns units into capital, and sets what each of
// them is.
func (s *pension) payOut(day Day) {
	if s.payments == 0 {
		s.capital, s.units = s.value(day), nil
		s.payment = s.perMonth(s.capital)
	}
	s.payments++
	s.capital = max(0, s.grown(s.capital)-s.payment)
}

// grown returns a capital with the growth of a month, less the fee.
func (s *pension) grown(capital ore) ore {
	return capital + ore(mulDiv(int64(capital), growth-s.fee, 12*million))
}

// value returns what the pension is worth on a day.
func (s *pension) value(on Day) ore {
	sum := s.capital
	for i, units := range s.units {
		sum += valueOf(units, price(s.funds[i].number, on))
	}
	return sum
}

// perMonth returns what a capital pays a month, in whole SEK: a part for each month of
// the payout, without growth. A payout for life counts as 18 to 20 years.
func (s *pension) perMonth(capital ore) ore {
	years := s.years
	if years == 0 {
		years = 20 - (s.payoutAge - 65)
	}
	return capital / ore(1200*years) * sek
}
