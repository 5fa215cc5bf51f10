package product_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/money"
	"samla/internal/product"
)

// exampleNames are the JSON examples of docs/reference/products.md, in its order. Those
// named product-* are whole products; the table parts has the types of the others.
var exampleNames = []string{
	"product-psd2-savings", "product-psd2-card", "product-psd2-checking", "psd2-transaction",
	"product-custody-account", "account-information", "financial-information", "holding", "transaction-buy",
	"product-savings", "product-savings-fixed-period", "binding-period", "interest-condition-range",
	"product-unsecured-loan", "product-mortgage",
	"product-collective-pension", "fees-personalized", "fees-generic", "payout-details", "payout-periods",
	"movability", "holder", "product-public-pension", "amount", "older-fees", "other-market-account-information",
}

var parts = map[string]func() any{
	"account-information":      func() any { return new(product.AccountInformation) },
	"amount":                   func() any { return new(money.Amount) },
	"binding-period":           func() any { return new(product.BindingPeriod) },
	"fees-generic":             func() any { return new(wrappedFees) },
	"fees-personalized":        func() any { return new(wrappedFees) },
	"financial-information":    func() any { return new(product.FinancialInformation) },
	"holder":                   func() any { return new(product.Holder) },
	"holding":                  func() any { return new(product.Holding) },
	"interest-condition-range": func() any { return new(product.InterestConditionRange) },
	"movability":               func() any { return new(product.Movability) },
	"payout-details":           func() any { return new(product.PayoutDetails) },
	"payout-periods":           func() any { return new([]product.PayoutPeriod) },
	"psd2-transaction":         func() any { return new(product.Psd2Transaction) },
	"transaction-buy":          func() any { return new(product.Transaction) },
}

type wrappedFees struct {
	Fees product.Fees `json:"fees"`
}

// These examples are read but never written: the older form of fees, and a part of
// another market's product. Other tests read them.
var readOnly = map[string]bool{"older-fees": true, "other-market-account-information": true}

// inDocument finds the examples: blocks of JSON, and objects within a line.
var inDocument = regexp.MustCompile("(?s)```json\n(.*?)```|`(\\{ \"[^`]*\\})`")

// examples returns the examples of the document by name. A document with more or fewer
// of them needs another table of names.
func examples(t testing.TB) map[string][]byte {
	t.Helper()
	document, err := os.ReadFile("../../docs/reference/products.md")
	if err != nil {
		t.Fatal(err)
	}
	found := inDocument.FindAllSubmatch(document, -1)
	if len(found) != len(exampleNames) {
		t.Fatalf("the document has %d examples, the table %d names", len(found), len(exampleNames))
	}
	all := map[string][]byte{}
	for i, name := range exampleNames {
		all[name] = slices.Concat(found[i][1], found[i][2])
	}
	return all
}

func example(t testing.TB, name string) []byte {
	t.Helper()
	raw, ok := examples(t)[name]
	if !ok {
		t.Fatalf("no example %s", name)
	}
	return raw
}

func TestExamples_RoundTrip(t *testing.T) {
	for name, in := range examples(t) {
		if readOnly[name] {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "product-") {
				p, err := product.Read(in)
				if err != nil {
					t.Fatal(err)
				}
				if _, unknown := p.(*product.Other); unknown {
					t.Fatal("read as an unknown type")
				}
				checkAppended(t, p, in)
				return
			}
			value := parts[name]()
			if err := json.Unmarshal(in, value); err != nil {
				t.Fatal(err)
			}
			sameJSON(t, in, product.AppendPart(value))
		})
	}
}

// What a source gives is read as well as what is stored. The server writes the head.
func TestExamples_AreReadFromASource(t *testing.T) {
	for name, in := range examples(t) {
		if !strings.HasPrefix(name, "product-") || strings.HasPrefix(name, "product-psd2-") {
			continue
		}
		want, err := product.Read(in)
		if err != nil {
			t.Fatal(err)
		}
		got, report := product.FromSource(in)
		if got == nil || len(report.Problems) != 0 {
			t.Errorf("%s: %+v", name, report)
			continue
		}
		*got.Common() = *want.Common()
		out, err := product.Append(nil, got)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, in, out)
	}
}

func checkAppended(t *testing.T, p product.Product, in []byte) {
	t.Helper()
	out, err := product.AppendAll(nil, []product.Product{p, p})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, fmt.Appendf(nil, "[%s,%s]", in, in), out)
}

func sameJSON(t testing.TB, want, got []byte) {
	t.Helper()
	if diff := cmp.Diff(normalized(t, want), normalized(t, got)); diff != "" {
		t.Errorf("read (-) and written (+) differ:\n%s", diff)
	}
}

// normalized parses JSON for comparison. Numbers stay text, so that 45.5 and 45.50
// differ. Date-times get milliseconds, because the examples omit the fraction that
// the server must write (docs/reference/api.md 1.1): 2024-01-15T10:30:00Z is written
// as 2024-01-15T10:30:00.000Z.
func normalized(t testing.TB, raw []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return withMilliseconds(v)
}

func withMilliseconds(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			v[key] = withMilliseconds(member)
		}
	case []any:
		for i, item := range v {
			v[i] = withMilliseconds(item)
		}
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC().Format("2006-01-02T15:04:05.000Z")
		}
	}
	return v
}

func TestFees_ConvertOlderForm(t *testing.T) {
	older := strings.TrimSpace(string(example(t, "older-fees")))
	for in, want := range map[string]string{
		older: `{"personalized":{"fixed":{"amount":10.32,"currency":"EUR"},"variable":0.0015,"previousYear":{"amount":10.32,"currency":"EUR"}}}`,
		strings.Replace(older, "true", "false", 1):                       `{"generic":{"fixed":{"amount":10.32,"currency":"EUR"},"variable":0.0015}}`,
		strings.Replace(older, "true", "null", 1):                        `{"personalized":{"fixed":{"amount":10.32,"currency":"EUR"},"variable":0.0015,"previousYear":{"amount":10.32,"currency":"EUR"}}}`,
		`{"feeVariable":0.01}`:                                           `{"generic":{"variable":0.01}}`,
		`{"generic":{"variable":0.01},"personalized":{"variable":0.02}}`: `{"personalized":{"variable":0.02}}`,
		`{"generic":{"variable":0.01},"feesCollected":true}`:             `{"generic":{"variable":0.01}}`,
		`{}`: `{}`,
	} {
		var fees product.Fees
		if err := json.Unmarshal([]byte(in), &fees); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		out, err := json.Marshal(fees)
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, []byte(want), out)
	}
}

func TestRead_KeepsProductsOfOtherMarkets(t *testing.T) {
	in := fmt.Sprintf(`{"id":"1","type":"DK_ASK","company":"dk-bank","accountInformation":%s}`,
		example(t, "other-market-account-information"))
	p, err := product.Read([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.(*product.Other); !ok || p.Common().ID != "1" || p.Common().Company != "dk-bank" {
		t.Errorf("got %T %v", p, p.Common())
	}
	checkAppended(t, p, []byte(in))
}
