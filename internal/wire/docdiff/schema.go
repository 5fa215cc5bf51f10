package docdiff

import (
	"fmt"
	"slices"
	"strings"
)

// direction is which side writes a value.
type direction string

const (
	request  direction = "request"
	response direction = "response"
)

// required reports that something need no longer, or must now, be there: a client is
// broken that leaves out what it must send, or reads what may be missing.
func (c *comparer) required(where string, was, is bool, in direction) {
	switch {
	case is && !was:
		c.report(in == request, where, "is required now")
	case was && !is:
		c.report(in == response, where, "is optional now")
	}
}

// value is a schema without its references.
type value struct {
	object
	name   string   // of the schema, or ""
	types  []string // sorted; null among them if it may be null; none: any
	beside object   // keywords beside a reference, which narrow what it refers to
}

func read(root, schema object) value {
	var v value
	null := false
	for {
		if schema["$ref"] != nil {
			for key, keyword := range schema {
				if !slices.Contains(ignored, key) || key == "properties" || key == "required" {
					if v.beside == nil {
						v.beside = object{}
					}
					v.beside[key] = keyword
				}
			}
		}
		o, name := follow(root, schema)
		if name != "" {
			v.name = name
		}
		inner := nullable(o)
		if inner == nil {
			v.object = o
			break
		}
		schema, null = inner, true
	}
	switch t := v.object["type"].(type) {
	case string:
		v.types = append(v.types, t)
	case []any:
		for _, name := range t {
			v.types = append(v.types, fmt.Sprint(name))
		}
	}
	if v.object["oneOf"] != nil && v.object["discriminator"] != nil {
		v.types = []string{"object"}
	}
	if null && len(v.types) > 0 && !slices.Contains(v.types, "null") {
		v.types = append(v.types, "null")
	}
	slices.Sort(v.types)
	return v
}

// nullable returns the schema of which another one says: this, or null. Or nil.
func nullable(schema object) object {
	one := list(schema["oneOf"])
	if len(one) != 2 || schema["discriminator"] != nil {
		return nil
	}
	for i := range one {
		o, _ := one[i].(object)
		other, _ := one[1-i].(object)
		if o["type"] == "null" {
			return other
		}
	}
	return nil
}

// schema compares two schemas. A schema with a name is compared once, at its name.
func (c *comparer) schema(where string, old, new object, in direction) {
	c.values(where, read(c.old, old), read(c.new, new), in)
}

// member compares the schemas of a member. One that may be absent may be null too: readers
// take both as the same (docs/reference/api.md 1.1).
func (c *comparer) member(where string, old, new object, in direction, optional bool) {
	a, b := read(c.old, old), read(c.new, new)
	if was := slices.Contains(a.types, "null"); optional && len(a.types) > 0 && len(b.types) > 0 && was != slices.Contains(b.types, "null") {
		c.report(false, at(where, in), "may be null %s", map[bool]string{true: "no longer", false: "now"}[was])
		null := func(t string) bool { return t == "null" }
		a.types, b.types = slices.DeleteFunc(a.types, null), slices.DeleteFunc(b.types, null)
	}
	c.values(where, a, b, in)
}

func (c *comparer) values(where string, a, b value, in direction) {
	if !equal(a.types, b.types) {
		// A reader can take fewer types than it knows, a writer more.
		narrower := len(a.types) == 0 || len(b.types) > 0 && subset(b.types, a.types)
		wider := len(b.types) == 0 || len(a.types) > 0 && subset(a.types, b.types)
		breaking := !wider
		if in == response {
			breaking = !narrower
		}
		c.report(breaking, at(where, in), "is %s instead of %s", typeText(b.types), typeText(a.types))
	}
	if !equal(a.beside, b.beside) {
		c.report(true, at(where, in), "has other keywords beside its reference")
	}
	if a.name != b.name {
		c.report(false, at(where, in), "has the schema %q instead of %q", b.name, a.name)
	} else if a.name != "" {
		v := visit{a.name, b.name, in}
		if c.seen[v] {
			return
		}
		c.seen[v] = true
		where = b.name
	}
	c.keywords(where, a.object, b.object, in)
	c.members(where, a.object, b.object, in)
	c.variants(where, a.object, b.object, in)
	if items := child(a.object, "items"); items != nil && child(b.object, "items") != nil {
		c.schema(where+"[]", items, child(b.object, "items"), in)
	}
}

// at adds the direction to the place of a schema.
func at(where string, in direction) string { return where + " (" + string(in) + ")" }

func typeText(types []string) string {
	if len(types) == 0 {
		return "anything"
	}
	return strings.Join(types, "|")
}

func subset(part, of []string) bool {
	return !slices.ContainsFunc(part, func(t string) bool {
		return !slices.Contains(of, t) && (t != "integer" || !slices.Contains(of, "number"))
	})
}

func (c *comparer) members(where string, old, new object, in direction) {
	a, b := child(old, "properties"), child(new, "properties")
	mustOld, mustNew := list(old["required"]), list(new["required"])
	for _, name := range keys(a, b) {
		place, was, is := where+"."+name, slices.Contains(mustOld, any(name)), slices.Contains(mustNew, any(name))
		switch {
		case b[name] == nil:
			c.report(true, at(place, in), "is removed")
		case a[name] == nil:
			c.report(is && in == request, at(place, in), "is added%s", map[bool]string{true: " and required"}[is])
		default:
			c.required(at(place, in), was, is, in)
			c.member(place, child(a, name), child(b, name), in, !was && !is)
		}
	}
	switch was, is := old["additionalProperties"], new["additionalProperties"]; {
	case equal(was, is):
	case child(old, "additionalProperties") != nil && child(new, "additionalProperties") != nil:
		c.schema(where+".*", child(old, "additionalProperties"), child(new, "additionalProperties"), in)
	default:
		c.report(was != nil || in == request, at(where, in), "other members have another schema")
	}
}

// variants compares the variants of a union, each by the value that selects it.
func (c *comparer) variants(where string, old, new object, in direction) {
	a, b := child(old, "discriminator"), child(new, "discriminator")
	if a == nil && b == nil {
		return
	}
	if a["propertyName"] != b["propertyName"] {
		c.report(true, at(where, in), "is told apart by %v instead of %v", b["propertyName"], a["propertyName"])
		return
	}
	was, is := child(a, "mapping"), child(b, "mapping")
	c.both(was, is, func(name string) string { return at(where+"<"+name+">", in) }, true, false, func(name string) {
		c.schema(where+"<"+name+">", object{"$ref": was[name]}, object{"$ref": is[name]}, in)
	})
}
