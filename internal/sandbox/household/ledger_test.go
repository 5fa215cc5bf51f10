package household

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyAccount draws an account, also one that the person does not have.
func anyAccount(t *rapid.T) (a *account, on Day) {
	p, err := newPerson(anyNumber().Draw(t, "number"))
	if err != nil {
		t.Fatal(err)
	}
	k := rapid.SampledFrom(accountKinds).Draw(t, "kind")
	return p.newAccount(k.kind, k.since), anyDay().Draw(t, "on")
}

// An account is what its transactions since the start add up to.
func TestLedger_6to11_IsTheSumOfItsTransactions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, on := anyAccount(t)
		a.fold(on, 0)
		var cash, deposits, withdrawals ore
		var positions [lastNumber]position
		fees := map[int]int{}
		for _, x := range a.kept {
			switch x.kind {
			case deposit, sell, dividend, interest, redemption:
				cash += x.amount
			default:
				cash -= x.amount
			}
			if cash < 0 {
				t.Fatalf("6: cash %d after %+v", cash, x)
			}
			switch x.kind {
			case deposit:
				deposits += x.amount
			case withdrawal:
				withdrawals += x.amount
			case fee:
				fees[yearOf(x.settled)]++
			case buy, sell:
				if p := &positions[x.number-1]; x.kind == buy {
					p.units += x.units
					p.acquired += x.amount
				} else {
					if x.units <= 0 || x.units > p.units {
						t.Fatalf("7: sold %d of %d", x.units, p.units)
					}
					p.acquired -= ore((2*int64(p.acquired)*int64(x.units)/int64(p.units) + 1) / 2)
					p.units -= x.units
				}
			}
		}
		if cash != a.cash || deposits != a.deposits || withdrawals != a.withdrawals {
			t.Errorf("6, 11: %d %d %d, want %d %d %d", a.cash, a.deposits, a.withdrawals, cash, deposits, withdrawals)
		}
		for i, p := range positions {
			if got := a.positions[i]; got != p {
				t.Errorf("7, 10: %d: %+v, want %+v", i+1, got, p)
			}
			if p.units < 0 || (p.units > 0) != (p.acquired > 0) {
				t.Errorf("7, 10: %d: %+v", i+1, p)
			}
		}
		for year, count := range fees {
			if count > 4 {
				t.Errorf("15: %d fees in %d", count, year)
			}
		}
	})
}

// performanceSinceStart of accounts counts the withdrawals of all years.
func TestLedger_11_PerformanceCountsWithdrawals(t *testing.T) {
	for _, c := range []struct {
		value, withdrawals, deposits ore
		want                         string
	}{
		{11_000, 0, 10_000, "0.1"}, {9_000, 2_000, 10_000, "0.1"}, {10_000, 0, 10_000, "0"}, {9_999, 0, 10_000, "-0.0001"},
		{20_001, 0, 20_000, "0.0001"}, {19_999, 0, 20_000, "0"}, {0, 1, 10_000, "-0.9999"}, {0, 0, 0, ""},
	} {
		if got := performance(c.value, c.withdrawals, c.deposits); string(got) != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// A later day shows a longer history of the same account.
func TestLedger_2_KeepsItsHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, day1 := anyAccount(t)
		day2 := day1 + Day(rapid.IntRange(0, 1500).Draw(t, "later"))
		if day2 > lastDay {
			return
		}
		a.fold(day1, 0)
		before, deposits := a.kept, a.deposits
		a.fold(day2, 0)
		if len(a.kept) < len(before) || !slices.Equal(a.kept[:len(before)], before) {
			t.Fatal("another history")
		}
		if after := a.kept[len(before):]; len(after) > 0 && after[0].settled <= day1 {
			t.Errorf("%+v is new on %s", after[0], day2)
		}
		if a.deposits < deposits {
			t.Errorf("deposits %d after %d", a.deposits, deposits)
		}
		if !slices.IsSortedFunc(a.kept, func(x, y transaction) int { return int(x.settled - y.settled) }) {
			t.Error("transactions out of order")
		}
	})
}

