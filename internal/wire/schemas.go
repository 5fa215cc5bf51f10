package wire

import (
	"fmt"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

const resource = "samla:///openapi.json"

// schemas compiles the schemas of one document.
type schemas struct {
	compiler *jsonschema.Compiler
	rules    rules
	names    memberNames
}

// rule is the keyword x-rule: the code and the message of a field that does not
// match the schema.
type rule struct {
	code    fault.FieldCode // empty: the code that belongs to the JSON Schema keyword
	message string
}

// rules are the rules of a document by the URL of their schema.
type rules map[string]rule

func newSchemas(root any) (*schemas, error) {
	s := &schemas{compiler: jsonschema.NewCompiler(), rules: rules{}, names: newMemberNames()}
	s.compiler.AssertFormat()
	s.compiler.AssertVocabs()
	s.compiler.RegisterVocabulary(unionVocabulary)
	s.compiler.RegisterVocabulary(uniqueVocabulary)
	s.compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: checkTime})
	s.compiler.RegisterFormat(&jsonschema.Format{Name: "uuid", Validate: checkID})
	prepared, err := s.prepare(root, "")
	if err != nil {
		return nil, err
	}
	return s, s.compiler.AddResource(resource, prepared)
}

func (s *schemas) compile(pointer string) (*jsonschema.Schema, error) {
	return s.compiler.Compile(resource + "#" + pointer)
}

// prepare returns a copy of the document for the compiler, and collects rules and
// member names. The copy has no oneOf beside a discriminator: the union keyword
// replaces it. A union validates only the branch that is meant, and does not report
// errors of the others.
func (s *schemas) prepare(n any, at string) (any, error) {
	switch n := n.(type) {
	case []any:
		out := make([]any, len(n))
		for i, v := range n {
			var err error
			if out[i], err = s.prepare(v, fmt.Sprintf("%s/%d", at, i)); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, v := range n {
			var err error
			if out[k], err = s.prepare(v, at+"/"+jsontext.EscapeToken(k)); err != nil {
				return nil, err
			}
		}
		if _, ok := n["discriminator"].(map[string]any); ok {
			delete(out, "oneOf")
		}
		if properties, ok := n["properties"].(map[string]any); ok {
			for name, schema := range properties {
				s.names.add(name)
				if members, ok := schema.(map[string]any); ok && members["x-opaque"] == true {
					s.names.opaque[name] = true
				}
			}
		}
		return out, s.addRule(n["x-rule"], at)
	default:
		return n, nil
	}
}

func (s *schemas) addRule(keyword any, at string) error {
	if keyword == nil {
		return nil
	}
	members, _ := keyword.(map[string]any)
	code, _ := members["code"].(string)
	message, _ := members["message"].(string)
	r := rule{fault.FieldCode(code), message}
	switch r.code {
	case "", fault.Required, fault.Invalid, fault.UnknownType, fault.TooLong, fault.NotSupported, fault.NotAllowed:
	default:
		return fmt.Errorf("%s: x-rule has the unknown code %q", at, code)
	}
	if message == "" {
		return fmt.Errorf("%s: x-rule has no message", at)
	}
	s.rules[resource+"#"+at] = r
	return nil
}

// checkTime validates the format date-time of requests.
func checkTime(v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	_, err := ParseTime(s)
	return err
}

// ParseTime reads a date-time of a request: RFC 3339, or without a zone, which means UTC
// (docs/reference/api.md 1.1).
func ParseTime(s string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return at, nil
	}
	return time.Parse("2006-01-02T15:04:05.999999999", s)
}

// checkID accepts any text in place of an id: the format uuid describes the ids that
// this server makes. Another text is an id that does not exist, which the operation
// answers.
func checkID(any) error { return nil }
