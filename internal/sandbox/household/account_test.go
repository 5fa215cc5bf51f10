package household

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The numbers in the names of the tests are those of docs/reference/households.md 7.

func isAccount(i item) bool { return i.has("accountInformation") }

func TestAccount_5_IsWorthItsHoldingsAndCash(t *testing.T) {
	checkItems(t, func(t *rapid.T, i item, _ Day) {
		var sum ore
		for _, h := range i.list("holdings") {
			sum += h.ore("value")
		}
		switch {
		case isAccount(i):
			sum += i.ore("accountInformation.cashValue")
		case !i.has("holdings"):
			return
		}
		if got := i.ore("financialInformation.currentValue"); got != sum {
			t.Errorf("worth %d, parts %d: %s", got, sum, i)
		}
	})
}

func TestAccount_8_HoldingsAreUnitsTimesThePriceOfTheDay(t *testing.T) {
	checkItems(t, func(t *rapid.T, i item, on Day) {
		for _, h := range i.list("holdings") {
			units := h.decimal("quantity", 4)
			if units <= 0 {
				t.Errorf("quantity %d", units)
			}
			if h.text("type") != "FUND" && units%10_000 != 0 {
				t.Errorf("%s in parts: %s", h.text("type"), h.text("quantity"))
			}
			n := numberOf(t, h.text("isin"))
			exact := units * int64(price(n, on)) // millionths of an öre
			if d := exact - million*int64(h.ore("value")); d > million/2 || d < -million/2 {
				t.Errorf("worth %d öre, units times price %d millionths of it", h.ore("value"), exact)
			}
		}
	})
}

func numberOf(t tester, isin string) number {
	for i := range instruments {
		if instruments[i].isin == isin {
			return number(i + 1)
		}
	}
	t.Fatalf("ISIN %q", isin)
	return 0
}

func TestAccount_9_AnISINHasOneNameTypeAndFee(t *testing.T) {
	seen := map[string]string{}
	prices := map[string]string{}
	checkItems(t, func(t *rapid.T, i item, _ Day) {
		same := func(seen map[string]string, key, value string) {
			if before, ok := seen[key]; ok && before != value {
				t.Errorf("%s is %s and %s", key, before, value)
			}
			seen[key] = value
		}
		for _, h := range i.list("holdings") {
			isin := h.text("isin")
			same(seen, isin, h.text("name")+h.text("type"))
			if h.has("feeVariable") {
				same(seen, isin+" fee", string(decimal(h.decimal("feeVariable", 6), 6)))
			}
		}
		for _, x := range i.list("transactions") {
			if !x.has("instrumentInformation") {
				continue
			}
			info := item{x.t, x.members["instrumentInformation"].(map[string]any)}
			same(seen, info.text("isin"), info.text("name")+info.text("type"))
			if x.has("tradeDate") {
				same(prices, info.text("isin")+x.text("tradeDate"), string(decimal(info.decimal("priceInAccountCurrency.amount", 4), 4)))
			}
		}
	})
}

func TestAccount_11_PerformanceFollowsFromDepositsAndWithdrawals(t *testing.T) {
	checkItems(t, func(t *rapid.T, i item, _ Day) {
		if !i.has("financialInformation.performanceSinceStart") {
			return
		}
		performance := i.decimal("financialInformation.performanceSinceStart", 4)
		if performance <= -10_000 {
			t.Errorf("performance %d", performance)
		}
		if isAccount(i) { // withdrawals of years before are not on the wire: the ledger's test
			return
		}
		value, deposits := i.ore("financialInformation.currentValue"), i.ore("financialInformation.totalDeposits")
		// within half of the last decimal
		if d := 2 * (int64(value-deposits)*10_000 - performance*int64(deposits)); d < -int64(deposits) || d > int64(deposits) {
			t.Errorf("performance %d of %d on %d", performance, value, deposits)
		}
	})
}

