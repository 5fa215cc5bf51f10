package wire

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/jsontext"
)

// The rules of a document are an OpenAPI Overlay (https://spec.openapis.org/overlay):
// a second file that has no copy of any part of the document. Each action has the
// target "$" and updates the whole document.
//
// An update may only add to schemas that the document has, and only keywords that
// narrow: what the rules accept, the document alone accepts too. So an update replaces
// nothing, and an update of something that the document does not have is an error.

// narrowing has the keywords that an update may add to a schema. JSON Schema
// requires a value to match every keyword, so each of them can only refuse more.
// x-opaque refuses nothing (memberNames).
var narrowing = []string{
	"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "const", "enum", "pattern", "format",
	"minLength", "maxLength", "minimum", "maximum", "required", "minProperties",
	"contains", "minContains", "maxContains", "minItems", "maxItems", "uniqueItems", "x-rule", "x-unique", "x-opaque",
}

// apply returns the document with the updates of an overlay.
func (d document) apply(overlay []byte) (document, error) {
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(overlay))
	if err != nil {
		return document{}, fmt.Errorf("overlay: %w", err)
	}
	o := document{root}
	if v := o.text("/overlay"); !strings.HasPrefix(v, "1.") {
		return document{}, fmt.Errorf("overlay: version %q", v)
	}
	merged := d.root
	for i := range o.list("/actions") {
		at := fmt.Sprintf("/actions/%d", i)
		if o.text(at+"/target") != "$" || o.has(at+"/remove") {
			return document{}, errors.New("overlay: an action does not update $")
		}
		if merged, err = d.merge("", merged, o.node(at+"/update")); err != nil {
			return document{}, fmt.Errorf("overlay: %w", err)
		}
	}
	return document{merged}, nil
}

// merge returns the value at a pointer with an update. It changes neither.
func (d document) merge(at string, value, update any) (any, error) {
	members, isObject := update.(map[string]any)
	of, ok := value.(map[string]any)
	if !isObject || !ok {
		return nil, fmt.Errorf("%s is replaced", at)
	}
	out := maps.Clone(of)
	for _, key := range slices.Sorted(maps.Keys(members)) {
		place := at + "/" + jsontext.EscapeToken(key)
		old, exists := of[key]
		var err error
		switch {
		case exists:
			out[key], err = d.merge(place, old, members[key])
		case key == "properties" && of["$ref"] != nil:
			out[key], err = members[key], d.declared(place, of["$ref"], members[key])
		case slices.Contains(narrowing, key) && isSchema(at):
			out[key] = members[key]
		default:
			err = fmt.Errorf("%s is not in the document", place)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// declared returns an error unless the schema that ref names declares each of the
// properties.
func (d document) declared(at string, ref, properties any) error {
	target, _ := ref.(string)
	names := d.object(strings.TrimPrefix(target, "#") + "/properties")
	update, _ := properties.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(update)) {
		if _, ok := names[name]; !ok {
			return fmt.Errorf("%s/%s is not in %s", at, name, target)
		}
	}
	return nil
}

// isSchema reports whether a pointer is that of a schema: one of the components, or
// one below a member of the name schema. A pointer of a list of properties is not.
func isSchema(at string) bool {
	tokens := strings.Split(at, "/")[1:]
	start := slices.Index(tokens, "schema")
	if len(tokens) > 2 && tokens[0] == "components" && tokens[1] == "schemas" {
		start = 2
	}
	if start < 0 {
		return false
	}
	schema := true
	for _, token := range tokens[start+1:] {
		schema = !schema || token != "properties" // the next token is a name
	}
	return schema
}
