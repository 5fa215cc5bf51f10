package household

import (
	"testing"

	"pgregory.net/rapid"
)

func checkLoans(t *testing.T, check func(t *rapid.T, i item, on Day)) {
	t.Helper()
	checkItems(t, func(t *rapid.T, i item, on Day) {
		if i.has("loanDetails") {
			check(t, i, on)
		}
	})
}

func TestLoan_23and28_AddsUp(t *testing.T) {
	checkLoans(t, func(t *rapid.T, i item, on Day) {
		granted, balance, paid := i.ore("loanDetails.granted"), i.ore("loanDetails.balance"), i.ore("loanDetails.paid")
		if granted != balance+paid || balance < 0 || paid < 0 {
			t.Errorf("23: %s", i)
		}
		if (i.text("status") == "PAID_UP") != (balance == 0) || i.has("nextPayment") != (balance > 0) {
			t.Errorf("28: %s", i)
		}
		var shares int64
		for _, owner := range i.list("owners") {
			shares += owner.decimal("sharePercentage", 2)
		}
		if shares != 100 {
			t.Errorf("28: shares %d", shares)
		}
		if !i.has("personalInformation") {
			return
		}
		drawn := i.day("firstDrawDownDate")
		age := birthOf(i.numberOfPerson(t)).age(drawn)
		if drawn > on || age < 20 || age > 66 && i.text("type") == mortgageType {
			t.Errorf("28: drawn on %s, at %d", drawn, age)
		}
	})
}

func TestLoan_24and27_SchedulesItsPayments(t *testing.T) {
	checkLoans(t, func(t *rapid.T, i item, on Day) {
		if !i.has("nextPayment") {
			return
		}
		balance := i.ore("loanDetails.balance")
		instalment, next := i.ore("nextPayment.instalment"), i.day("nextPayment.date")
		interest := i.ore("nextPayment.interest")
		rate := i.decimal("interest.rate", 4)
		if i.ore("nextPayment.total") != instalment+interest || instalment > balance || instalment < 0 {
			t.Errorf("24: %s", i)
		}
		if want := ore((2*int64(balance)*rate + 120_000) / 240_000); interest != want {
			t.Errorf("24: interest %d, want %d", interest, want)
		}
		if next <= on || next > on+62 {
			t.Errorf("24: next on %s", next)
		}
		if !i.has("repaymentSchedule") {
			return
		}
		count, debt := i.decimal("repaymentSchedule.numberOfInstalments", 0), ore(i.decimal("repaymentSchedule.finalDebt", 0))*sek
		if day := next.Time().Day(); int64(day) != i.decimal("repaymentSchedule.repaymentDayOfMonth", 0) {
			t.Errorf("24: next on %s", next)
		}
		left := balance - instalment*ore(count)
		if left < instalment {
			left = 0
		}
		if debt != left || count < 1 || debt == 0 && balance > instalment*ore(count+1) {
			t.Errorf("27: debt %d, want %d: %s", debt, left, i)
		}
		if last := addMonths(next, int(count)-1); i.day("repaymentSchedule.finalPaymentDate") != last {
			t.Errorf("27: last on %s, want %s", i.text("repaymentSchedule.finalPaymentDate"), last)
		}
	})
}

func TestLoan_25to27_HasTheTermsOfItsKind(t *testing.T) {
	checkLoans(t, func(t *rapid.T, i item, on Day) {
		rate := i.decimal("interest.rate", 4)
		if i.text("type") == unsecuredType {
			if rate < 495 || rate > 1495 || i.has("financedObject") || i.has("interest.rateAdjustmentDate") {
				t.Errorf("25: %s", i)
			}
			return
		}
		if rate < 90 || rate > 600 {
			t.Errorf("25: rate %d", rate)
		}
		if i.has("nextPayment") {
			year, granted := 12*i.ore("nextPayment.instalment"), i.ore("loanDetails.granted")
			ok := false
			for percent := range ore(3) {
				d := granted*percent/100 - year // each instalment is down to whole SEK
				ok = ok || d >= 0 && d < 12*sek
			}
			if !ok {
				t.Errorf("27: %d of %d a year", year, granted)
			}
		}
		if !i.has("interest.baseRate") {
			return
		}
		if rate != i.decimal("interest.baseRate", 4)-i.decimal("interest.discount", 4) || i.decimal("interest.effectiveRate", 4) < rate {
			t.Errorf("25: %s", i)
		}
		start, end := i.day("interest.periodStartDate"), i.day("interest.rateAdjustmentDate")
		months := map[string]int{"THREE_MONTHS": 3, "ONE_YEAR": 12, "TWO_YEARS": 24, "THREE_YEARS": 36, "FIVE_YEARS": 60, "TEN_YEARS": 120}
		if start > on || end <= on || addMonths(start, months[i.text("interestBindingPeriod")]) != end {
			t.Errorf("26: %s", i)
		}
	})
}

