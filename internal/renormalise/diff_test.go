package renormalise_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/renormalise"
)

func TestDiff_SaysWhatKindOfChange(t *testing.T) {
	of := func(transactions string) string {
		return `[{"id":"1","type":"PSD2_CHECKING_ACCOUNT","accountName":"Lön","bookedBalance":{"amount":1834.50,"currency":"SEK"},"transactions":[` + transactions + `]}]`
	}
	const a, b = `{"transactionId":"a","description":"Hyra Zebrapostgatan","amount":{"amount":-10.00}}`, `{"transactionId":"b"}`
	for _, test := range []struct {
		before, after string
		want          []renormalise.Change
	}{
		{of(a), of(a), nil},
		{of(a + "," + b), of(b + "," + a), nil},
		{of(a), of(a + "," + b), []renormalise.Change{{Type: "PSD2_CHECKING_ACCOUNT", Kind: renormalise.Added, Pointer: "/transactions/-", After: "object"}}},
		{of(a), of(strings.Replace(a, "-10.00", "10.5", 1)), []renormalise.Change{{Type: "PSD2_CHECKING_ACCOUNT", Kind: renormalise.Modified,
			Pointer: "/transactions/-/amount/amount", Before: "number - of 2.2", After: "number + of 2.1"}}},
		{of(a), strings.Replace(of(a), `"accountName":"Lön",`, "", 1), []renormalise.Change{{Type: "PSD2_CHECKING_ACCOUNT", Kind: renormalise.Removed,
			Pointer: "/accountName", Before: "text of 3"}}},
		{of(a), `[]`, []renormalise.Change{{Type: "PSD2_CHECKING_ACCOUNT", Kind: renormalise.Removed, Before: "product"}}},
		{`[{"id":"1","type":"Astrid","Anna Quist":1}]`, `[{"id":"1","type":"Astrid","Anna Quist":true}]`, []renormalise.Change{{Type: "OTHER",
			Kind: renormalise.Modified, Pointer: "/?", Before: "number + of 1.0", After: "boolean"}}},
	} {
		if got := renormalise.Diff([]byte(test.before), []byte(test.after)); fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s\n  got  %+v\n  want %+v", test.after, got, test.want)
		}
	}
}

// No text and no number of the products is in what is printed.
func TestDiff_HasNoValue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[A-ZÅÄÖ][a-zåäö]{4,12} [0-9]{3,12}`)
		product := func(i int) (string, []string) {
			name, description, amount := text.Draw(rt, "name"), text.Draw(rt, "description"), rapid.IntRange(10000, 999999999).Draw(rt, "amount")
			return fmt.Sprintf(`[{"id":"%d","type":"PSD2_CREDIT_CARD","accountName":%q,"extra":{%q:%q},"transactions":[{"transactionId":"t","amount":%d,"description":%q}]}]`,
				rapid.IntRange(1, 2).Draw(rt, "id"), name, name, name, amount, description), []string{name, description, fmt.Sprint(amount)}
		}
		before, values := product(1)
		after, more := product(2)
		printed := fmt.Sprintf("%+v", renormalise.Diff([]byte(before), []byte(after)))
		for _, v := range append(values, more...) {
			for _, part := range strings.Fields(v) {
				if strings.Contains(printed, part) {
					rt.Fatalf("%q is in %s", part, printed)
				}
			}
		}
	})
}
