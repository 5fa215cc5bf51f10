package v20250101

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/gzipped"
	"samla/internal/jsontext"
	"samla/internal/product"
)

// olderKeys are those of docs/reference/products.md 10.3.
var olderKeys = map[string]string{
	"personalNumber": "PERSONAL_NUMBER", "firstName": "FIRST_NAME", "lastName": "LAST_NAME", "name": "NAME", "email": "EMAIL",
	"phoneNumber": "PHONE_NUMBER", "streetAddress": "STREET_ADDRESS", "postalCode": "POSTAL_CODE", "city": "CITY", "country": "COUNTRY",
}

// model is what olderProducts must do, written with decoded values.
func model(t interface{ Fatalf(string, ...any) }, stored []byte, types []product.Type) []any {
	value, serr := jsontext.Parse(string(stored))
	if serr != nil {
		t.Fatalf("%v", serr)
	}
	out := []any{}
	for _, element := range value.([]any) {
		p := element.(map[string]any)
		if name, _ := p["type"].(string); !slices.Contains(types, product.Type(name)) {
			continue
		}
		p = maps.Clone(p)
		if person, ok := p["personalInformation"].(map[string]any); ok {
			older := map[string]any{}
			for key, value := range person {
				if olderKeys[key] != "" {
					older[olderKeys[key]] = value
				}
			}
			p["personalInformation"] = older
		}
		if fees, ok := p["fees"].(map[string]any); ok {
			p["fees"] = modelFees(fees)
		}
		out = append(out, p)
	}
	return out
}

func modelFees(fees map[string]any) map[string]any {
	older := map[string]any{}
	for kind, own := range map[string]bool{"personalized": true, "generic": false} {
		of, ok := fees[kind].(map[string]any)
		if !ok {
			continue
		}
		older["feesCollected"] = own
		for newer, name := range map[string]string{"fixed": "feeFixed", "variable": "feeVariable", "previousYear": "feesPreviousYear"} {
			if value, ok := of[newer]; ok {
				older[name] = value
			}
		}
	}
	return older
}

// same reports whether a text has the value. Numbers are compared as they are written.
func same(text []byte, want any) bool {
	got, serr := jsontext.Parse(string(text))
	return serr == nil && reflect.DeepEqual(got, want)
}

// The fees of docs/reference/products.md 8.1, each in the form of 10.3.
func TestOlderProducts_WritesOlderFees(t *testing.T) {
	const head = `{"type":"KF","id":"1","fees":`
	for newer, older := range map[string]string{
		`{"personalized":{"fixed":{"amount":10.32,"currency":"EUR"},"variable":0.0015,"previousYear":{"amount":10.32,"currency":"EUR"}}}`: `{"feesCollected":true,"feeFixed":{"amount":10.32,"currency":"EUR"},"feeVariable":0.0015,"feesPreviousYear":{"amount":10.32,"currency":"EUR"}}`,
		`{"generic":{"fixed":{"amount":100,"currency":"SEK"},"variable":0.0065}}`:                                                         `{"feesCollected":false,"feeFixed":{"amount":100,"currency":"SEK"},"feeVariable":0.0065}`,
		`{"generic":{}}`: `{"feesCollected":false}`, `{}`: `{}`, `null`: `null`, `{"personalized":null}`: `{}`,
		` { "generic" : { "fixed" : { "amount" : 1e2 } , "other" : [ 1 ] } , "more" : 2 } `: `{"feesCollected":false,"feeFixed":{ "amount" : 1e2 }}`,
	} {
		got, err := olderProducts([]byte("["+head+newer+"}]"), dataTypes)
		if want := "[" + head + older + "}]"; err != nil || string(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", newer, got, err, want)
		}
	}
}

// What package product reads from the older form is what was stored
// (docs/reference/products.md 8.1).
func TestOlderProducts_FeesAreReadBack(t *testing.T) {
	const documented = `{"feeFixed":{"amount":10.32,"currency":"EUR"},"feeVariable":0.0015,"feesCollected":true,"feesPreviousYear":{"amount":10.32,"currency":"EUR"}}`
	for _, older := range []string{documented, strings.Replace(documented, "true", "false", 1)} {
		var fees product.Fees
		if err := json.Unmarshal([]byte(older), &fees); err != nil {
			t.Fatal(err)
		}
		stored, err := product.AppendAll(nil, []product.Product{&product.Pension{Head: product.Head{Type: product.IPSPension}, Fees: &fees}})
		if err != nil {
			t.Fatal(err)
		}
		text, err := olderProducts(stored, dataTypes)
		if err != nil {
			t.Fatal(err)
		}
		var back []struct {
			Fees    json.RawMessage
			Pension product.Fees `json:"-"`
		}
		if err := json.Unmarshal(text, &back); err != nil || len(back) != 1 {
			t.Fatalf("%s %v", text, err)
		}
		if older == documented {
			want, _ := jsontext.Parse(documented)
			if !same(back[0].Fees, want) {
				t.Errorf("the documented fees become %s", back[0].Fees)
			}
		}
		if err := json.Unmarshal(back[0].Fees, &back[0].Pension); err != nil || !reflect.DeepEqual(back[0].Pension, fees) {
			t.Errorf("%s is read back as %+v, %v", back[0].Fees, back[0].Pension, err)
		}
	}
}

