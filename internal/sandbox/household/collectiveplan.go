package household

// The collective plans (docs/reference/households.md 1.2 and 4.4).

// itp1 is ITP 1: half of the premium goes to a traditional insurance, the rest to funds.
func (p *person) itp1() []plan {
	whole := func(m month, age int) ore {
		if age < 25 || age > 66 || m.year() < 2007 {
			return 0
		}
		return p.premium(m, rates{45, 300})
	}
	traditional := plan{
		typ: collective, name: "Granskugga Liv ITP1 Traditionell", class: "ITP", payoutAge: 66,
		years: p.payoutYears("itp1", 5), fee: 900, movability: movableCentral,
		premium: func(m month, age int) ore { return whole(m, age) / 2 },
	}
	funds := traditional
	funds.name, funds.fee = "Älvglimt Pension ITP1 Fond", 600
	funds.funds = []weight{{p.generation(), 60}, {1, 40}}
	funds.premium = func(m month, age int) ore { sum := whole(m, age); return sum - sum/2 }
	return []plan{traditional, funds}
}

// itp2 is ITP 2 and its part ITPK.
func (p *person) itp2() []plan {
	return []plan{{
		typ: collective, name: "Granskugga Liv ITP2", class: "ITP", payoutAge: itp2Age,
		movability: notMovable, finalDue: true,
	}, {
		typ: collective, name: "Älvglimt Pension ITPK Fond", class: "ITP", payoutAge: 65,
		years: p.payoutYears("itpk", 5), fee: 600, movability: movableCentral,
		funds: []weight{{p.generation(), 50}, {1, 50}},
		premium: func(m month, age int) ore {
			if age < 28 || age > 65 {
				return 0
			}
			return p.flatPremium(m, 20)
		},
	}}
}

// safLO is Avtalspension SAF-LO. The age at which it begins was lowered in 2023.
func (p *person) safLO() plan {
	return p.chosenForm(plan{
		typ: collective, name: "Tjärblom Avtalspension SAF-LO", class: "SAF-LO", payoutAge: 65,
		years: p.payoutYears("saflo", 5), fee: 1_700, fixedFee: 65 * sek, movability: movableCentral,
		premium: func(m month, age int) ore {
			youngest := 25
			if m.year() >= 2023 {
				youngest = 22
			}
			switch {
			case age < youngest || age > 65:
				return 0
			case m.year() < 2007:
				return p.flatPremium(m, 35)
			}
			return p.premium(m, rates{45, 300})
		},
	}, 45, []weight{{p.generation(), 100}})
}

// akap is AKAP-KR and what was before it, or KAP-KL of those born by 1957.
func (p *person) akap() plan {
	name := "Asplöva Pension AKAP-KR"
	if p.birth.year <= 1957 {
		name = "Asplöva Pension KAP-KL"
	}
	return p.chosenForm(plan{
		typ: collective, name: name, class: "KAP-KL", payoutAge: 67,
		years: p.payoutYears("akap", 10), fee: 1_500, fixedFee: 65 * sek, movability: movableCentral,
		premium: func(m month, age int) ore {
			switch newer := m.year() >= 2023; {
			case p.birth.year <= 1957, p.birth.year <= 1985 && !newer: // KAP-KL
				if age < 21 || age > 67 {
					return 0
				}
				return p.flatPremium(m, 45)
			case age > 69:
				return 0
			case newer:
				return p.premium(m, rates{60, 315})
			}
			return p.premium(m, rates{45, 300}) // AKAP-KL
		},
	}, 50, []weight{{p.generation(), 70}, {13, 30}})
}

// chosenForm makes a plan unit-linked with a chance in percent, and else traditional.
func (p *person) chosenForm(of plan, chance int, funds []weight) plan {
	if p.percent("form") < chance {
		of.name += " Fond"
		of.funds = funds
	} else {
		of.name += " Traditionell"
	}
	return of
}

// pa16 is PA 16: section I for those born in 1988 or later, else section II, without what
// is above 7.5 income base amounts.
func (p *person) pa16() []plan {
	part := func(name string, years int, movability string, funds []weight, first, second rates, since int) plan {
		return plan{
			typ: collective, name: "Myrullen " + name, class: "PA16", payoutAge: 67, years: years,
			fee: 700, fixedFee: 6 * sek, movability: movability, funds: funds,
			premium: func(m month, age int) ore {
				switch {
				case age > 69:
					return 0
				case p.birth.year >= 1988:
					return p.premium(m, first)
				case m.year() < since:
					return 0
				}
				return p.flatPremium(m, second.below)
			},
		}
	}
	list := []plan{
		part("Valbar", p.payoutYears("VALBAR", 10), movableCentral, []weight{{p.generation(), 100}}, rates{25, 200}, rates{25, 25}, firstYear),
		part("Tjänste", p.payoutYears("TJANSTE", 5), notMovable, nil, rates{20, 100}, rates{20, 20}, firstYear),
	}
	if p.birth.year > 1965 {
		list = append(list, part("Flex", p.payoutYears("FLEX", 5), notMovable, nil, rates{15, 15}, rates{15, 15}, 2024))
	}
	return list
}
