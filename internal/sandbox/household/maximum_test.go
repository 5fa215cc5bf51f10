package household

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/product"
)

const maximumPerson, minimumPerson = "200001020000", "200001030000"

// The minimum person has one product of each type with the head only.
func TestMinimum_HasTheHeadOnly(t *testing.T) {
	list := items(t, minimumPerson, date(2026, 11, 26), ContentsOf(minimumPerson))
	if len(list) != 13 {
		t.Fatalf("%d products", len(list))
	}
	seen := map[string]bool{}
	for _, i := range list {
		seen[i.text("type")] = true
		if members := slices.Sorted(maps.Keys(i.members)); !slices.Equal(members, []string{"company", "companyDisplayName", "id", "type"}) {
			t.Errorf("%v", members)
		}
	}
	if len(seen) != 13 {
		t.Errorf("%v", seen)
	}
	h, _ := Of(minimumPerson, date(2026, 11, 26))
	if got := string(h.PublicPension.JSON(Head{"1", "c", "n"})); got != `{"id":"1","type":"PUBLIC_PENSION","company":"c","companyDisplayName":"n"}` {
		t.Errorf("%s", got)
	}
}

// The maximum person has two products of each type: first one with all members, then a
// minimum.
func TestMaximum_HasTwoOfEachType(t *testing.T) {
	list := items(t, maximumPerson, date(2026, 11, 26), ContentsOf(maximumPerson))
	if len(list) != 26 {
		t.Fatalf("%d products", len(list))
	}
	for n := 0; n < len(list); n += 2 {
		if full, least := list[n], list[n+1]; full.text("type") != least.text("type") || len(full.members) <= 4 || len(least.members) != 4 {
			t.Errorf("%s\n%s", full, least)
		}
	}
}

// neverWritten are the members that docs/reference/products.md never writes.
var neverWritten = []string{"insurance", "subClassification", "managementInstitutions", "withdrawalConditions"}

// ofOther are the members of package product's types that other products of the same Go
// type have: docs/reference/products.md 5 to 8.
var ofOther = map[string][]string{
	"ISK": {"fees"}, "CUSTODY_ACCOUNT": {"fees"}, "UNKNOWN_INVESTMENT_TYPE": {"fees"},
	"PRIVATE_PENSION": {"benefitType"}, "IPS_PENSION": {"benefitType"}, "UNKNOWN_PENSION_TYPE": {"benefitType"},
	"GENERAL_SAVINGS_ACCOUNT": {"bindingPeriod"},
	"UNSECURED_LOAN": {
		"financedObject", "interestBindingPeriod", "interest.baseRate", "interest.discount", "interest.discountEndDate",
		"interest.effectiveRate", "interest.periodStartDate", "interest.rateAdjustmentDate",
	},
}

// Package product knows every member of every type. The maximum person lacks none of them:
// in a list, one of the items has it.
func TestMaximum_HasEveryMember(t *testing.T) {
	h, err := Of(maximumPerson, date(2026, 11, 26))
	if err != nil {
		t.Fatal(err)
	}
	full := []Product{*h.PublicPension}
	for n := 0; n < len(h.Products); n += 2 {
		full = append(full, h.Products[n])
	}
	for _, p := range full {
		i := readItem(t, p.JSON(Head{"1", "c", "n"}))
		read, err := product.Read(p.JSON(Head{"1", "c", "n"}))
		if err != nil {
			t.Fatal(err)
		}
		except := append(slices.Clone(neverWritten), ofOther[p.Type]...)
		except = append(except, "fees.generic") // the fees are the holder's own
		if p.Type != "ISK" && p.Type != "CUSTODY_ACCOUNT" {
			except = append(except, "holdings.fundAccountNumber")
		}
		if strings.HasPrefix(p.Type, "GENERAL_SAVINGS") { // only some kinds of transactions
			for _, member := range []string{"instrumentInformation", "commission", "quantity", "tradeDate"} {
				except = append(except, "transactionsLast12Months."+member)
			}
		}
		lacks(t, reflect.TypeOf(read).Elem(), "", []any{i.members}, except, p.Type)
	}
}

// lacks reports each member of a struct that none of the objects has.
func lacks(t *testing.T, of reflect.Type, path string, objects []any, except []string, typ string) {
	t.Helper()
	for f := range of.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous {
			lacks(t, f.Type, path, objects, except, typ)
		}
		if name == "" || name == "-" || slices.Contains(except, path+name) {
			continue
		}
		var below []any
		for _, o := range objects {
			switch v := o.(map[string]any)[name].(type) {
			case nil:
			case []any:
				below = append(below, v...)
			default:
				below = append(below, v)
			}
		}
		if len(below) == 0 {
			t.Errorf("%s has no %s%s", typ, path, name)
			continue
		}
		element := f.Type
		for element.Kind() == reflect.Pointer || element.Kind() == reflect.Slice {
			element = element.Elem()
		}
		if _, object := below[0].(map[string]any); object && element.Kind() == reflect.Struct && element.PkgPath() == reflect.TypeFor[product.Head]().PkgPath() {
			lacks(t, element, path+name+".", below, except, typ)
		}
	}
}

