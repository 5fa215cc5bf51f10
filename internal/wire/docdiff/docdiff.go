// Package docdiff compares two OpenAPI documents: what a client of the one finds changed
// in the other, and which changes break it. It reads the part of OpenAPI 3.1 that the
// documents of this project use, and compares what is on the wire: summaries,
// descriptions and examples are not compared.
//
// Only tests import this package.
package docdiff

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Change is one difference.
type Change struct {
	// Where it is: an operation, such as "GET /users", a part of it, or a schema and the
	// direction in which it is used, such as "Consent.status (response)".
	Where string
	What  string
	// Breaking says that a client of the old document may fail: it finds nothing, is
	// refused, or gets what it does not expect. New values of an enum, new members and new
	// statuses of errors break none (docs/reference/api.md 1.1).
	Breaking bool
}

func (c Change) String() string { return c.Where + ": " + c.What }

// Compare returns what has changed from an old document to a new one, sorted, each once.
// paths has the paths of the old document that are others in the new one. An error means
// that a document is no JSON.
func Compare(old, new []byte, paths map[string]string) ([]Change, error) {
	c := comparer{seen: map[visit]bool{}}
	for _, d := range []struct {
		text []byte
		root *object
	}{{old, &c.old}, {new, &c.new}} {
		if err := json.Unmarshal(d.text, d.root); err != nil {
			return nil, fmt.Errorf("docdiff: %w", err)
		}
	}
	older := object{}
	for path, item := range child(c.old, "paths") {
		older[cmp.Or(paths[path], path)] = item
	}
	c.paths(older, child(c.new, "paths"))
	c.schemaNames()
	slices.SortFunc(c.changes, func(a, b Change) int { return cmp.Or(cmp.Compare(a.Where, b.Where), cmp.Compare(a.What, b.What)) })
	return slices.Compact(c.changes), nil
}

// Breaking returns the changes that break clients.
func Breaking(all []Change) []Change {
	return slices.DeleteFunc(slices.Clone(all), func(c Change) bool { return !c.Breaking })
}

type object = map[string]any

func child(o object, name string) object { v, _ := o[name].(object); return v }
func list(v any) []any                   { l, _ := v.([]any); return l }

// visit is a pair of schemas with a name that were compared already.
type visit struct {
	old, new string
	in       direction
}

type comparer struct {
	old, new object
	changes  []Change
	seen     map[visit]bool
}

func (c *comparer) report(breaking bool, where, format string, args ...any) {
	c.changes = append(c.changes, Change{where, fmt.Sprintf(format, args...), breaking})
}

// keys returns the keys of two objects, sorted.
func keys(a, b object) []string {
	all := maps.Clone(a)
	if all == nil {
		all = object{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// both calls same for each key that two objects have, and reports the others. Without
// one, a client is broken if missing says so.
func (c *comparer) both(a, b object, where func(key string) string, missing, added bool, same func(key string)) {
	for _, key := range keys(a, b) {
		switch {
		case b[key] == nil:
			c.report(missing, where(key), "is removed")
		case a[key] == nil:
			c.report(added, where(key), "is added")
		default:
			same(key)
		}
	}
}

// unescaped are the characters that RFC 6901 escapes in a part of a pointer.
var unescaped = strings.NewReplacer("~1", "/", "~0", "~")

// follow returns an object, or the one that it refers to, and its name, or "".
func follow(root, o object) (object, string) {
	name := ""
	for {
		ref, ok := o["$ref"].(string)
		if !ok {
			return o, name
		}
		at := root
		parts := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
		for _, part := range parts {
			at = child(at, unescaped.Replace(part))
		}
		o, name = at, parts[len(parts)-1]
		if at == nil {
			return object{}, name
		}
	}
}

func (c *comparer) schemaNames() {
	all := func(root object) object { return child(child(root, "components"), "schemas") }
	c.both(all(c.old), all(c.new), func(name string) string { return "schema " + name }, true, false, func(string) {})
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
