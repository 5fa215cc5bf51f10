package v20250101

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"samla/internal/product"
	"samla/internal/sandbox/household"
	"samla/internal/sandbox/persona"
)

// What the sandbox's households have is valid by the document of this version, and is the
// same as in the newer form but for what docs/reference/products.md 10.3 says.
func TestOlderProducts_OfHouseholdsAreAsDeclared(t *testing.T) {
	count := 200
	if testing.Short() {
		count = 100
	}
	c := loaded(t)
	header := http.Header{"Insurely-Version": {Version}, "X-Request-Id": {"r"}, "Content-Type": {"application/json"}, "Etag": {`W/"a"`}}
	on := persona.DayOf(2026, time.April, 1)
	seen := map[string]bool{}
	for n := range count {
		number := fmt.Sprintf("%04d%02d%02d%04d", 1930+n*13%80, 1+n*5%12, 1+n*11%28, n*7919%10_000)
		contents := household.Everything
		if n%20 == 0 {
			contents = household.TwoOfEach
		}
		h, err := household.Make(number, on, contents)
		if err != nil {
			t.Fatal(err)
		}
		stored := []byte{'['}
		for i, p := range append(h.Products, *h.PublicPension) {
			if i > 0 {
				stored = append(stored, ',')
			}
			text := p.JSON(household.Head{ID: fmt.Sprint(i), Company: "se-demo", CompanyDisplayName: "Demo"})
			if !bytes.Contains(text, []byte(`"personalInformation"`)) {
				text = append(text[:len(text)-1:len(text)-1], `,"personalInformation":{"personalNumber":"`+number+`"}}`...)
			}
			stored = append(stored, text...)
			seen[p.Type] = true
		}
		stored = append(stored, ']')
		for _, types := range [][]product.Type{dataTypes, pensionTypes} {
			got, err := olderProducts(stored, types)
			if err != nil || !same(got, any(model(t, stored, types))) {
				t.Fatalf("%s: %v\n%s", number, err, got)
			}
			operation := "getWealthData"
			if len(types) == 1 {
				operation = "getPublicPension"
				if got, err = firstElement(got); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.CheckResponse(operation, http.StatusOK, header, got); err != nil {
				t.Fatalf("%s: %v", number, err)
			}
		}
	}
	for _, typ := range slices.Concat(dataTypes, pensionTypes) {
		if !seen[string(typ)] {
			t.Errorf("no household has %s", typ)
		}
	}
}
