package wire

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/fault"
)

// queryParameter is a query parameter of an operation.
type queryParameter struct {
	name     string
	required bool
	schema   *jsonschema.Schema
	rules    rules
}

// CheckQuery validates the query parameters of the operation. It returns nil, or an
// InvalidParameter fault with pointers of the form ?name. Unknown parameters are
// ignored. Only a list parameter can be repeated. A required parameter must not be
// empty. A list can also be written as name[]: its values are moved to name.
func (op *Operation) CheckQuery(q url.Values) *fault.Fault {
	op.joinLists(q)
	var invalid []fault.Field
	for i := range op.query {
		if field, ok := op.query[i].check(q); !ok {
			invalid = append(invalid, field)
		}
	}
	if len(invalid) == 0 {
		return nil
	}
	return fault.Params(invalid...)
}

// joinLists moves the values of name[] to name for each list parameter: many clients
// write a list in this form.
func (op *Operation) joinLists(q url.Values) {
	for i := range op.query {
		p := &op.query[i]
		if values, given := q[p.name+"[]"]; given && p.hasType("array") {
			q[p.name] = append(q[p.name], values...)
			delete(q, p.name+"[]")
		}
	}
}

// check reports whether a query has a valid value of the parameter, or the field
// that is wrong. It reports one field however many elements of a list are wrong.
func (p *queryParameter) check(q url.Values) (fault.Field, bool) {
	pointer := "?" + p.name
	values, given := q[p.name]
	if !given || p.required && len(values) == 1 && values[0] == "" {
		return fault.Field{Pointer: pointer, Code: fault.Required, Message: "is missing"}, !p.required
	}
	value, ok := p.decode(values)
	if !ok {
		return fault.Field{Pointer: pointer, Code: fault.Invalid, Message: "must be given once"}, false
	}
	if invalid := p.rules.fields(p.schema.Validate(value)); len(invalid) > 0 {
		return fault.Field{Pointer: pointer, Code: invalid[0].Code, Message: invalid[0].Message}, false
	}
	return fault.Field{}, true
}

// decode converts a parameter to the type of its schema. A text that cannot be
// converted stays a text, which the schema then refuses. It returns false if a
// parameter that is not a list is repeated.
func (p *queryParameter) decode(values []string) (any, bool) {
	if p.hasType("array") {
		return Split(values), true
	}
	if len(values) != 1 {
		return nil, false
	}
	text := values[0]
	switch {
	case p.hasType("integer"):
		if n, err := strconv.ParseInt(text, 10, 32); err == nil {
			return json.Number(strconv.FormatInt(n, 10)), true
		}
	case p.hasType("boolean"):
		if text == "true" || text == "false" {
			return text == "true", true
		}
	}
	return text, true
}

func (p *queryParameter) hasType(name string) bool {
	return p.schema.Types != nil && p.schema.Types.ToStrings()[0] == name
}

// Split returns the elements of a list parameter, which is repeated, separated with
// commas, or both (docs/reference/api.md 5.4).
func Split(values []string) []any {
	var out []any
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			out = append(out, item)
		}
	}
	return out
}
