package household

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// checkPensions checks each pension of drawn persons, also with the plans of
// TwoOccupationalPensions.
func checkPensions(t *testing.T, check func(t *rapid.T, s *pension, i item, on Day)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		p, err := newPerson(anyNumber().Draw(t, "number"))
		if err != nil {
			t.Fatal(err)
		}
		on := anyDay().Draw(t, "on")
		for _, of := range append(p.plans(), p.twoOccupational()...) {
			if s := p.pension(of, on); s != nil {
				check(t, s, readItem(t, s.product(on).JSON(Head{})), on)
			}
		}
	})
}

// payout returns the plan of payout, or nothing for a thin product.
func (i item) payout() (item, bool) {
	list := i.list("payoutDetails")
	if len(list) == 0 {
		return item{}, false
	}
	return list[0], len(list) == 1
}

func TestPension_18_PremiumsArePaidAtTheAgesOfThePlan(t *testing.T) {
	ages := map[string][2]int{ // docs/reference/households.md 1.2; municipal and state plans from the first day
		"Granskugga Liv ITP1": {25, 66}, "Älvglimt Pension ITP1": {25, 66}, "Älvglimt Pension ITPK": {28, 65},
		"Tjärblom": {22, 65}, "Asplöva Pension AKAP": {20, 69}, "Asplöva Pension KAP": {21, 67}, "Myrullen": {20, 69},
		"Ripvinge Depåförsäkring": {28, 65}, "Granskugga Liv Tjänstepension": {28, 65},
		"Ripvinge Privat": {25, 65}, "Norrglim IPS": {25, 65}, "Granskugga Liv Fribrev": {20, 33}, "Granskugga Liv ITP2": {28, 65},
	}
	rapid.Check(t, func(t *rapid.T) {
		p, err := newPerson(anyNumber().Draw(t, "number"))
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range append(p.plans(), p.twoOccupational()...) {
			var limits [2]int
			for name, l := range ages {
				if strings.HasPrefix(of.name, name) {
					limits = l
				}
			}
			if limits[1] == 0 {
				t.Fatalf("no ages of %s", of.name)
			}
			if of.finalDue {
				continue
			}
			m := monthOf(rapid.IntRange(firstYear, 2050).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"))
			day := m.day(premiumDay)
			before, after := p.pension(of, day-1), p.pension(of, day)
			if after == nil {
				continue
			}
			paid := after.paid
			if before != nil {
				paid -= before.paid
			} else if after.first != m {
				continue // listed later than it began
			}
			if age := p.age(day); paid < 0 || paid > 0 && (age < limits[0] || age > limits[1] || day < p.work || day >= p.after(of.payoutAge)) {
				t.Errorf("%s: %d paid on %s, at %d", of.name, paid, day, age)
			}
		}
	})
}

func TestPension_18_ITP1HasTwoHalves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := newPerson(anyNumber().Draw(t, "number"))
		if err != nil {
			t.Fatal(err)
		}
		on := anyDay().Draw(t, "on")
		plans := p.itp1()
		a, b := p.pension(plans[0], on), p.pension(plans[1], on)
		if (a == nil) != (b == nil) {
			t.Fatal("one half alone")
		}
		if a == nil {
			return
		}
		months := ore(monthAt(on)-a.first) + 1
		if d := b.paid - a.paid; d < 0 || d > months {
			t.Errorf("%d and %d paid", a.paid, b.paid)
		}
		if a.years != b.years || a.payoutAge != b.payoutAge || p.birth.year >= 1979 && p.career == executive {
			t.Errorf("%+v\n%+v", a.plan, b.plan)
		}
	})
}

func TestPension_17and19_AgreeWithThePayout(t *testing.T) {
	checkPensions(t, func(t *rapid.T, s *pension, i item, on Day) {
		if i.is("activePayment") && i.is("activePayout") {
			t.Error("19: paid in and out")
		}
		payout, ok := i.payout()
		if !ok {
			return
		}
		started := s.payoutStart <= on
		if i.is("activePayout") != started || payout.is("active") != started {
			t.Errorf("19: payout from %s, on %s: %s", s.payoutStart, on, i)
		}
		if started && i.text("movability.result") != notMovable {
			t.Errorf("19: %s in payout", i.text("movability.result"))
		}
		if payout.has("period.endAge") == started || payout.has("period.startDate") != started {
			if !payout.is("lifelongPayout") {
				t.Errorf("20: %s", payout)
			}
		}
		if end := payout.has("period.endAge") || payout.has("period.endDate"); end == payout.is("lifelongPayout") {
			t.Errorf("20: end and for life: %s", payout)
		}
		kind := "fees.personalized"
		switch {
		case s.finalDue:
			if i.has("fees") || i.has("financialInformation") || i.has("holdings") {
				t.Errorf("22: %s", i)
			}
			return
		case i.has("fees.generic"):
			kind = "fees.generic"
			if i.has("fees.personalized") || i.has("fees.generic.previousYear") {
				t.Errorf("17: both fees: %s", i)
			}
		}
		fixed, variable := i.ore(kind+".fixed"), i.decimal(kind+".variable", 6)
		if fixed < 0 || fixed > 480*sek || variable < 0 || variable > 10_000 {
			t.Errorf("17: %s", i)
		}
		if kind == "fees.personalized" && i.ore(kind+".previousYear") < fixed {
			t.Errorf("17: %s", i)
		}
	})
}