func TestTransactions_12to15_HaveTheirFormAndDays(t *testing.T) {
	checkItems(t, func(t *rapid.T, i item, on Day) {
		last := on + 1
		list := append(i.list("transactions"), i.list("transactionsLast12Months")...)
		for _, x := range list {
			kind, settled := transactionKind(x.text("type")), x.day("settlementDate")
			if x.ore("amount") <= 0 {
				t.Errorf("12: amount %d", x.ore("amount"))
			}
			if settled <= yearBefore(on) || settled > on || settled > last {
				t.Errorf("14: settled %s after %s, on %s", settled, last, on)
			}
			last = settled
			if isWeekend(settled) && kind != interest {
				t.Errorf("14: %s on the weekend %s", kind, settled)
			}
			if x.has("tradeDate") != (kind == buy || kind == sell) || x.has("quantity") != x.has("tradeDate") {
				t.Errorf("%s", x)
			}
			if x.has("description") == x.has("tradeDate") {
				t.Errorf("description of %s", x)
			}
			instrument := kind == buy || kind == sell || kind == dividend || kind == redemption
			if x.has("instrumentInformation") != instrument {
				t.Errorf("%s", x)
			}
			if kind == redemption && x.text("instrumentInformation.isin") != number(21).instrument().isin {
				t.Errorf("15: redemption of %s", x.text("instrumentInformation.isin"))
			}
			if x.has("tradeDate") {
				checkTrade(t, x, settled)
			}
			typ := i.text("type")
			if kind == fee && typ != "KF" || kind == other && typ != "KF" && typ != "CUSTODY_ACCOUNT" {
				t.Errorf("15: %s in %s", kind, typ)
			}
			if kind == dividend && typ == "CUSTODY_ACCOUNT" && !hasTax(list, x) {
				t.Errorf("15: no tax on %s", x)
			}
		}
	})
}

// checkTrade checks 13 and 14 of a BUY or SELL.
func checkTrade(t *rapid.T, x item, settled Day) {
	traded := x.day("tradeDate")
	if isWeekend(traded) || weekdaysAfter(traded, 2) != settled {
		t.Errorf("14: traded %s, settled %s", traded, settled)
	}
	n := numberOf(t, x.text("instrumentInformation.isin"))
	p := scaled(x.decimal("instrumentInformation.priceInAccountCurrency.amount", 4))
	if p != price(n, traded) {
		t.Errorf("13: price %d", p)
	}
	units := scaled(x.decimal("quantity", 4))
	want := ore((2*int64(units)*int64(p) + million) / (2 * million))
	commission := ore(0)
	if x.has("commission") {
		commission = x.ore("commission")
	}
	if n.isWhole() != (commission > 0) || n.isWhole() && commission < 100 {
		t.Errorf("13: commission %d on %s", commission, n.kind())
	}
	if x.text("type") == "SELL" {
		commission = -commission
	}
	if got := x.ore("amount"); got != want+commission {
		t.Errorf("13: amount %d, want %d + %d", got, want, commission)
	}
}

// hasTax reports whether the list has the withheld tax on a dividend.
func hasTax(list []item, dividend item) bool {
	amount := int64(dividend.ore("amount"))
	for _, x := range list {
		if x.text("type") == "OTHER" && x.text("settlementDate") == dividend.text("settlementDate") &&
			int64(x.ore("amount")) == (amount*60+100)/200 {
			return true
		}
	}
	return false
}

func TestISIN_16_HasThePrefixAndCheckDigit(t *testing.T) {
	for _, in := range instruments {
		if !strings.HasPrefix(in.isin, "XX") || len(in.isin) != 12 || checkDigit(in.isin[:11]) != in.isin[11] {
			t.Errorf("%s %s", in.isin, in.name)
		}
	}
	// vectors of docs/reference/households.md 2
	for text, want := range map[string]byte{"XX001007919": '4', "XX002034623": '7', "XX003066299": '5', "US037833100": '5', "SE000518883": '6'} {
		if got := checkDigit(text); got != want {
			t.Errorf("%s: %c, want %c", text, got, want)
		}
	}
}

// checkDigit returns the twelfth character of an ISIN (ISO 6166).
func checkDigit(first11 string) byte {
	var digits []int
	for _, c := range []byte(first11) {
		if c >= 'A' {
			digits = append(digits, int(c-'A'+10)/10, int(c-'A'+10)%10)
		} else {
			digits = append(digits, int(c-'0'))
		}
	}
	sum := 0
	for i := range digits {
		d := digits[len(digits)-1-i]
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return byte('0' + (10-sum%10)%10)
}

func TestTransactions_16_AllNineKindsOccur(t *testing.T) {
	kinds := map[string]bool{}
	for n := range 1000 {
		for _, i := range items(t, sampleNumber(n), date(2026, 11, 26), Everything) {
			for _, x := range i.list("transactions") {
				kinds[x.text("type")] = true
			}
		}
	}
	if len(kinds) != 9 {
		t.Errorf("%v", kinds)
	}
}
