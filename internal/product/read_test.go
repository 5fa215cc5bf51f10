package product_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"samla/internal/product"
)

// rewritten parses a product and encodes it again.
func rewritten(t *testing.T, in string) string {
	t.Helper()
	p, err := product.Read([]byte(in))
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	out, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const head = `"id":"1","type":"%s","company":"c","companyDisplayName":"C"`

func of(kind, members string) string {
	if members != "" {
		members = "," + members
	}
	return "{" + fmt.Sprintf(head, kind) + members + "}"
}

func TestRead_AcceptsDocumentedDeviations(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{"GENERAL_SAVINGS_ACCOUNT", `"transactions":[{"type":"FEE"}]`, `"transactionsLast12Months":[{"type":"FEE"}]`},
		{"GENERAL_SAVINGS_ACCOUNT", `"transactions":[{"type":"FEE"}],"transactionsLast12Months":[]`, `"transactionsLast12Months":[]`},
		{"GENERAL_SAVINGS_ACCOUNT", `"transactions":[],"transactionsLast12Months":null`, `"transactionsLast12Months":[]`},
		{"GENERAL_SAVINGS_ACCOUNT", `"interest":{"rateConditionRanges":[{"minAmount":{"amount":0,"currency":"SEK"},"maxAmount":100000,"rate":0.01}]}`,
			`"interest":{"rateConditionRanges":[{"minAmount":{"amount":0,"currency":"SEK"},"maxAmount":{"amount":100000,"currency":"SEK"},"rate":0.01}]}`},
		{"GENERAL_SAVINGS_ACCOUNT", `"interest":{"rateConditionRanges":[{"maxAmount":100000}]}`,
			``}, // of no currency
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P2Y"}`, `"bindingPeriod":{"lengthPeriod":{"periodLength":2,"periodUnit":"YEAR"}}`},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P1Y6M"}`, `"bindingPeriod":{"lengthPeriod":{"periodLength":18,"periodUnit":"MONTH"}}`},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P3M"}`, `"bindingPeriod":{"lengthPeriod":{"periodLength":3,"periodUnit":"MONTH"}}`},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P1W2D"}`, `"bindingPeriod":{"lengthPeriod":{"periodLength":9,"periodUnit":"DAY"}}`},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P1M2D"}`, ``},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P2D1Y"}`, ``},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"PT5H"}`, ``},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":"P99999999999999999999Y"}`, ``},
		{"GENERAL_SAVINGS_ACCOUNT_FIXED_PERIOD", `"bindingPeriod":{"lengthPeriod":null}`, ``},
		{"UNSECURED_LOAN", `"repaymentSchedule":{"numberOfInstallments":50}`, `"repaymentSchedule":{"numberOfInstalments":50}`},
		{"UNSECURED_LOAN", `"repaymentSchedule":{"numberOfInstallments":50,"numberOfInstalments":0}`, `"repaymentSchedule":{"numberOfInstalments":0}`},
		{"MORTGAGE_LOAN", `"interestBindingPeriod":"FIE_YEARS"`, `"interestBindingPeriod":"FIVE_YEARS"`},
		{"KF", `"fees":{"feesCollected":true,"feeVariable":0.01}`, `"fees":{"personalized":{"variable":0.01}}`},
	} {
		sameJSON(t, []byte(of(c.kind, c.want)), []byte(rewritten(t, of(c.kind, c.in))))
	}
}

func TestParseDateTime_AcceptsEveryForm(t *testing.T) {
	for in, want := range map[string]string{
		"2024-01-15T10:30:00Z":                "2024-01-15T10:30:00.000Z",
		"2024-01-15T10:30:00":                 "2024-01-15T10:30:00.000Z",
		"2024-01-15T10:30:00.5":               "2024-01-15T10:30:00.500Z",
		"2024-01-15T10:30:00.123456+02:00":    "2024-01-15T08:30:00.123Z",
		"2024-12-31T23:30:00-01:00":           "2025-01-01T00:30:00.000Z",
		"0001-01-01T00:00:00+01:00":           "",
		"9999-12-31T23:59:59-01:00":           "",
		"2024-01-15":                          "",
		"2024-02-30T10:30:00Z":                "",
		"2024-01-15 10:30:00":                 "",
		"2024-01-15T10:30:00Z; DROP TABLE x;": "",
	} {
		got, err := product.ParseDateTime(in)
		if got.String() != want || (want == "") != (err != nil) {
			t.Errorf("%s: got %v, %v", in, got, err)
		}
		if err != nil && !errors.Is(err, product.ErrDateTime) {
			t.Errorf("%s: got %v", in, err)
		}
	}
}

