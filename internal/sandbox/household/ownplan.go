package household

// The plans outside collective agreements (docs/reference/households.md 4.4).

// ownersPlan is the deposit insurance of an owner.
func (p *person) ownersPlan() plan {
	return plan{
		typ: occupational, name: "Ripvinge Depåförsäkring Tjänstepension", payoutAge: 65,
		years: p.payoutYears("ind", 5), fee: 5_000, fixedFee: 240 * sek, movability: movable,
		funds: []weight{{1, 40}, {5, 40}, {8, 20}},
		premium: func(m month, age int) ore {
			if age < 28 || age > 65 || m.year() < 2008 {
				return 0
			}
			return max(1_000*sek, p.flatPremium(m, 80))
		},
	}
}

// twoOccupational are the plans of TwoOccupationalPensions: one movable, one not.
func (p *person) twoOccupational() []plan {
	linked := p.ownersPlan()
	traditional := linked
	traditional.name = "Granskugga Liv Tjänstepension"
	traditional.funds, traditional.movability = nil, notMovable
	return []plan{linked, traditional}
}

// privatePlans are the plans that do not depend on an employer, and that of a former one.
func (p *person) privatePlans() (list []plan) {
	deductible := p.birth.year <= 1985 // old enough to have saved while it was deductible
	saver := p.career == executive || p.career == owner || p.career == municipal
	if saver && deductible && p.percent("priv") < 45 {
		list = append(list, plan{
			typ: private, name: "Ripvinge Privat Pension", payoutAge: 65,
			years: p.oneOf("yrspriv", choice{5, 25}, choice{10, 40}, choice{15, 20}, choice{20, 15}),
			fee:   8_000, fixedFee: 144 * sek, movability: movableMeeting,
			premium: func(m month, age int) ore { return deductiblePremium(m, age, 1_000*sek) },
		})
	}
	if deductible && p.percent("ips") < 30 {
		list = append(list, plan{
			typ: ips, name: "Norrglim IPS", payoutAge: 65,
			years:      p.oneOf("yrsips", choice{5, 40}, choice{10, 40}, choice{20, 20}),
			movability: movable, funds: []weight{{1, 60}, {2, 40}},
			premium: func(m month, age int) ore {
				if m.year() < 2004 {
					return 0
				}
				return deductiblePremium(m, age, 500*sek)
			},
		})
	}
	if p.percent("old") < 25 {
		list = append(list, p.formerEmployersPlan())
	}
	return list
}

// deductiblePremium is a premium from the age of 25 until it was no longer deductible.
func deductiblePremium(m month, age int, monthly ore) ore {
	switch {
	case age < 25 || m.year() > 2015:
		return 0
	case m.year() == 2015:
		return 150 * sek
	}
	return monthly
}

// formerEmployersPlan is paid in the first months of work, and listed when they are over.
func (p *person) formerEmployersPlan() plan {
	end := monthAt(p.work) + month(p.between("oldm", 18, 72, 1))
	return plan{
		typ: unknown, name: "Granskugga Liv Fribrev", payoutAge: 65, years: p.payoutYears("old", 5),
		fee: 3_000, fixedFee: 120 * sek, movability: movableUnknown, listedFrom: end.day(1),
		premium: func(m month, _ int) ore {
			if m >= end {
				return 0
			}
			return p.premium(m, rates{45, 300})
		},
	}
}
