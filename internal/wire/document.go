package wire

import (
	"strconv"
	"strings"

	"samla/internal/jsontext"
)

// document reads a decoded OpenAPI document by JSON Pointer (RFC 6901). It follows
// each $ref on the way, except inside a schema, where the compiler does.
type document struct{ root any }

// node returns the value at a pointer, or nil.
func (d document) node(pointer string) any { n, _ := d.resolve(pointer); return n }

// resolve returns the value at a pointer, and the pointer of its place after all
// references.
func (d document) resolve(pointer string) (any, string) {
	n, at := d.root, ""
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch v := n.(type) {
		case map[string]any:
			n = v[jsontext.UnescapeToken(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, ""
			}
			n = v[i]
		default:
			return nil, ""
		}
		at += "/" + token
		if m, ok := n.(map[string]any); ok && token != "schema" {
			if ref, ok := m["$ref"].(string); ok {
				n, at = d.resolve(strings.TrimPrefix(ref, "#"))
			}
		}
	}
	return n, at
}

func (d document) has(pointer string) bool { return d.node(pointer) != nil }

func (d document) text(pointer string) string { s, _ := d.node(pointer).(string); return s }

func (d document) list(pointer string) []any { l, _ := d.node(pointer).([]any); return l }

func (d document) object(pointer string) map[string]any {
	m, _ := d.node(pointer).(map[string]any)
	return m
}