// The limits of loan-to-value, by the draws themselves.
func TestMortgage_27_AmortisesByLoanToValue(t *testing.T) {
	for _, c := range []struct {
		toValue int64
		drawn   Day
		want    int64
	}{
		{50, date(2020, 1, 1), 0}, {55, date(2020, 1, 1), 1}, {70, date(2020, 1, 1), 1}, {75, date(2020, 1, 1), 2},
		{75, date(2016, 5, 31), 1}, {75, date(2016, 6, 1), 2}, {50, date(2010, 1, 1), 0}, {90, date(2026, 4, 1), 2},
	} {
		if got := amortisation(c.toValue, c.drawn); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestEffectiveRates_AreThoseOfTheFormula(t *testing.T) {
	for rate, want := range map[int64]int64{0: 0, 265: 268, 305: 309, 600: 617, 90: 90} {
		if got := effectiveMonthly(rate); got != want {
			t.Errorf("monthly %d: %d, want %d", rate, got, want)
		}
	}
	for _, c := range []struct{ rate, years, want int64 }{{235, 1, 235}, {235, 2, 232}, {375, 3, 362}, {235, 5, 225}, {0, 5, 0}} {
		if got := effectiveOnce(c.rate, int(c.years)); got != c.want {
			t.Errorf("once %d after %d: %d, want %d", c.rate, c.years, got, c.want)
		}
	}
}

// A withdrawal takes at most the balance (docs/reference/households.md 4.6): with a small
// opening deposit, the first one empties the account.
func TestSavings_29_FirstWithdrawalMayEmptyIt(t *testing.T) {
	p, err := newPerson("192505140000")
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := p.savings(17697, 0); !ok || s.cash != 0 || len(s.kept) == 0 {
		t.Errorf("%v, %d öre on the day of the withdrawal", ok, s.cash)
	}
}

func TestSavings_29_AddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := newPerson(anyNumber().Draw(t, "number"))
		if err != nil {
			t.Fatal(err)
		}
		on := anyDay().Draw(t, "on")
		if s, ok := p.savings(on, 0); ok {
			var cash ore
			for _, x := range s.kept {
				if x.kind == withdrawal {
					cash -= x.amount
				} else {
					cash += x.amount
				}
				if cash < 0 || x.kind != withdrawal && x.kind != deposit && x.kind != interest {
					t.Fatalf("%d after %+v", cash, x)
				}
			}
			if cash != s.cash || cash < 0 || cash == 0 && s.kept[len(s.kept)-1].kind != withdrawal || s.accrued < 0 {
				t.Errorf("%d, want %d", s.cash, cash)
			}
		}
		f, ok := p.fixed(on)
		if !ok {
			return
		}
		i := readItem(t, f.product(p).JSON(Head{}))
		start, end := i.day("bindingPeriod.startDate"), i.day("bindingPeriod.endDate")
		months := int(i.decimal("bindingPeriod.lengthPeriod.periodLength", 0))
		if i.text("bindingPeriod.lengthPeriod.periodUnit") == "YEAR" {
			months *= 12
		}
		if start > on || end <= on || addMonths(start, months) != end {
			t.Errorf("%s", i)
		}
		amount, rate := i.ore("currentValue"), i.decimal("interest.rate", 4)
		if want := ore((2*int64(amount)*rate*int64(on-start) + 3_650_000) / 7_300_000); i.ore("interest.accruedInterest") != want {
			t.Errorf("accrued %d, want %d", i.ore("interest.accruedInterest"), want)
		}
		if amount <= 0 || amount > 1_150_000*sek || i.has("deposit") || i.has("transactionsLast12Months") || i.is("canDeposit") || i.is("canWithdraw") {
			t.Errorf("%s", i)
		}
		if i.has("interest.effectiveRate") != (months > 12) {
			t.Errorf("%s", i)
		}
	})
}