func TestParseDate_ChecksCalendar(t *testing.T) {
	d, err := product.ParseDate("2024-02-29")
	if err != nil || d.String() != "2024-02-29" || d.IsZero() {
		t.Errorf("got %v, %v", d, err)
	}
	for _, s := range []string{"", "2023-02-29", "2024-2-29", "20240229", "2024-02-29T00:00:00Z"} {
		if _, err := product.ParseDate(s); !errors.Is(err, product.ErrDate) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}

// Null, absent members and undocumented enum values are omitted, and so is an object or
// a list of which nothing else is known.
func TestRead_OmitsUnknown(t *testing.T) {
	for _, c := range []struct{ kind, in, want string }{
		{"MORTGAGE_LOAN", `"interestBindingPeriod":"VARIABLE","status":"ASLEEP","loanId":null,"owners":null,"loanDetails":null`, ``},
		{"ISK", `"holdings":[{"type":"CRYPTO","quantity":null,"name":null}],"transactions":[{"type":"GIFT","settlementDate":null}]`,
			``},
		{"KF", `"insurance":{"anything":[1]},"unheardOf":true`, ``},
		{"UNKNOWN_PENSION_TYPE", `"subClassification":7,"managementInstitutions":[{}],"classification":"X","benefitType":null`, ``},
		{"GENERAL_SAVINGS_ACCOUNT", `"withdrawalConditions":{"a":1},"canDeposit":null,"interest":{"payoutFrequency":"HOURLY"}`, ``},
		{"ISK", `"movability":{"result":"PERHAPS"},"personalInformation":null`, ``},
		{"PRIVATE_PENSION", `"payoutDetails":[{"period":{"type":"MOON_RANGE","startAge":0}}]`, ``},
	} {
		sameJSON(t, []byte(of(c.kind, c.want)), []byte(rewritten(t, of(c.kind, c.in))))
	}
}

func TestRead_KeepsFalseZeroAndEmptyLists(t *testing.T) {
	for kind, members := range map[string]string{
		"ISK":              `"holdings":[],"transactions":[],"accountInformation":{"hasExclusiveOwnership":false,"interestRate":0,"cashValue":{"amount":0,"currency":"SEK"}}`,
		"UNSECURED_LOAN":   `"repaymentSchedule":{"finalDebt":0,"numberOfInstalments":0},"owners":[]`,
		"IPS_PENSION":      `"activePayment":false,"otherInsuredPerson":false,"payoutDetails":[]`,
		"PSD2_CREDIT_CARD": `"accountId":"","transactions":[]`,
	} {
		in := of(kind, members)
		sameJSON(t, []byte(in), []byte(rewritten(t, in)))
	}
}

func TestHead_IsAlwaysWritten(t *testing.T) {
	for _, kind := range []string{"KF", "PUBLIC_PENSION", "PSD2_SAVINGS_ACCOUNT"} {
		got := rewritten(t, `{"type":"`+kind+`"}`)
		for _, member := range []string{`"id":""`, `"company":""`, `"companyDisplayName":""`, `"type":"` + kind + `"`} {
			if !strings.Contains(got, member) {
				t.Errorf("%s: no %s", got, member)
			}
		}
	}
}

func TestRead_KeepsUnknownTypesRaw(t *testing.T) {
	for _, in := range []string{`{"type":"SPACESHIP","crew":[1.50,{}]}`, `{}`, `{"type":null}`, `{"type":7,"id":[]}`, `{"type":["ISK"]}`} {
		p, err := product.Read([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if other, ok := p.(*product.Other); !ok || string(other.Raw) != in {
			t.Errorf("%s: got %T", in, p)
		}
	}
}

func TestRead_RejectsMalformedProducts(t *testing.T) {
	for _, in := range []string{``, `null`, `[]`, `5`, `"ISK"`, `{`, `{"type":"ISK"}{}`, `{"type":"ISK",}`,
		of("ISK", `"holdings":{}`), of("ISK", `"monthlySavingsAmount":{}`), of("UNSECURED_LOAN", `"firstDrawDownDate":"soon"`),
		of("PSD2_CREDIT_CARD", `"transactions":[{"amount":"much"}]`), of("PSD2_CREDIT_CARD", `"transactions":[{"createdAt":"now"}]`),
		of("GENERAL_SAVINGS_ACCOUNT", `"bindingPeriod":{"lengthPeriod":2}`)} {
		if p, err := product.Read([]byte(in)); !errors.Is(err, product.ErrMalformed) {
			t.Errorf("%s: got %v, %v", in, p, err)
		}
	}
}

func TestReadAll_StopsAtMalformedProduct(t *testing.T) {
	list, err := product.ReadAll([]byte("[" + of("ISK", "") + "," + of("SPACESHIP", "") + "]"))
	if err != nil || len(list) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
	if list, err := product.ReadAll([]byte("null")); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := product.ReadAll([]byte("[{},5]")); !errors.Is(err, product.ErrMalformed) || !strings.Contains(err.Error(), "item 1") {
		t.Errorf("got %v", err)
	}
	if _, err := product.ReadAll([]byte("{}")); !errors.Is(err, product.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

// No error and no log line contains personal data.
func TestProducts_DoNotPrintPersonalData(t *testing.T) {
	const number, iban = "194408139089", "SE3550000000054910000003"
	var out strings.Builder
	for _, in := range []string{
		of("PSD2_CHECKING_ACCOUNT", `"accountId":"`+iban+`","iban":"`+iban+`","personalInformation":{"personalNumber":"`+number+`"},"transactions":[{"accountId":"`+iban+`"}]`),
		of("GENERAL_SAVINGS_ACCOUNT", `"iban":"`+iban+`","personalInformation":{"personalNumber":"`+number+`"}`),
	} {
		p, err := product.Read([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.NewTextHandler(&out, nil))
		log.Info("product", "p", p, "list", []product.Product{p})
		fmt.Fprintf(&out, "%v %+v %#v %s\n", p, p, p, p)
		if a, ok := p.(*product.Psd2Account); ok {
			fmt.Fprintf(&out, "%+v %#v %v\n", *a, *a.PersonalInformation, a.PersonalInformation)
			log.Info("parts", "p", a.PersonalInformation, "t", a.Transactions[0])
			fmt.Fprintf(&out, "%+v %#v\n", a.Transactions, a.Transactions[0])
		}
	}
	for _, in := range []string{
		of("UNSECURED_LOAN", `"repaymentSchedule":{"repaymentDayOfMonth":`+number+`}`),
		of("UNSECURED_LOAN", `"firstDrawDownDate":"`+number+`"`),
		of("PSD2_CREDIT_CARD", `"bookedBalance":{"amount":"`+iban+`"}`),
		of("PSD2_CREDIT_CARD", `"accountId":`+number),
		of("PSD2_CREDIT_CARD", `"transactions":[{"createdAt":"`+number+`"}]`),
	} {
		_, err := product.Read([]byte(in))
		if err == nil {
			t.Errorf("%s: accepted", in)
		}
		fmt.Fprintln(&out, err)
	}
	if !strings.Contains(out.String(), "PSD2_CHECKING_ACCOUNT of c 1") || !strings.Contains(out.String(), "p.company=c") {
		t.Errorf("too little printed:\n%s", out.String())
	}
	if strings.Contains(out.String(), number) || strings.Contains(out.String(), iban) {
		t.Errorf("printed:\n%s", out.String())
	}
}

func FuzzRead(f *testing.F) {
	for name := range parts {
		f.Add(example(f, name))
	}
	for _, name := range []string{"product-psd2-card", "product-custody-account", "product-savings-fixed-period", "product-mortgage", "product-collective-pension", "product-public-pension"} {
		f.Add(example(f, name))
	}
	f.Add([]byte(of("KF", `"fees":{"feesCollected":true,"feeFixed":1},"transactions":[{"type":"BUY","tradeDate":"2024-01-01"}]`)))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := product.Read(in)
		if err != nil {
			return
		}
		once, err := product.AppendAll(nil, []product.Product{p})
		if err != nil {
			t.Fatal(err)
		}
		again, err := product.ReadAll(once)
		if err != nil {
			t.Fatalf("%s was written but cannot be read: %v", once, err)
		}
		twice, err := product.AppendAll(nil, again)
		if err != nil {
			t.Fatal(err)
		}
		if string(once) != string(twice) {
			t.Errorf("first written\n%s\nthen\n%s", once, twice)
		}
	})
}
