package product_test

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/deviation"
	"samla/internal/product"
)

// from reads a product of a source and returns it as it would be written, "" for none,
// and its problems in short.
func from(t *testing.T, in string) (string, []string) {
	t.Helper()
	p, report := product.FromSource([]byte(in))
	var problems []string
	counted := deviation.Counts{}
	for _, problem := range report.Problems {
		problems = append(problems, fmt.Sprintf("%s %s", problem.Pointer, problem.Kind))
		counted.Add(problem.Kind, 1)
	}
	if p == nil {
		if len(report.Counts) != 1 || !report.Counts.Incomplete() {
			t.Errorf("%s: %v", in, report.Counts)
		}
		return "", problems
	}
	if !maps.Equal(counted, report.Counts) && len(report.Problems) < 100 {
		t.Errorf("%s: counted %v, reported %v", in, report.Counts, counted)
	}
	out, err := product.Append(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	if again, report := product.FromSource(out); len(report.Problems) != 0 || !reflect.DeepEqual(p, again) {
		t.Errorf("%s: what is left is read otherwise: %+v", out, report)
	}
	return string(out), problems
}

// In each case, want is what is left of the members, and the rest is reported.
func TestFromSource_LeavesOutWhatIsWrong(t *testing.T) {
	const sek = `"currency":"SEK"}`
	for _, c := range []struct{ kind, in, want, problems string }{
		// Types of values.
		{"ISK", `"productName":7`, ``, "/productName UNREADABLE_MEMBER"},
		{"ISK", `"holdings":{}`, ``, "/holdings UNREADABLE_MEMBER"},
		{"ISK", `"holder":"Anna"`, ``, "/holder UNREADABLE_MEMBER"},
		{"ISK", `"accountInformation":{"hasExclusiveOwnership":"true"}`, ``, "/accountInformation/hasExclusiveOwnership UNREADABLE_MEMBER"},
		{"ISK", `"accountInformation":{"interestRate":"0.01"}`, ``, "/accountInformation/interestRate UNREADABLE_MEMBER"},
		{"ISK", `"accountInformation":{"interestRate":1.01,"hasExclusiveOwnership":false}`, `"accountInformation":{"hasExclusiveOwnership":false}`, "/accountInformation/interestRate UNREADABLE_MEMBER"},
		// Amounts.
		{"ISK", `"monthlySavingsAmount":100`, ``, "/monthlySavingsAmount UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":"100",` + sek, ``, "/monthlySavingsAmount/amount UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":100}`, ``, "/monthlySavingsAmount/currency UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":100,"currency":"kr"}`, ``, "/monthlySavingsAmount/currency UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":0.10000000000000000555,` + sek, ``, "/monthlySavingsAmount/amount UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":12345678901234567890,` + sek, ``, "/monthlySavingsAmount/amount UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":1e400,` + sek, ``, "/monthlySavingsAmount/amount UNREADABLE_MEMBER"},
		{"ISK", `"monthlySavingsAmount":{"amount":12.50,"text":"12,50",` + sek, `"monthlySavingsAmount":{"amount":12.50,` + sek, "/monthlySavingsAmount UNKNOWN_MEMBER"},
		{"ISK", `"transactions":[{"type":"FEE","amount":{"amount":-1,` + sek + `}]`, `"transactions":[{"type":"FEE"}]`, "/transactions/0/amount/amount UNREADABLE_MEMBER"},
		// Dates.
		{"PRIVATE_PENSION", `"startDate":"2024-02-30"`, ``, "/startDate UNREADABLE_MEMBER"},
		{"PRIVATE_PENSION", `"startDate":20240229`, ``, "/startDate UNREADABLE_MEMBER"},
		{"PRIVATE_PENSION", `"startDate":"9999-12-31"`, ``, "/startDate UNREADABLE_MEMBER"},
		{"PRIVATE_PENSION", `"startDate":"0001-01-01"`, ``, "/startDate UNREADABLE_MEMBER"},
		{"PRIVATE_PENSION", `"startDate":"2024-01-01T00:00:00Z"`, ``, "/startDate UNREADABLE_MEMBER"},
		// Whole numbers.
		{"UNSECURED_LOAN", `"repaymentSchedule":{"numberOfInstalments":1.5}`, ``, "/repaymentSchedule/numberOfInstalments UNREADABLE_MEMBER"},
		{"UNSECURED_LOAN", `"repaymentSchedule":{"numberOfInstalments":2147483648}`, ``, "/repaymentSchedule/numberOfInstalments UNREADABLE_MEMBER"},
		{"UNSECURED_LOAN", `"repaymentSchedule":{"numberOfInstalments":50.0,"repaymentDayOfMonth":32}`, `"repaymentSchedule":{"numberOfInstalments":50}`, "/repaymentSchedule/repaymentDayOfMonth UNREADABLE_MEMBER"},
		// Texts.
		{"ISK", `"productName":"` + strings.Repeat("å", 200) + `"`, `"productName":"` + strings.Repeat("å", 200) + `"`, ""},
		{"ISK", `"productName":"` + strings.Repeat("å", 201) + `"`, ``, "/productName UNREADABLE_MEMBER"},
		{"ISK", `"productName":"a\nb"`, ``, "/productName UNREADABLE_MEMBER"},
		{"ISK", `"productName":"","holder":null`, ``, ""},
		{"ISK", `"transactions":[{"type":"FEE","description":"` + strings.Repeat("x", 1001) + `"}]`, `"transactions":[{"type":"FEE"}]`, "/transactions/0/description UNREADABLE_MEMBER"},
		// Enums.
		{"ISK", `"holdings":[{"type":"CRYPTO","name":"X"}]`, `"holdings":[{"name":"X"}]`, "/holdings/0/type UNKNOWN_VALUE"},
		{"ISK", `"movability":{"result":"PERHAPS"}`, ``, "/movability/result UNREADABLE_MEMBER"},
		{"ISK", `"transactions":[{"type":"GIFT"},{"type":"FEE"}]`, `"transactions":[{"type":"FEE"}]`, "/transactions/0/type UNREADABLE_MEMBER"},
		{"ISK", `"transactions":[{"amount":{"amount":1,` + sek + `}]`, ``, "/transactions/0/type UNREADABLE_MEMBER"},
		// Members that the type does not have.
		{"ISK", `"fees":{"generic":{"variable":0.01}},"unheardOf":1,"a/b":{}`, ``, "/a~1b UNKNOWN_MEMBER;/fees UNKNOWN_MEMBER;/unheardOf UNKNOWN_MEMBER"},
		{"KF", `"insurance":{"insured":"Anna"}`, ``, "/insurance UNKNOWN_MEMBER"},
		{"UNSECURED_LOAN", `"interest":{"rate":0.05,"discount":0.01}`, `"interest":{"rate":0.05}`, "/interest/discount UNKNOWN_MEMBER"},
		{"ISK", `"transactions":[{"type":"FEE","tradeDate":"2024-01-01"}]`, `"transactions":[{"type":"FEE"}]`, "/transactions/0/tradeDate UNKNOWN_MEMBER"},
		{"PRIVATE_PENSION", `"payoutDetails":[{"period":{"type":"AGE_RANGE","startAge":65,"endDate":"2050-01-01"}}]`,
			`"payoutDetails":[{"period":{"type":"AGE_RANGE","startAge":65}}]`, "/payoutDetails/0/period/endDate UNKNOWN_MEMBER"},
		// Fees have exactly one of their forms, and not the older one.
		{"KF", `"fees":{"generic":{"variable":0.01},"personalized":{"variable":0.02}}`, ``, "/fees UNREADABLE_MEMBER"},
		{"KF", `"fees":{"feesCollected":true,"feeVariable":0.01}`, ``, "/fees/feeVariable UNKNOWN_MEMBER;/fees/feesCollected UNKNOWN_MEMBER"},
		{"KF", `"fees":{"generic":{"variable":1.5}}`, ``, "/fees/generic/variable UNREADABLE_MEMBER"},
		{"KF", `"fees":{"generic":{"variable":0.01},"personalized":null}`, `"fees":{"generic":{"variable":0.01}}`, ""},
		// Objects that lack what they must have, and that say nothing.
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":{"periodLength":2}}`, ``, "/bindingPeriod/lengthPeriod/periodUnit UNREADABLE_MEMBER"},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P2Y","autoRenewal":true}`, `"bindingPeriod":{"autoRenewal":true}`, "/bindingPeriod/lengthPeriod UNREADABLE_MEMBER"},
		{"ISK", `"holder":{},"holdings":[{},{"name":"X"}]`, `"holdings":[{"name":"X"}]`, "/holdings/0 UNREADABLE_MEMBER"},
		{"ISK", `"holdings":[],"transactions":[]`, `"holdings":[],"transactions":[]`, ""},
		// Lists that are too long.
		{"UNSECURED_LOAN", `"owners":[` + strings.Repeat(`{"name":"A"},`, 100) + `{"name":"B"}]`,
			`"owners":[` + strings.Repeat(`{"name":"A"},`, 99) + `{"name":"A"}]`, "/owners TOO_MANY"},
		// The server writes these.
		{"ISK", `"id":[],"company":"x"`, ``, ""},
	} {
		got, problems := from(t, `{"type":"`+c.kind+`",`+c.in+`}`)
		want := `{"id":"","type":"` + c.kind + `","company":"","companyDisplayName":""`
		if c.want != "" {
			want += "," + c.want
		}
		if got == "" {
			t.Errorf("%s: no product", c.in)
			continue
		}
		sameJSON(t, []byte(want+"}"), []byte(got))
		if strings.Join(problems, ";") != c.problems {
			t.Errorf("%.200s: problems %v, want %s", c.in, problems, c.problems)
		}
	}
}

func TestFromSource_LeavesOutProducts(t *testing.T) {
	for in, want := range map[string]string{
		``:                           " UNREADABLE_PRODUCT",
		`null`:                       " UNREADABLE_PRODUCT",
		`[]`:                         " UNREADABLE_PRODUCT",
		`{"type":"ISK"`:              " UNREADABLE_PRODUCT",
		`{"type":"ISK","type":"KF"}`: " UNREADABLE_PRODUCT",
		"{\"type\":\"ISK\",\"productName\":\"\xff\"}": " UNREADABLE_PRODUCT",
		`{}`:                   "/type UNREADABLE_PRODUCT",
		`{"type":["ISK"]}`:     "/type UNREADABLE_PRODUCT",
		`{"type":"SPACESHIP"}`: "/type UNKNOWN_PRODUCT",
		`{"type":"isk"}`:       "/type UNKNOWN_PRODUCT",
		`{"type":"PSD2_CHECKING_ACCOUNT","accountId":1}`: "/type UNKNOWN_PRODUCT",
		// A product under another number would be taken for another product.
		`{"type":"ISK","productNumber":1234567,"extra":1}`:     "/productNumber UNREADABLE_MEMBER;/extra UNKNOWN_MEMBER",
		`{"type":"MORTGAGE_LOAN","loanId":{}}`:                 "/loanId UNREADABLE_MEMBER",
		`{"type":"GENERAL_SAVINGS_ACCOUNT","iban":"a\u0000b"}`: "/iban UNREADABLE_MEMBER",
		`{"type":"GENERAL_SAVINGS_ACCOUNT","accountNumber":7}`: "/accountNumber UNREADABLE_MEMBER",
		`{"type":"IPS_PENSION","productNumber":false}`:         "/productNumber UNREADABLE_MEMBER",
		strings.Repeat("[", 1000):                              " UNREADABLE_PRODUCT",
	} {
		if got, problems := from(t, in); got != "" || strings.Join(problems, ";") != want {
			t.Errorf("%.100s: %q, %v, want %s", in, got, problems, want)
		}
	}
}

// A report is bounded, and its counts are not.
func TestFromSource_KeepsTheFirstProblems(t *testing.T) {
	in := `{"type":"ISK","transactions":[` + strings.Repeat(`{"type":7},`, 5000) + `{"type":"FEE"}],"` + strings.Repeat("n", 5000) + `":1}`
	p, report := product.FromSource([]byte(in))
	if p == nil || len(report.Problems) != 100 || report.Counts[deviation.UnreadableMember] != 5000 || report.Counts[deviation.UnknownMember] != 1 {
		t.Errorf("%d problems, %v", len(report.Problems), report.Counts)
	}
	if _, problems := from(t, `{"type":"ISK","`+strings.Repeat("n", 5000)+`":1}`); len(problems[0]) > 100 {
		t.Errorf("a pointer of %d bytes", len(problems[0]))
	}
}

// No rule repeats a value.
func TestFromSource_ReportsNoValues(t *testing.T) {
	const number = "194408139089"
	for _, member := range []string{`"productName":` + number, `"holder":{"name":` + number + `}`, `"monthlySavingsAmount":{"amount":"` + number + `"}`,
		`"holdings":[{"type":"` + number + `"}]`, `"productName":"` + number + `\u0000"`, `"transactions":[{"type":"FEE","settlementDate":"` + number + `"}]`} {
		_, report := product.FromSource([]byte(`{"type":"ISK",` + member + `}`))
		if text := fmt.Sprint(report); len(report.Problems) == 0 || strings.Contains(text, number) {
			t.Errorf("%s: %s", member, text)
		}
	}
}

func TestFromSource_ReadsEveryMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := product.AnyProduct(t, true)
		if strings.HasPrefix(string(p.Common().Type), "PSD2_") {
			return
		}
		written, err := product.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		got, report := product.FromSource(written)
		if len(report.Problems) != 0 {
			t.Fatalf("%+v\n%s", report, written)
		}
		if *p.Common() = (product.Head{Type: p.Common().Type}); !reflect.DeepEqual(p, got) {
			t.Fatalf("%s was read otherwise", written)
		}
	})
}

// Whatever a source says, what is written is what the contract allows.
func FuzzFromSource(f *testing.F) {
	for name, in := range examples(f) {
		if strings.HasPrefix(name, "product-") {
			f.Add(in)
		}
	}
	f.Add([]byte(`{"type":"KF","fees":{"generic":{"variable":2},"personalized":{}},"transactions":[{"type":"BUY","amount":{"amount":-1,"currency":"SEK"}}]}`))
	f.Add([]byte(`{"type":"PUBLIC_PENSION","updatedDate":"9999-12-31"}`))
	schema := contracted(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		p, report := product.FromSource(in)
		if p == nil {
			if !report.Counts.Incomplete() {
				t.Errorf("no product, and nothing is missing: %+v", report)
			}
			return
		}
		kind := p.Common().Type
		*p.Common() = product.Head{ID: "id", Type: kind, Company: "c", CompanyDisplayName: "C"}
		written, err := product.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		if kind != product.PublicPensionType {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(written))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%v\n%s", err, written)
			}
		}
		again, report := product.FromSource(written)
		if *p.Common() = (product.Head{Type: kind}); !reflect.DeepEqual(p, again) || slices.ContainsFunc(report.Problems, func(p product.Problem) bool { return p.Kind != "" }) {
			t.Errorf("%s is read otherwise: %+v", written, report)
		}
	})
}