// What a person has under a number stays, and keeps its start.
func TestHousehold_2and3_KeepsItsProducts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number, day1 := anyNumber().Draw(t, "number"), anyDay().Draw(t, "on")
		day2 := min(lastDay, day1+Day(rapid.IntRange(0, 400).Draw(t, "later")))
		later := map[string]item{}
		for _, i := range items(t, number, day2, Everything) {
			later[i.text("type")+i.key()] = i
		}
		for _, i := range items(t, number, day1, Everything) {
			after, ok := later[i.text("type")+i.key()]
			if !ok {
				if !mayEnd(t, i, day2) {
					t.Errorf("%s is gone on %s", i, day2)
				}
				continue
			}
			for _, member := range []string{"startDate", "firstDrawDownDate", "productName"} {
				if i.text(member) != after.text(member) {
					t.Errorf("%s of %s on %s: %s", member, i, day2, after)
				}
			}
			const deposits = "financialInformation.totalDeposits"
			if i.has(deposits) && after.has(deposits) && after.ore(deposits) < i.ore(deposits) {
				t.Errorf("deposits %d after %d", after.ore(deposits), i.ore(deposits))
			}
			if i.has("loanDetails") && after.ore("loanDetails.balance") > i.ore("loanDetails.balance") {
				t.Errorf("23: balance rises to %d", after.ore("loanDetails.balance"))
			}
		}
	})
}

// key is the number by which a product is found again.
func (i item) key() string {
	return i.text("productNumber") + i.text("accountNumber") + i.text("loanId")
}

// mayEnd reports whether a product may be gone on a day: a pension that has been paid out,
// and a mortgage of a person of 75 years.
func mayEnd(t *rapid.T, i item, on Day) bool {
	switch {
	case i.text("type") == "MORTGAGE_LOAN":
		return birthOf(i.numberOfPerson(t)).age(on) >= 75
	case !strings.Contains(i.text("type"), "PENSION"):
		return false
	case !i.has("payoutDetails"): // thin
		return true
	}
	payout := i.list("payoutDetails")[0]
	if payout.is("lifelongPayout") {
		return false
	}
	if payout.has("period.endDate") {
		return payout.day("period.endDate") <= on+6 // the last payment is on the 25th
	}
	end := int(payout.decimal("period.endAge", 0))
	return birthOf(i.numberOfPerson(t)).age(on+37) >= end
}

// numberOfPerson is the personal number of a product that is not thin.
func (i item) numberOfPerson(t *rapid.T) string {
	if !i.has("personalInformation.personalNumber") {
		t.Skip("a thin product")
	}
	return i.text("personalInformation.personalNumber")
}

func TestHousehold_1_IsTheSameEachTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number, on := anyNumber().Draw(t, "number"), anyDay().Draw(t, "on")
		contents := Contents(rapid.IntRange(0, int(TwoOfEach)).Draw(t, "contents"))
		text := func() (all string) {
			h, err := Make(number, on, contents)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range h.Products {
				all += string(p.JSON(Head{"id", "c", "n"}))
			}
			return all
		}
		if a, b := text(), text(); a != b {
			t.Errorf("%s\n%s", a, b)
		}
	})
}

// Every adult who is not listed has an investment, and nobody has a PSD2 account.
func TestHousehold_3_HasAnInvestment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number, on := anyNumber().Draw(t, "number"), anyDay().Draw(t, "on")
		var accounts int
		for _, i := range items(t, number, on, Everything) {
			if isAccount(i) {
				accounts++
			}
			if strings.HasPrefix(i.text("type"), "PSD2") || i.text("type") == unknownInvestment {
				t.Errorf("type %s", i.text("type"))
			}
		}
		// docs/reference/households.md 4.5: the start is in 2023 at the latest, or in the
		// year of the birthday 19.
		if last := max(2023, birthOf(number).year+19); yearOf(on) > last && accounts == 0 {
			t.Errorf("no investment on %s", on)
		}
	})
}
