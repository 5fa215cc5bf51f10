package wiretest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/jsontext"
)

const resource = "samla:///answers.json"

// form is one of the two forms in which a document is compiled.
type form struct {
	closed bool // an object has the declared members only
	time   func(any) error
}

// The form that this server writes, and the form that a reader must accept.
var (
	written = form{closed: true, time: checkWrittenTime}
	read    = form{time: checkReadTime}
)

// WrittenSchema compiles the schema at a JSON Pointer of the document, in the form in
// which this server writes.
func (c *Contract) WrittenSchema(pointer string) (*jsonschema.Schema, error) {
	return compile(c.written, pointer)
}

// ReadSchema compiles the schema at a JSON Pointer of the document, in the form that a
// reader must accept (docs/reference/api.md 1.1).
func (c *Contract) ReadSchema(pointer string) (*jsonschema.Schema, error) {
	return compile(c.read, pointer)
}

func compile(c *jsonschema.Compiler, pointer string) (*jsonschema.Schema, error) {
	schema, err := c.Compile(resource + "#" + pointer)
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	return schema, nil
}

func newCompiler(document []byte, f form) (*jsonschema.Compiler, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: f.time})
	if err := compiler.AddResource(resource, f.prepare(doc)); err != nil {
		return nil, fmt.Errorf("wiretest: %w", err)
	}
	return compiler, nil
}

// prepare returns a copy of the document in which a discriminator selects its schema.
// In a closed form, an object has no member but the declared ones.
func (f form) prepare(n any) any {
	switch n := n.(type) {
	case []any:
		out := make([]any, len(n))
		for i, v := range n {
			out[i] = f.prepare(v)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, v := range n {
			out[k] = f.prepare(v)
		}
		_, properties := n["properties"].(map[string]any)
		if _, open := n["additionalProperties"]; f.closed && properties && !open && n["type"] != nil {
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

// checkWrittenTime accepts what jsontext.Time writes.
func checkWrittenTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if t, err := time.Parse(jsontext.TimeLayout, s); err != nil || t.Format(jsontext.TimeLayout) != s {
		return errTime
	}
	return nil
}

// checkReadTime also accepts other fractions and zones, and no zone.
func checkReadTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if _, err := time.Parse(time.RFC3339, s); err == nil {
		return nil
	}
	_, err := time.Parse("2006-01-02T15:04:05", s)
	return err
}
