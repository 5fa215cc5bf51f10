package household

// itp2Age is the age at which ITP 2 is paid from.
const itp2Age = 65

// itp2Pension returns ITP 2 as it stands on a day, or nil before it begins. It is a share
// of the final salary, for 360 months of work from the age of 28 on, and has no capital
// (docs/reference/households.md 1.2 and 4.4).
func (p *person) itp2Pension(of plan, on Day) *pension {
	begins, ends := max(p.work, p.after(28)), p.after(itp2Age)
	if on < begins {
		return nil
	}
	until := min(on, ends)
	months := min(360, int64(monthAt(until)-monthAt(begins)))
	year := yearOf(until)
	salary, base := 12*p.salaryIn(year), incomeBaseSEK(year)
	between := func(low, high int64) int64 { // in halves of the income base amount
		return max(0, min(salary, base*high/2)-base*low/2)
	}
	full := (between(0, 15)*100 + between(15, 40)*650 + between(40, 60)*325) / 1000
	return &pension{
		plan: of, person: p, first: monthAt(begins), active: on < ends,
		payment: ore(full*months/4320) * sek, payoutStart: ends, payoutActive: ends <= on,
	}
}