func TestPension_20_StartsAfterABirthday(t *testing.T) {
	checkPensions(t, func(t *rapid.T, s *pension, i item, on Day) {
		if s.payoutAge < 65 || s.payoutAge > 67 || !slices.Contains([]int{0, 5, 10, 15, 20}, s.years) {
			t.Errorf("%+v", s.plan)
		}
		if strings.HasPrefix(s.name, "Asplöva") || s.name == "Myrullen Valbar" {
			if s.years == 5 {
				t.Errorf("%s: %d years", s.name, s.years)
			}
		}
		day := s.payoutStart.Time()
		before := s.payoutStart - 1
		if day.Day() != 1 || s.person.age(s.payoutStart) != s.payoutAge || s.person.age(Day(before)-31) != s.payoutAge-1 {
			t.Errorf("%s starts on %s", s.name, s.payoutStart)
		}
	})
}

func TestPension_21_PaysWhatThereIs(t *testing.T) {
	checkPensions(t, func(t *rapid.T, s *pension, i item, on Day) {
		payout, ok := i.payout()
		if !ok || s.finalDue {
			return
		}
		value, amount := i.ore("financialInformation.currentValue"), payout.ore("amount")
		if s.payoutActive {
			if value < 0 || s.years > 0 && s.payments >= 12*s.years {
				t.Errorf("%d left after %d payments", value, s.payments)
			}
			return
		}
		years := s.years
		if years == 0 {
			years = map[int]int{65: 20, 66: 19, 67: 18}[s.payoutAge]
		}
		n := ore(12 * years)
		if amount%sek != 0 || amount*n > value || value >= (amount+sek)*n {
			t.Errorf("%d a month for %d months, of %d", amount, n, value)
		}
	})
}

func TestPension_22_FinalSalaryIsBounded(t *testing.T) {
	checkPensions(t, func(t *rapid.T, s *pension, _ item, on Day) {
		if !s.finalDue {
			if strings.Contains(s.name, "ITP1") && s.person.birth.year < 1979 {
				t.Errorf("ITP 1 of a person born in %d", s.person.birth.year)
			}
			return
		}
		base := incomeBaseSEK(yearOf(min(on, s.payoutStart)))
		if highest := (base*75/10*10 + base*125/10*65 + base*10*325/10) / 100 / 12; int64(s.payment/sek) > highest {
			t.Errorf("%d a month, at most %d", s.payment, highest)
		}
		if s.person.birth.year > 1978 {
			t.Errorf("born in %d", s.person.birth.year)
		}
	})
}

func TestPension_StartsWithItsFirstPremium(t *testing.T) {
	checkPensions(t, func(t *rapid.T, s *pension, i item, on Day) {
		if s.first.day(1) > on || !s.finalDue && s.paid <= 0 {
			t.Errorf("%s from %s, %d paid", s.name, s.first.day(1), s.paid)
		}
		if i.has("startDate") && i.day("startDate") != s.first.day(1) {
			t.Errorf("starts on %s", i.text("startDate"))
		}
	})
}

// A person without an income pension has 2.43 price base amounts, and a high one nothing
// (docs/reference/households.md 4.4).
func TestGuarantee_FallsWithTheIncomePension(t *testing.T) {
	for income, want := range map[int64]ore{0: 143_856, 64_000: 143_856 - 74_000, 120_000: 38_468, 200_000: 0} {
		if got := guarantee(income) / sek; got != want {
			t.Errorf("%d: %d, want %d", income, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64Range(0, 300_000).Draw(t, "low")
		high := low + rapid.Int64Range(0, 50_000).Draw(t, "more")
		if guarantee(low) < guarantee(high) || guarantee(high) < 0 {
			t.Errorf("%d: %d, %d: %d", low, guarantee(low), high, guarantee(high))
		}
	})
}
