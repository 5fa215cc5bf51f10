package wire

import (
	"fmt"
	"maps"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"samla/internal/fault"
)

// union is the OpenAPI keyword discriminator: the value of a member selects the
// schema of the object.
type union struct {
	member   string
	branches map[string]*jsonschema.Schema
}

var unionVocabulary = &jsonschema.Vocabulary{URL: "urn:samla:union", Compile: compileUnion}

func compileUnion(ctx *jsonschema.CompilerContext, obj map[string]any) (jsonschema.SchemaExt, error) {
	d, ok := obj["discriminator"].(map[string]any)
	if !ok {
		return nil, nil
	}
	mapping, _ := d["mapping"].(map[string]any)
	u := &union{branches: make(map[string]*jsonschema.Schema, len(mapping))}
	u.member, _ = d["propertyName"].(string)
	for value, ref := range mapping {
		text, ok := ref.(string)
		if !ok {
			return nil, fmt.Errorf("discriminator: mapping of %q is not a reference", value)
		}
		schema, err := ctx.EnqueueRef(text)
		if err != nil {
			return nil, err
		}
		u.branches[value] = schema
	}
	return u, nil
}

// noBranch is the error kind of an object whose discriminator selects no schema.
// kind.Group makes it an error kind of the library; its text is not used.
type noBranch struct {
	kind.Group
	member string
	code   fault.FieldCode
	known  []string // the values that select a schema, sorted
}

// Validate validates v with the schema that its discriminator selects.
func (u *union) Validate(ctx *jsonschema.ValidatorContext, v any) {
	obj, ok := v.(map[string]any)
	if !ok {
		ctx.AddError(&kind.Type{Got: typeName(v), Want: []string{"object"}})
		return
	}
	value := obj[u.member]
	name, isText := value.(string)
	branch := u.branches[name]
	switch {
	case value == nil:
		ctx.AddError(&noBranch{member: u.member, code: fault.Required})
	case !isText:
		ctx.AddError(&noBranch{member: u.member, code: fault.Invalid})
	case branch == nil:
		ctx.AddError(&noBranch{member: u.member, code: fault.UnknownType, known: slices.Sorted(maps.Keys(u.branches))})
	default:
		if err := ctx.Validate(branch, v, nil); err != nil {
			ctx.AddErr(err)
		}
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "number"
}

// unique is the keyword x-unique: no two objects of an array have the same text in
// the named member.
type unique struct{ member string }

var uniqueVocabulary = &jsonschema.Vocabulary{URL: "urn:samla:unique", Compile: compileUnique}

func compileUnique(_ *jsonschema.CompilerContext, obj map[string]any) (jsonschema.SchemaExt, error) {
	if member, ok := obj["x-unique"].(string); ok {
		return unique{member}, nil
	}
	return nil, nil
}

// duplicate is the error kind of an element that repeats an earlier one.
type duplicate struct {
	kind.Group
	index int
}

// Validate reports each element of v that repeats an earlier one.
func (u unique) Validate(ctx *jsonschema.ValidatorContext, v any) {
	list, _ := v.([]any)
	if len(list) < 2 {
		return
	}
	seen := make(map[string]bool, len(list))
	for i, element := range list {
		obj, _ := element.(map[string]any)
		text, ok := obj[u.member].(string)
		if !ok {
			continue
		}
		if seen[text] {
			ctx.AddError(&duplicate{index: i})
		}
		seen[text] = true
	}
}
