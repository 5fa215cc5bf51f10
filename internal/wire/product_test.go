package wire

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samla/internal/product"
)

// sample makes a value with every member that the schema declares.
func (t tree) sample(pointer string) any {
	node, pointer := t.resolve(pointer)
	s := node.(map[string]any)
	if d, ok := s["discriminator"].(map[string]any); ok {
		mapping := d["mapping"].(map[string]any)
		first := slices.Min(slices.Collect(maps.Keys(mapping)))
		return t.sample(strings.TrimPrefix(mapping[first].(string), "#"))
	}
	if c, ok := s["const"]; ok {
		return c
	}
	if e, ok := s["enum"].([]any); ok {
		return e[0]
	}
	kind, _ := s["type"].(string)
	if list, ok := s["type"].([]any); ok {
		kind = list[0].(string)
	}
	switch kind {
	case "object":
		o := map[string]any{}
		for name := range t.object(pointer + "/properties") {
			o[name] = t.sample(pointer + "/properties/" + name)
		}
		if pointer == "/components/schemas/Fees" {
			delete(o, "generic") // one of the two forms
		}
		return o
	case "array":
		return []any{t.sample(pointer + "/items")}
	case "integer":
		return json.Number("7")
	case "number":
		return json.Number("0.5")
	case "boolean":
		return true
	}
	switch {
	case s["format"] == "date":
		return "2026-01-02"
	case s["format"] == "date-time":
		return "2026-01-02T03:04:05.006Z"
	case s["pattern"] == "^[A-Z]{3}$":
		return "SEK"
	}
	return "text"
}

// Package product reads and writes every member that the document declares for
// each type, and what it writes is what the document says.
func TestProductsAreWrittenAsDeclared(t *testing.T) {
	c := mustLoad(t)
	types := c.tree.object("/components/schemas/FinancialProduct/discriminator/mapping")
	if len(types) != 16 { // docs/reference/products.md 2
		t.Errorf("%d types", len(types))
	}
	for name, ref := range types {
		value := c.tree.sample(strings.TrimPrefix(ref.(string), "#"))
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		p, err := product.Read(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := c.CheckResponse("getWealthData", 200, usual(), []byte("["+string(written)+"]")); err != nil {
			t.Error(err)
		}
		got, serr := parse(string(written))
		if serr != nil || !reflect.DeepEqual(got, value) {
			t.Errorf("%s: declared\n%s\nwritten\n%s", name, raw, written)
		}
	}
}
