package household

import "testing"

// The first and the last days of products, each with the day before.

func TestFribrev_IsListedWhenItsPremiumsAreOver(t *testing.T) {
	p := earner(office, 1985)
	of := p.formerEmployersPlan()
	end := monthAt(of.listedFrom)
	if of.premium(end, 30) != 0 || of.premium(end-1, 30) <= 0 {
		t.Errorf("premiums %d and %d", of.premium(end-1, 30), of.premium(end, 30))
	}
	if months := end - monthAt(p.work); months < 18 || months > 72 {
		t.Errorf("%d months", months)
	}
	if p.pension(of, of.listedFrom-1) != nil || p.pension(of, of.listedFrom) == nil {
		t.Error("listed on another day")
	}
}

func TestPension_EndsWithItsLastPayment(t *testing.T) {
	p := earner(owner, 1950)
	of := p.ownersPlan()
	of.years = 5
	start := p.after(of.payoutAge)
	last := (monthAt(start) + 59).day(25)
	if s := p.pension(of, last-1); s == nil || s.payments != 59 {
		t.Errorf("the day before: %+v", s)
	}
	if s := p.pension(of, last); s != nil {
		t.Errorf("after the last payment: %+v", s)
	}
}

func TestPension_21_ForLifeNeverFallsBelowZero(t *testing.T) {
	p := earner(municipal, 1950)
	of := p.akap()
	of.funds, of.years = nil, 0
	if s := p.pension(of, lastDay); s == nil || s.capital != 0 || s.payment == 0 || s.payments < 900 {
		t.Errorf("%+v", s)
	}
}

func TestITP2_BeginsWithTheFirstMonth(t *testing.T) {
	p := earner(executive, 1970)
	of, begins := p.itp2()[0], p.after(28)
	if p.pension(of, begins-1) != nil {
		t.Error("before it begins")
	}
	if s := p.pension(of, begins); s == nil || s.payment != 0 || !s.active || s.payoutActive {
		t.Errorf("%+v", s)
	}
	ends := p.after(65)
	if s := p.pension(of, ends-1); !s.active || s.payoutActive {
		t.Errorf("the day before the payout: %+v", s)
	}
	if s := p.pension(of, ends); s.active || !s.payoutActive {
		t.Errorf("in payout: %+v", s)
	}
	if a, b := p.pension(of, ends), p.pension(of, ends+5000); a.payment != b.payment {
		t.Errorf("%d and later %d", a.payment, b.payment)
	}
}

func TestPublicPension_GuaranteeBeginsAtTheAgeOf67(t *testing.T) {
	p := poor()
	p.birth = birth{1958, 5, 20}
	p.work = p.after(60)
	if s := p.publicPension(date(2025, 5, 19)); s.guarantee != 0 || s.income == 0 {
		t.Errorf("%+v", s)
	}
	if s := p.publicPension(date(2025, 5, 20)); s.guarantee != guarantee(int64(s.income/sek)) || s.guarantee == 0 {
		t.Errorf("%+v", s)
	}
	if s := p.publicPension(p.work - 1); s.known {
		t.Errorf("before work: %+v", s)
	}
}

func TestMortgage_EndsAtTheAgeOf75(t *testing.T) {
	found := 0
	for n := range 200 {
		p := earner(office, 1960)
		p.draws = draws(sampleNumber(n))
		if _, ok := p.mortgageDrawn(); !ok {
			continue
		}
		found++
		if len(p.mortgages(date(2034, 12, 31))) == 0 || len(p.mortgages(date(2035, 1, 1))) != 0 {
			t.Errorf("%s", p.draws)
		}
	}
	if found < 100 { // 65 percent, less those drawn after the age of 66
		t.Errorf("%d of 200", found)
	}
}

func TestMortgage_28_IsDrawnInTheYearsOfWork(t *testing.T) {
	for n := range 500 {
		p := earner(office, 1940+n%70)
		p.draws = draws(sampleNumber(n))
		p.work = p.after(26 + n%6)
		drawn, ok := p.mortgageDrawn()
		if ok && (drawn < p.work || p.age(drawn) > 66 || yearOf(drawn) < 2009) {
			t.Errorf("born %d, drawn on %s", p.birth.year, drawn)
		}
	}
}

func TestSavings_BeginInTheYearAfterBirthOrIn2018(t *testing.T) {
	for born, first := range map[int]Day{1980: date(2018, 1, 25), 2017: date(2018, 1, 25), 2018: date(2019, 1, 25)} {
		p := earner(office, born)
		if _, ok := p.savings(first-1, 0); ok {
			t.Errorf("born %d: before %s", born, first)
		}
		if _, ok := p.savings(first, 0); !ok {
			t.Errorf("born %d: not on %s", born, first)
		}
	}
	for n := range 100 { // 8 savings are more than there is in the first June of some
		p := earner(office, 1980)
		p.draws = draws(sampleNumber(n))
		if s, _ := p.savings(date(2018, 6, 20), 0); s.cash < 0 {
			t.Errorf("%d in June", s.cash)
		}
	}
}

func TestFixed_RollsOverOnItsLastDay(t *testing.T) {
	found := 0
	for n := range 100 {
		p := earner(office, 1996)
		p.draws = draws(sampleNumber(n))
		f, ok := p.fixed(date(2026, 11, 26))
		if !ok {
			continue
		}
		found++
		if next, _ := p.fixed(f.end); next.start != f.end || next.accrued != 0 {
			t.Errorf("%+v after %+v", next, f)
		}
		if same, _ := p.fixed(f.end - 1); same.start != f.start {
			t.Errorf("%+v before %+v", same, f)
		}
		p.birth.year = 1997
		if _, ok := p.fixed(date(2026, 11, 26)); ok {
			t.Error("of a person born in 1997")
		}
	}
	if found < 15 {
		t.Errorf("%d of 100", found)
	}
}

func TestThin_LeavesOutWhatAnInstitutionMay(t *testing.T) {
	thin := 0
	for n := range 200 {
		for _, i := range items(t, sampleNumber(n), date(2026, 11, 26), Everything) {
			p := person{draws: draws(sampleNumber(n))}
			if p.thin(i.key()) {
				thin++
			}
			for _, member := range []string{"personalInformation", "holder", "movability", "transactions", "fees", "startDate", "payoutDetails", "deposit", "iban", "repaymentSchedule"} {
				if p.thin(i.key()) && i.has(member) {
					t.Errorf("thin with %s: %s", member, i)
				}
			}
			if !p.thin(i.key()) && !i.has("personalInformation") {
				t.Errorf("%s", i)
			}
		}
	}
	if thin < 80 {
		t.Errorf("%d thin products", thin)
	}
}
