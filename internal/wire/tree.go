package wire

import (
	"strconv"
	"strings"

	"samla/internal/jsontext"
)

// tree reads the document by JSON pointer; a $ref on the way is followed.
type tree struct{ root any }

// node returns what stands at the pointer, nil when there is nothing.
func (t tree) node(pointer string) any { n, _ := t.resolve(pointer); return n }

// resolve returns what stands at the pointer and the pointer under which it
// really stands.
func (t tree) resolve(pointer string) (any, string) {
	n, at := t.root, ""
	for tok := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch v := n.(type) {
		case map[string]any:
			n = v[jsontext.UnescapeToken(tok)]
		case []any:
			i, err := strconv.Atoi(tok)
			if err != nil || i >= len(v) {
				return nil, ""
			}
			n = v[i]
		default:
			return nil, ""
		}
		at += "/" + tok
		// A schema's $ref is left to the schema compiler.
		if m, ok := n.(map[string]any); ok && tok != "schema" {
			if ref, ok := m["$ref"].(string); ok {
				n, at = t.resolve(strings.TrimPrefix(ref, "#"))
			}
		}
	}
	return n, at
}

func (t tree) has(pointer string) bool { return t.node(pointer) != nil }

func (t tree) text(pointer string) string { s, _ := t.node(pointer).(string); return s }

func (t tree) list(pointer string) []any { l, _ := t.node(pointer).([]any); return l }

func (t tree) object(pointer string) map[string]any {
	m, _ := t.node(pointer).(map[string]any)
	return m
}

func upper(s string) string { return strings.ToUpper(s) }
