package v20260401_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/jsontext"
	"samla/internal/product"
)

// Package product reads and writes every member that the document declares for
// each type, and what it writes is what the document says.
func TestProducts_AreWrittenAsDeclared(t *testing.T) {
	c := contract(t)
	types, all := map[product.Type]bool{}, ""
	for _, value := range c.Samples("FinancialProduct") {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		p, err := product.Read(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		types[p.Common().Type], all = true, all+string(raw)
		written, err := product.AppendAll(nil, []product.Product{p})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckResponse("getWealthData", 200, http.Header{"Insurely-Version": {v20260401.Version}, "X-Request-Id": {"r"}, "Content-Type": {"application/json"}, "Etag": {`W/"a"`}}, written); err != nil {
			t.Error(err)
		}
		got, serr := jsontext.Parse(string(written))
		if serr != nil || !reflect.DeepEqual(got, []any{value}) {
			t.Errorf("declared\n%s\nwritten\n%s", raw, written)
		}
	}
	for _, part := range []string{"personalized", "generic", "AGE_RANGE", "DATE_RANGE", "BUY", "OTHER", "TEN_YEARS", "DEBIT", "PENDING", "SEMIANNUALLY"} {
		if !strings.Contains(all, part) {
			t.Errorf("no sample with %s", part)
		}
	}
	if len(types) != 16 { // docs/reference/products.md 2
		t.Errorf("%d types", len(types))
	}
}
