package household

// publicPension is what the public pension pays a year (docs/reference/households.md 4.4).
type publicPension struct {
	known     bool // the person has worked
	income    ore
	premium   ore
	guarantee ore // 0: not entitled
}

// publicPension returns the public pension by what is earned before the year of a day.
func (p *person) publicPension(on Day) publicPension {
	if on < p.work {
		return publicPension{}
	}
	share := p.between("workshare", 60, 100, 1)
	thisYear := yearOf(on)
	var account int64 // SEK
	var units scaled
	year := max(yearOf(p.work), 1990)
	for ; year < thisYear && year <= p.birth.year+66; year++ {
		base := incomeBaseSEK(year)
		earned := min(12*p.salaryIn(year)*93/100, base*15/2) * share / 100
		if year > firstYear {
			account = account * base / incomeBaseSEK(year-1)
		}
		account += earned * 16 / 100
		if year >= firstYear {
			units += unitsFor(ore(earned*25/1000)*sek, price(1, date(year, 12, 31)))
		}
	}
	account = account * incomeBaseSEK(thisYear) / incomeBaseSEK(year-1)
	income := account / 17
	premium := int64(valueOf(units, price(1, on))/sek) / 20
	pension := publicPension{known: true, income: ore(income) * sek, premium: ore(premium) * sek}
	if p.age(on) >= retirementAge {
		pension.guarantee = guarantee(income)
	}
	return pension
}

// guarantee returns the guarantee pension a year of a single person, in whole SEK.
func guarantee(incomePension int64) ore {
	const full, limit, reduced = 243, 126, 117 // hundredths of the price base amount
	x := incomePension * 185 / 160
	if low := int64(priceBase * limit / 100); x > low {
		return max(0, ore(priceBase*reduced-(x-low)*48)/100) * sek
	}
	return ore(priceBase*full/100-x) * sek
}
