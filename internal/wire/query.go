package wire

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/fault"
)

// queryParam is one query parameter that an operation reads.
type queryParam struct {
	name     string
	required bool
	schema   *jsonschema.Schema
	rules    ruleBook
}

// CheckQuery holds the query against the operation's parameters and returns an
// InvalidParameter fault with the pointers ?name, or nil. Unknown parameters
// are ignored. A parameter that is no list may stand once only; a required one
// that is empty counts as missing.
func (op *Operation) CheckQuery(q url.Values) *fault.Fault {
	var broken []fault.Field
	for i := range op.query {
		broken = append(broken, op.query[i].check(q)...)
	}
	if len(broken) == 0 {
		return nil
	}
	return fault.Params(broken...)
}

func (p *queryParam) check(q url.Values) []fault.Field {
	pointer := "?" + p.name
	values, given := q[p.name]
	if !given || p.required && len(values) == 1 && values[0] == "" {
		if p.required {
			return []fault.Field{{Pointer: pointer, Code: fault.Required, Message: "is missing"}}
		}
		return nil
	}
	value, ok := p.value(values)
	if !ok {
		return []fault.Field{{Pointer: pointer, Code: fault.Invalid, Message: "must be given once"}}
	}
	broken := p.rules.fields("", p.schema.Validate(value))
	for i := range broken {
		broken[i].Pointer = pointer // one parameter, whichever element of a list is wrong
	}
	return broken[:min(len(broken), 1)]
}

// value reads the parameter as the type of its schema. What does not read as
// that type stays text, for the schema to refuse.
func (p *queryParam) value(values []string) (any, bool) {
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

func (p *queryParam) hasType(name string) bool {
	return p.schema.Types != nil && p.schema.Types.ToStrings()[0] == name
}

// Split reads a list parameter, repeated or separated with commas (docs/reference/api.md 5.4).
func Split(values []string) []any {
	var out []any
	for _, v := range values {
		for item := range strings.SplitSeq(v, ",") {
			out = append(out, item)
		}
	}
	return out
}
