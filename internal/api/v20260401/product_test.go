package v20260401_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/jsontext"
	"samla/internal/product"
)

// components are the schemas of the document, by name.
type components map[string]map[string]any

func readComponents(t *testing.T) components {
	t.Helper()
	var doc struct {
		Components struct{ Schemas components }
	}
	if err := json.Unmarshal(contract(t).Text(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

// name is the schema that a reference such as "#/components/schemas/User" names.
func name(ref any) string { return strings.TrimPrefix(ref.(string), "#/components/schemas/") }

// sample returns a value with every member that the schema declares.
func (c components) sample(s map[string]any) any {
	if ref, ok := s["$ref"]; ok {
		return c.sample(c[name(ref)])
	}
	if d, ok := s["discriminator"].(map[string]any); ok {
		mapping := d["mapping"].(map[string]any)
		first := slices.Min(slices.Collect(maps.Keys(mapping)))
		return c.sample(c[name(mapping[first])])
	}
	if one, ok := s["oneOf"].([]any); ok {
		return c.sample(one[0].(map[string]any)) // the other is null
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
		properties, _ := s["properties"].(map[string]any)
		for member, schema := range properties {
			o[member] = c.sample(schema.(map[string]any))
		}
		if o["personalized"] != nil {
			delete(o, "generic") // fees have one of the two
		}
		return o
	case "array":
		return []any{c.sample(s["items"].(map[string]any))}
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
func TestProducts_AreWrittenAsDeclared(t *testing.T) {
	c, schemas := contract(t), readComponents(t)
	types := schemas["FinancialProduct"]["discriminator"].(map[string]any)["mapping"].(map[string]any)
	if len(types) != 16 { // docs/reference/products.md 2
		t.Errorf("%d types", len(types))
	}
	for typ, ref := range types {
		value := schemas.sample(schemas[name(ref)])
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		p, err := product.Read(raw)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("%s: %v", typ, err)
		}
		if err := c.CheckResponse("getWealthData", 200, http.Header{"Insurely-Version": {v20260401.Version}, "X-Request-Id": {"r"}, "Content-Type": {"application/json"}, "Etag": {`W/"a"`}}, []byte("["+string(written)+"]")); err != nil {
			t.Error(err)
		}
		got, serr := jsontext.Parse(string(written))
		if serr != nil || !reflect.DeepEqual(got, value) {
			t.Errorf("%s: declared\n%s\nwritten\n%s", typ, raw, written)
		}
	}
}
