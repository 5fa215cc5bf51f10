package wiretest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/jsontext"
)

const base = "samla:///answers.json"

// Schema compiles the schema at a JSON pointer of the document, in the form in
// which this server writes.
func (c *Contract) Schema(pointer string) (*jsonschema.Schema, error) {
	schema, err := c.schemas.Compile(base + "#" + pointer)
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	return schema, nil
}

func newCompiler(document []byte) (*jsonschema.Compiler, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: checkTime})
	if err := compiler.AddResource(base, closed(doc)); err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	return compiler, nil
}

// closed returns a copy of the document in which an object has no member but the
// declared ones, and a discriminator selects its schema.
func closed(n any) any {
	switch n := n.(type) {
	case []any:
		out := make([]any, len(n))
		for i, v := range n {
			out[i] = closed(v)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, v := range n {
			out[k] = closed(v)
		}
		_, properties := n["properties"].(map[string]any)
		if _, open := n["additionalProperties"]; properties && !open && n["type"] != nil {
			out["additionalProperties"] = false
		}
		if d, ok := n["discriminator"].(map[string]any); ok {
			delete(out, "oneOf")
			out["allOf"] = branches(d)
		}
		return out
	default:
		return n
	}
}

// branches says in JSON Schema what a discriminator says in OpenAPI: the member
// is there and has one of the values, and each value has its schema. oneOf would
// say the same, but would report the faults of all schemas instead of one.
func branches(discriminator map[string]any) []any {
	member, _ := discriminator["propertyName"].(string)
	mapping, _ := discriminator["mapping"].(map[string]any)
	var values, all []any
	for value, ref := range mapping {
		values = append(values, value)
		all = append(all, map[string]any{
			"if":   map[string]any{"required": []any{member}, "properties": map[string]any{member: map[string]any{"const": value}}},
			"then": map[string]any{"$ref": ref},
		})
	}
	return append(all, map[string]any{
		"type": "object", "required": []any{member}, "properties": map[string]any{member: map[string]any{"enum": values}},
	})
}

var errTime = errors.New("not a time in UTC with milliseconds and Z")

// checkTime accepts what jsontext.Time writes.
func checkTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if t, err := time.Parse(jsontext.TimeLayout, s); err != nil || t.Format(jsontext.TimeLayout) != s {
		return errTime
	}
	return nil
}
