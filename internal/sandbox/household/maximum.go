package household

// The maximum person has every member of every type, in every nested object, also where
// they do not go together in life (docs/reference/households.md 6). The minimum person has
// the members of the head only.

// types are the types of market se that are not PSD2 accounts (docs/reference/products.md
// 2), in the order of a household.
var types = []string{
	collective, occupational, private, ips, unknown,
	string(isk), string(kf), string(custodyAccount), unknownInvestment,
	mortgageType, unsecuredType, savingsType, fixedType,
}

// ofEach returns a product of each type with the members of the head only, and before each
// of them one with all members if maximum is true.
func (p *person) ofEach(on Day, maximum bool) *Household {
	h := &Household{PublicPension: &Product{Type: publicPensionType}}
	full := *p
	full.full = true
	on = max(on, date(firstYear+1, 1, 1)) // there is a year of prices before
	for _, typ := range types {
		if maximum {
			h.Products = append(h.Products, full.maximum(typ, on))
		}
		h.Products = append(h.Products, Product{Type: typ})
	}
	if maximum {
		s := publicPension{known: true, income: 96_000 * sek, premium: 18_000 * sek, guarantee: guarantee(96_000)}
		public := s.product(&full, on)
		h.PublicPension = &public
	}
	return h
}

// maximum returns a product with all members.
func (p *person) maximum(typ string, on Day) Product {
	switch typ {
	case string(isk), string(kf), string(custodyAccount), unknownInvestment:
		return p.maximumAccount(accountKind(typ), on)
	case mortgageType:
		l := p.mortgage(0, 2_400_000, 2, monthsBefore(on, 36), on)
		l.mortgage.home = p.home(l.granted)
		return l.product(p, on)
	case unsecuredType:
		l := loan{
			label: "unsecured", granted: 150_000 * sek, instalment: 1_500 * sek,
			rate: 695, drawn: monthsBefore(on, 24), dueDay: 28,
		}
		return l.product(p, on)
	case savingsType, fixedType:
		return p.maximumSavings(typ, on)
	}
	return p.maximumPension(typ, on)
}

// monthsBefore returns the fifteenth of an earlier month.
func monthsBefore(on Day, months int) Day { return (monthAt(on) - month(months)).day(15) }

// maximumLedger returns a ledger of the last 12 months with all nine kinds of
// transactions.
func maximumLedger(on Day) *ledger {
	l := &ledger{until: on, since: yearBefore(on)}
	m := monthAt(on) - 11
	const global, shares, traded number = 1, 21, 17
	day := adjusted(m.day(5))
	l.post(transaction{kind: deposit, settled: day, amount: 250_000 * sek, text: "Insättning"})
	day = weekdaysAfter(day, 1)
	l.buy(global, 90_000*sek, day)
	l.buy(traded, 60_000*sek, day)
	l.buy(shares, 50_000*sek, day)

	day = adjusted((m + 2).day(8))
	perShare := scaled(5 * one)
	l.post(transaction{kind: dividend, settled: day, number: shares, price: perShare, amount: valueOf(l.units(shares), perShare), text: "Utdelning " + shares.instrument().name})
	l.post(transaction{kind: other, settled: day, amount: valueOf(l.units(shares), perShare).share(30, 100), text: "Preliminärskatt"})
	day = weekdaysAfter(day, 2)
	perShare = 3 * one
	l.post(transaction{kind: redemption, settled: day, number: shares, price: perShare, amount: valueOf(l.units(shares), perShare), text: "Inlösen " + shares.instrument().name})

	day = adjusted((m + 4).day(18))
	l.sell(traded, floorTo(l.units(traded)/4, one), day)
	day = weekdaysAfter(day, 2)
	l.post(transaction{kind: withdrawal, settled: day, amount: 10_000 * sek, text: "Uttag"})
	day = adjusted((m + 6).day(20))
	l.post(transaction{kind: fee, settled: day, amount: 195 * sek, text: "Försäkringsavgift"})
	l.post(transaction{kind: interest, settled: adjusted((m + 8).day(20)), amount: 12_345, text: "Ränta på likvida medel"})
	return l
}

// unknownValue and unknownCost are of a holding whose type the institution does not tell.
const unknownValue, unknownCost ore = 12_500 * sek, 10_000 * sek

// maximumHoldings returns the holdings of a ledger with all members, and one of unknown
// type. Only funds have a fund account.
func (p *person) maximumHoldings(l *ledger, on Day, fundAccounts bool) []holdingJSON {
	list := l.holdingsJSON(on, false)
	for i := range list {
		list[i].MarketIdentifierCode = "XSTO"
		if list[i].FeeVariable == "" {
			list[i].FeeVariable = "0"
		}
		if fundAccounts && list[i].Type == string(fund) {
			list[i].FundAccountNumber = p.insuranceNumber("fund")
		}
	}
	return append(list, holdingJSON{
		Type: "UNKNOWN", Name: "Onoterat innehav", MarketIdentifierCode: "XSTO", Quantity: "100",
		Value: unknownValue.json(), AcquisitionValue: unknownCost.json(), FeeVariable: "0.01",
	})
}

// maximumMovability has each of the five values at least once.
var maximumMovability = map[string]string{
	collective: movableCentral, occupational: movable, private: movableMeeting, ips: movable, unknown: movableUnknown,
	string(isk): movable, string(kf): movableMeeting, string(custodyAccount): notMovable, unknownInvestment: movableUnknown,
}