// What an object has, each of its kind has: holdings, transactions, parts of payout.
func TestMaximum_HasTheValuesOfTheTable(t *testing.T) {
	list := items(t, maximumPerson, date(2026, 11, 26), TwoOfEach)
	movability := map[string]bool{}
	for n := 0; n < len(list); n += 2 {
		i := list[n]
		if i.has("movability") {
			movability[i.text("movability.result")] = true
		}
		kinds := map[string]bool{}
		for _, x := range append(i.list("transactions"), i.list("transactionsLast12Months")...) {
			kinds[x.text("type")] = true
		}
		if isAccount(i) && len(kinds) != 9 || i.has("interest.accruedInterest") && len(kinds) != 3 {
			t.Errorf("%s: transactions %v", i.text("type"), kinds)
		}
		types := []string{}
		for _, h := range i.list("holdings") {
			types = append(types, h.text("type"))
			if h.has("fundAccountNumber") != (h.text("type") == "FUND" && (i.text("type") == "ISK" || i.text("type") == "CUSTODY_ACCOUNT")) {
				t.Errorf("%s: fund account of %s", i.text("type"), h)
			}
			if !h.has("marketIdentifierCode") || !h.has("acquisitionValue") || !h.has("feeVariable") || h.has("isin") == (h.text("type") == "UNKNOWN") {
				t.Errorf("%s", h)
			}
		}
		if slices.Sort(types); i.has("holdings") && !slices.Equal(types, []string{"EQUITY", "ETF", "FUND", "UNKNOWN"}) {
			t.Errorf("%s: holdings %v", i.text("type"), types)
		}
		if i.has("payoutDetails") {
			checkThreePayouts(t, i)
		}
		for _, r := range i.list("interest.rateConditionRanges") {
			if !r.has("minAmount") || !r.has("maxAmount") {
				t.Errorf("%s", i)
			}
		}
	}
	if len(movability) != 5 {
		t.Errorf("movability %v", movability)
	}
}

func checkThreePayouts(t *testing.T, i item) {
	t.Helper()
	parts := i.list("payoutDetails")
	if len(parts) != 3 {
		t.Fatalf("%s", i)
	}
	for n, member := range []string{"period.endAge", "period.endDate", "lifelongPayout"} {
		if !parts[n].has(member) || parts[n].is("lifelongPayout") != (n == 2) || parts[n].has("period.endAge") && n == 2 {
			t.Errorf("%d: %s", n, parts[n])
		}
	}
	other := i.text("type") == unknown
	if i.is("otherInsuredPerson") != other || (i.text("holder.name") != i.text("personalInformation.name")) != other {
		t.Errorf("%s", i)
	}
}

// The sums of the maximum person add up, on any day.
func TestMaximum_AddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := anyDay().Draw(t, "on")
		for _, i := range items(t, anyNumber().Draw(t, "number"), on, TwoOfEach) {
			var sum ore
			for _, h := range i.list("holdings") {
				sum += h.ore("value")
			}
			if isAccount(i) {
				sum += i.ore("accountInformation.cashValue")
			}
			if i.has("holdings") && sum != i.ore("financialInformation.currentValue") {
				t.Errorf("%d, parts %d: %s", i.ore("financialInformation.currentValue"), sum, i)
			}
			if i.has("loanDetails") && i.ore("loanDetails.granted") != i.ore("loanDetails.balance")+i.ore("loanDetails.paid") {
				t.Errorf("%s", i)
			}
			if i.has("nextPayment") && i.ore("nextPayment.total") != i.ore("nextPayment.instalment")+i.ore("nextPayment.interest") {
				t.Errorf("%s", i)
			}
			for _, x := range append(i.list("transactions"), i.list("transactionsLast12Months")...) {
				if settled := x.day("settlementDate"); settled > on && on > date(2001, 1, 1) || x.ore("amount") <= 0 {
					t.Errorf("%s", x)
				}
				if x.has("tradeDate") {
					checkTrade(t, x, x.day("settlementDate"))
				}
			}
			for _, p := range i.list("payoutDetails") {
				if p.is("active") || p.has("period.startDate") && p.day("period.startDate") <= on {
					t.Errorf("19: %s", i)
				}
			}
		}
	})
}

// No member of a product has the wrong JSON type by accident: encode never panics.
func TestEncode_WritesEveryNumberAsANumber(t *testing.T) {
	for n, places := range map[int64]int{0: 2, 5: 2, -5: 2, 100: 2, 12345: 2, -12345: 4, 1: 6} {
		var v json.Number
		if err := json.Unmarshal(encode(decimal(n, places)), &v); err != nil {
			t.Errorf("%d/%d: %v", n, places, err)
		}
	}
	for n, want := range map[int64]string{0: "0", 5: "0.05", -5: "-0.05", 100: "1", 12340: "123.4", -12345: "-123.45"} {
		if got := decimal(n, 2); string(got) != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