// Every field of package product has the documented key.
func TestOlderProducts_WritesPersonAsMap(t *testing.T) {
	person := reflect.TypeFor[product.PersonalInformation]()
	for i := range person.NumField() {
		key, _, _ := strings.Cut(person.Field(i).Tag.Get("json"), ",")
		if got := string(upperSnake([]byte(key))); got != olderKeys[key] {
			t.Errorf("%s becomes %s instead of %q", key, got, olderKeys[key])
		}
	}
	got, err := olderProducts([]byte(`[{"type":"ISK","personalInformation":{"personalNumber":"198412099296","first name":"no word","name":"A \"B\""},"id":"1"}]`), dataTypes)
	if want := `[{"type":"ISK","personalInformation":{"PERSONAL_NUMBER":"198412099296","NAME":"A \"B\""},"id":"1"}]`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}

// The documented products of the newer version become the same objects of this one.
func TestOlderProducts_KeepsDocumentedExamples(t *testing.T) {
	var all [][]byte
	for _, p := range documented(t) {
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, written)
	}
	stored := []byte("[" + string(bytes.Join(all, []byte(","))) + "]")
	for name, types := range map[string][]product.Type{"data": dataTypes, "public pension": pensionTypes} {
		got, err := olderProducts(stored, types)
		if want := model(t, stored, types); err != nil || !same(got, any(want)) || len(want) == 0 {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

func TestOlderProducts_LeavesOutOtherTypes(t *testing.T) {
	for stored, want := range map[string]string{
		`[]`: `[]`, ` [ ] `: `[]`, `[{}]`: `[]`, `[{"id":"1"}]`: `[]`, `[{"type":null}]`: `[]`, `[{"type":7}]`: `[]`, `[{"type":"X"}]`: `[]`,
		`[{"type":"PSD2_CREDIT_CARD","a":[{"b":"]}"}]},{"type":"KF"},{"a":1,"type":"PUBLIC_PENSION"}]`: `[{"type":"KF"}]`,
		`[{"type":"KF"},{"type":"PSD2_SAVINGS_ACCOUNT"},{"type":"ISK"}]`:                               `[{"type":"KF"},{"type":"ISK"}]`,
		`[{"n":1.50,"type":"KF","e":-1.0E+2,"t":true,"u":"\u00e5\\"}]`:                                 `[{"n":1.50,"type":"KF","e":-1.0E+2,"t":true,"u":"\u00e5\\"}]`,
	} {
		if got, err := olderProducts([]byte(stored), dataTypes); err != nil || string(got) != want {
			t.Errorf("%s becomes %s, %v", stored, got, err)
		}
	}
}

func TestOlderProducts_RefusesOtherTexts(t *testing.T) {
	for _, text := range []string{``, ` `, `{}`, `null`, `[`, `[1]`, `[{"type":"KF"}`, `[{"type":"KF"}]]`, `[{"type":"KF",}]`, `[{"type":"KF" "a":1}]`,
		`[{"type":"KF"}{}]`, `[{"type"}]`, `[{"type":}]`, `[{"type":"KF","a":"\`, `[{type:"KF"}]`, `[{"type":"KF","personalInformation":{"a"}}]`, `[{"type":"KF","fees":{"generic":{"a":}}}]`} {
		if got, err := olderProducts([]byte(text), dataTypes); err == nil {
			t.Errorf("%s becomes %s", text, got)
		}
	}
}

// drawProduct returns a product with any members.
func drawProduct(t *rapid.T, n int) map[string]any {
	known := slices.Concat(dataTypes, pensionTypes, []product.Type{product.Psd2CheckingAccount, "OTHER"})
	p := map[string]any{"id": fmt.Sprint(n), "type": string(rapid.SampledFrom(known).Draw(t, "type"))}
	amount := rapid.Custom(func(t *rapid.T) any {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		return map[string]any{"amount": json.Number(text), "currency": "SEK"}
	})
	if rapid.Bool().Draw(t, "person") {
		person := map[string]any{}
		for key := range olderKeys {
			if rapid.Bool().Draw(t, key) {
				person[key] = rapid.String().Draw(t, "value")
			}
		}
		p["personalInformation"] = person
	}
	if rapid.Bool().Draw(t, "fees") {
		of := map[string]any{}
		for _, key := range []string{"fixed", "variable", "previousYear"} {
			if rapid.Bool().Draw(t, key) {
				of[key] = amount.Draw(t, "amount")
			}
		}
		p["fees"] = map[string]any{rapid.SampledFrom([]string{"personalized", "generic"}).Draw(t, "kind"): of}
	}
	for range rapid.IntRange(0, 3).Draw(t, "others") {
		p[rapid.StringMatching(`[a-z]{1,3}[A-Z]?`).Draw(t, "key")] = []any{rapid.String().Draw(t, "text"), amount.Draw(t, "amount"), nil, true, map[string]any{"fees": map[string]any{"generic": map[string]any{}}}}
	}
	return p
}

// The older form is the newer one, member for member, but for what the document says; and
// every amount is written as it was.
func TestOlderProducts_IsAView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := make([]any, rapid.IntRange(0, 4).Draw(t, "products"))
		for i := range list {
			list[i] = drawProduct(t, i)
		}
		indent := rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "indent")
		stored, err := json.Marshal(list)
		if indent != "" && err == nil {
			stored, err = json.MarshalIndent(list, "", indent)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, types := range [][]product.Type{dataTypes, pensionTypes} {
			got, err := olderProducts(stored, types)
			if want := any(model(t, stored, types)); err != nil || !same(got, want) {
				t.Fatalf("%s\nbecomes %s, %v", stored, got, err)
			}
		}
	})
}

// Of any valid array of objects the view is what the model says; no other text makes it
// panic.
func FuzzOlderProducts(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"type":"KF","fees":{"personalized":{"fixed":{"amount":1,"currency":"SEK"}}}}]`,
		`[{"type":"ISK","personalInformation":{"name":"a"}}, {"type":"PSD2_CREDIT_CARD"}]`, `[{"a":"\"]}","type":"KF"}]`, `[{"type":"KF","a":[1,{"b":[]}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := olderProducts(text, dataTypes)
		value, serr := jsontext.Parse(string(text))
		list, isList := value.([]any)
		notObject := slices.ContainsFunc(list, func(e any) bool { _, ok := e.(map[string]any); return !ok })
		if serr != nil || !isList || notObject || bytes.Contains(text, []byte(`\`)) {
			return
		}
		for _, e := range list { // the model knows the documented keys, and the stored form has one kind of fees
			person, _ := e.(map[string]any)["personalInformation"].(map[string]any)
			fees, _ := e.(map[string]any)["fees"].(map[string]any)
			if len(fees) > 1 || slices.ContainsFunc(slices.Collect(maps.Keys(person)), func(key string) bool { return olderKeys[key] == "" }) {
				return
			}
		}
		if want := any(model(t, text, dataTypes)); err != nil || !same(got, want) {
			t.Errorf("%s\nbecomes %s, %v", text, got, err)
		}
	})
}

// documented returns the whole products among the examples of docs/reference/products.md.
func documented(tb testing.TB) (all []product.Product) {
	document, err := os.ReadFile("../../../docs/reference/products.md")
	if err != nil {
		tb.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(document, -1) {
		if !bytes.Contains(block[1], []byte(`"companyDisplayName"`)) {
			continue // a part of a product
		}
		p, err := product.Read(block[1])
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		tb.Fatalf("%d examples", len(all))
	}
	return all
}

// manyProducts returns stored products such as those of a person with n products.
func manyProducts(tb testing.TB, n int) []byte {
	examples := documented(tb)
	var products []product.Product
	for i := 0; len(products) < n; i++ {
		if p := examples[i%len(examples)]; !strings.HasPrefix(string(p.Common().Type), "PSD2") {
			products = append(products, p)
		}
	}
	stored, err := product.AppendAll(nil, products)
	if err != nil {
		tb.Fatal(err)
	}
	return stored
}

func BenchmarkOlderProducts(b *testing.B) {
	for _, n := range []int{10, 100} {
		b.Run(fmt.Sprint(n, " products"), func(b *testing.B) {
			stored := manyProducts(b, n)
			b.SetBytes(int64(len(stored)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := olderProducts(stored, dataTypes); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint(n, " products, compressed"), func(b *testing.B) { // to compare with
			stored := manyProducts(b, n)
			b.SetBytes(int64(len(stored)))
			for b.Loop() {
				gzipped.Compress(stored)
			}
		})
	}
}
