package wiretest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Samples returns values of a schema of the document, by its name: each has every member
// that its schema declares, and together they have every branch of every union and every
// value of every enum. Branches that exclude each other (fees) are in different values.
func (c *Contract) Samples(name string) []any {
	schemas := c.root.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any)
	return sampler(schemas).of(schemas[name].(map[string]any))
}

type sampler map[string]any

func (s sampler) at(ref any) map[string]any {
	return s[strings.TrimPrefix(ref.(string), "#/components/schemas/")].(map[string]any)
}

func (s sampler) of(schema map[string]any) (all []any) {
	if ref, ok := schema["$ref"]; ok {
		return s.of(s.at(ref))
	}
	if d, ok := schema["discriminator"].(map[string]any); ok {
		mapping := d["mapping"].(map[string]any)
		for _, value := range slices.Sorted(maps.Keys(mapping)) {
			all = append(all, s.of(s.at(mapping[value]))...)
		}
		return all
	}
	if one, ok := schema["oneOf"].([]any); ok {
		if excluding(one) == nil {
			return s.of(one[0].(map[string]any)) // the other is null
		}
	}
	if values, ok := schema["enum"].([]any); ok {
		return values
	}
	kind, _ := schema["type"].(string)
	if list, ok := schema["type"].([]any); ok {
		kind = list[0].(string)
	}
	switch kind {
	case "object":
		return s.objects(schema)
	case "array":
		return []any{s.of(schema["items"].(map[string]any))}
	case "integer":
		return []any{json.Number("7")}
	case "number":
		return []any{json.Number("0.5")}
	case "boolean":
		return []any{true, false}
	}
	switch {
	case schema["format"] == "date":
		return []any{"2026-01-02"}
	case schema["format"] == "date-time":
		return []any{"2026-01-02T03:04:05.006Z"}
	case schema["pattern"] == "^[A-Z]{3}$":
		return []any{"SEK"}
	}
	return []any{"text"}
}

// objects returns as many objects as the member with the most values has, for each of the
// members that exclude each other.
func (s sampler) objects(schema map[string]any) (all []any) {
	properties, _ := schema["properties"].(map[string]any)
	members, most := map[string][]any{}, 1
	for name, p := range properties {
		members[name] = s.of(p.(map[string]any))
		most = max(most, len(members[name]))
	}
	one, _ := schema["oneOf"].([]any)
	choices := excluding(one)
	for choice := range max(1, len(choices)) {
		for i := range most {
			o := map[string]any{}
			for name, values := range members {
				if at := slices.Index(choices, name); at < 0 || at == choice {
					o[name] = values[min(i, len(values)-1)]
				}
			}
			all = append(all, signed(o))
		}
	}
	return all
}

// excluding returns the names of members of which an object has exactly one, as the rules
// say it: a oneOf of which each branch requires a member.
func excluding(one []any) (names []string) {
	for _, branch := range one {
		required, _ := branch.(map[string]any)["required"].([]any)
		if len(required) != 1 {
			return nil
		}
		names = append(names, required[0].(string))
	}
	return names
}

// signed makes the amount of a debit negative, as the rules of Psd2Transaction demand.
func signed(o map[string]any) map[string]any {
	if amount, ok := o["amount"].(map[string]any); ok && o["direction"] == "DEBIT" {
		negative := maps.Clone(amount)
		negative["amount"] = json.Number("-0.5")
		o["amount"] = negative
	}
	return o
}
