package product

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"samla/internal/money"
)

type object = map[string]any

// declared are the schemas of the OpenAPI document of version 2026-04-01, by name.
func declared(t *testing.T) object {
	t.Helper()
	text, err := os.ReadFile("../api/v20260401/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document object
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document["components"].(object)["schemas"].(object)
}

// comparison compares shapes with schemas, both ways.
type comparison struct {
	*testing.T
	schemas object
	reached map[string]bool // schemas
}

func (c *comparison) at(ref any) object {
	name := strings.TrimPrefix(ref.(string), "#/components/schemas/")
	c.reached[name] = true
	return c.schemas[name].(object)
}

// The structs and the OpenAPI document have the same members, of the same types, with
// the same values and bounds. A member that is only in one of them fails here.
func TestShapes_AreTheSchemas(t *testing.T) {
	c := &comparison{t, declared(t), map[string]bool{}}
	types := maps.Clone(constructors)
	delete(types, PublicPensionType) // not served at 2026-04-01 (docs/reference/products.md 8.5)
	mapping := c.at("FinancialProduct")["discriminator"].(object)["mapping"].(object)
	for kind, construct := range types {
		ref, ok := mapping[string(kind)]
		if !ok {
			t.Errorf("%s is not in the document", kind)
			continue
		}
		c.object(string(kind), reflect.TypeOf(construct()).Elem(), string(kind), c.at(ref))
	}
	if len(mapping) != len(types) {
		t.Errorf("%d types in the document, %d here", len(mapping), len(types))
	}
	for _, name := range strings.Fields("Fees Wealth.Holding OtherTransaction DatePeriod UnsecuredLoan_Interest TimePeriod MonetaryAmount PersonalInformation Psd2Transaction") {
		if !c.reached[name] {
			t.Errorf("%s was not compared", name)
		}
	}
}

// object compares a struct of a variant with the schema of an object.
func (c *comparison) object(at string, of reflect.Type, variant string, schema object) {
	properties, _ := schema["properties"].(object)
	var required []string
	for _, name := range asList(schema["required"]) {
		required = append(required, name.(string))
	}
	declared := maps.Clone(properties)
	s := shapeOf(of)
	for i := range s.members {
		m := &s.members[i]
		field := of.FieldByIndex(m.index).Type
		if !m.has(variant) || field == reflect.TypeFor[ReadOnly]() {
			continue
		}
		place := at + "." + m.name
		property, ok := properties[m.name].(object)
		if !ok {
			c.Errorf("%s is not in the document", place)
			continue
		}
		delete(declared, m.name)
		if must := m.rules["required"] || m.rules["always"]; must != slices.Contains(required, m.name) {
			c.Errorf("%s: required is %v", place, must)
		}
		c.value(place, m, field, variant, property)
	}
	for name := range declared {
		c.Errorf("%s.%s is only in the document", at, name)
	}
}

// value compares the type of a member with its schema.
func (c *comparison) value(at string, m *member, of reflect.Type, variant string, schema object) {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if one := asList(schema["oneOf"]); one != nil && schema["discriminator"] == nil { // or null
		schema = one[0].(object)
	}
	for schema["$ref"] != nil {
		schema = c.at(schema["$ref"])
	}
	if d, ok := schema["discriminator"].(object); ok {
		c.variants(at, of, d)
		return
	}
	wanted := func(key string, value any) {
		if schema[key] != value {
			c.Errorf("%s: %s is %v, in the document %v", at, key, value, schema[key])
		}
	}
	zero := reflect.Zero(of).Interface()
	switch values, closed := zero.(enum); {
	case closed && m.rules["discriminator"]:
		c.same(at, []string{variant}, schema["enum"])
	case closed:
		c.same(at, values.documented(), schema["enum"])
	case of == reflect.TypeFor[Date]():
		wanted("type", "string")
		wanted("format", "date")
	case of == reflect.TypeFor[DateTime]():
		wanted("type", "string")
		wanted("format", "date-time")
	case of == reflect.TypeFor[money.Amount]():
		if !reflect.DeepEqual(schema, c.at("MonetaryAmount")) {
			c.Errorf("%s is no amount in the document", at)
		}
	case of == reflect.TypeFor[money.Number]():
		wanted("type", "number")
		c.bounds(at, m, schema)
	case of.Kind() == reflect.Slice:
		wanted("type", "array")
		c.value(at+"[]", &member{}, of.Elem(), variant, schema["items"].(object))
	case of.Kind() == reflect.Struct:
		wanted("type", "object")
		c.object(at, of, variant, schema)
	case of.Kind() == reflect.Bool:
		wanted("type", "boolean")
	case of.Kind() == reflect.String:
		wanted("type", "string")
		wanted("enum", nil)
		wanted("format", nil)
	default:
		wanted("type", "integer")
		wanted("format", of.Kind().String())
		c.bounds(at, m, schema)
	}
}

// variants compares a struct with each of the schemas that a discriminator tells apart.
func (c *comparison) variants(at string, of reflect.Type, discriminator object) {
	mapping := discriminator["mapping"].(object)
	d := shapeOf(of).discriminator
	if d == nil {
		c.Errorf("%s has no discriminator", at)
		return
	}
	c.same(at, reflect.Zero(of.FieldByIndex(d.index).Type).Interface().(enum).documented(), slices.Collect(maps.Keys(mapping)))
	for variant, ref := range mapping {
		c.object(fmt.Sprintf("%s(%s)", at, variant), of, variant, c.at(ref))
	}
}

func (c *comparison) bounds(at string, m *member, schema object) {
	for key, bound := range map[string]*money.Number{"minimum": m.min, "maximum": m.max} {
		got, want := fmt.Sprint(schema[key]), "<nil>"
		if bound != nil {
			want = bound.String()
		}
		if got != want {
			c.Errorf("%s: %s is %s, in the document %s", at, key, want, got)
		}
	}
}

// same compares two sets of values.
func (c *comparison) same(at string, want []string, got any) {
	var found []string
	if names, ok := got.([]string); ok {
		found = names
	} else {
		for _, v := range asList(got) {
			found = append(found, v.(string))
		}
	}
	want, found = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(found))
	if !slices.Equal(want, found) {
		c.Errorf("%s: %v, in the document %v", at, want, found)
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// A word that is no rule, a limit that is no number, or a value of no discriminator
// would have no effect.
func TestShapes_HaveTagsThatAreRead(t *testing.T) {
	variants := slices.Concat(types, transactionTypes, payoutPeriodTypes)
	known := strings.Fields("always required discriminator identity either")
	seen := map[reflect.Type]bool{}
	var walk func(of reflect.Type)
	walk = func(of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct || seen[of] {
			return
		}
		seen[of] = true
		for _, m := range shapeOf(of).members {
			for rule := range m.rules {
				if m.rules[rule] && rule != "" && !slices.Contains(known, rule) {
					t.Errorf("%v.%s: unknown rule %q", of, m.name, rule)
				}
			}
			for _, value := range m.of {
				if !slices.Contains(variants, value) {
					t.Errorf("%v.%s: unknown variant %q", of, m.name, value)
				}
			}
			if m.limit <= 0 {
				t.Errorf("%v.%s: limit %d", of, m.name, m.limit)
			}
			walk(of.FieldByIndex(m.index).Type)
		}
	}
	for _, construct := range constructors {
		walk(reflect.TypeOf(construct()))
	}
	if len(seen) < 20 {
		t.Errorf("only %d structs", len(seen))
	}
}
