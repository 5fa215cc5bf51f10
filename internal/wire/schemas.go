package wire

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

const base = "samla:///openapi.json"

// schemas compiles the schemas of one document.
type schemas struct {
	compiler *jsonschema.Compiler
	rules    ruleBook
	names    nameSet
}

// rule is the keyword x-rule: what to tell the caller when the schema it stands
// in is not met.
type rule struct {
	code    fault.FieldCode // empty: INVALID
	message string
}

// ruleBook finds a rule by the location of its schema.
type ruleBook map[string]rule

// nameSet holds every member name that a schema of the document declares.
type nameSet struct {
	exact map[string]bool
	fold  map[string]bool // in folded form
}

func newNameSet() nameSet { return nameSet{map[string]bool{}, map[string]bool{}} }

func (s nameSet) add(name string) {
	s.exact[name] = true
	s.fold[folded(name)] = true
}

// lookalike tells whether the name is none of the set but differs from one only
// in case.
func (s nameSet) lookalike(name string) bool { return !s.exact[name] && s.fold[folded(name)] }

// folded maps names that strings.EqualFold holds for equal to one string.
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, name)
}

// newSchemas prepares the document for compiling.
func newSchemas(doc any) (*schemas, error) {
	s := &schemas{compiler: jsonschema.NewCompiler(), rules: ruleBook{}, names: newNameSet()}
	s.compiler.AssertFormat()
	s.compiler.AssertVocabs()
	s.compiler.RegisterVocabulary(unionVocabulary)
	s.compiler.RegisterVocabulary(uniqueVocabulary)
	s.compiler.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: checkReadTime})
	if err := s.compiler.AddResource(base, s.prepare(doc, "")); err != nil {
		return nil, fmt.Errorf("openapi.json: %w", err)
	}
	return s, nil
}

func (s *schemas) compile(pointer string) (*jsonschema.Schema, error) {
	return s.compiler.Compile(base + "#" + pointer)
}

// prepare copies the document for the compiler. It notes the rules and names,
// and drops oneOf beside a discriminator: the union keyword takes its place,
// which goes to the right branch at once and reports nothing of the others.
func (s *schemas) prepare(n any, at string) any {
	switch n := n.(type) {
	case []any:
		out := make([]any, len(n))
		for i, v := range n {
			out[i] = s.prepare(v, fmt.Sprintf("%s/%d", at, i))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(n))
		for k, v := range n {
			out[k] = s.prepare(v, at+"/"+jsontext.EscapeToken(k))
		}
		if _, ok := n["discriminator"].(map[string]any); ok {
			delete(out, "oneOf")
		}
		if r, ok := n["x-rule"].(map[string]any); ok {
			code, _ := r["code"].(string)
			message, _ := r["message"].(string)
			s.rules[base+"#"+at] = rule{fault.FieldCode(code), message}
		}
		if props, ok := n["properties"].(map[string]any); ok {
			for name := range props {
				s.names.add(name)
			}
		}
		return out
	default:
		return n
	}
}
