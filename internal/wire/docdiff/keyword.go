package docdiff

import (
	"fmt"
	"slices"
)

// The keywords that bound a value, and whether a greater bound refuses more.
var bounds = map[string]bool{
	"minLength": true, "minimum": true, "minItems": true,
	"maxLength": false, "maximum": false, "maxItems": false,
}

// texts are the keywords that a value has to match.
var texts = []string{"pattern", "format", "const", "uniqueItems"}

// ignored are the keywords that are compared elsewhere, or are no part of the wire.
var ignored = []string{
	"$ref", "type", "description", "title", "examples", "example", "default", "properties", "required", "items", "additionalProperties",
	"oneOf", "discriminator", "enum",
}

// keywords compares what narrows the values of two schemas. A reader can take a narrower
// value, and a writer is refused it.
func (c *comparer) keywords(where string, old, new object, in direction) {
	c.enum(at(where, in), list(old["enum"]), list(new["enum"]), in)
	for _, key := range keys(old, new) {
		was, is := old[key], new[key]
		if slices.Contains(ignored, key) || equal(was, is) {
			continue
		}
		var narrower, wider bool
		lower, isBound := bounds[key]
		switch {
		case was == nil:
			narrower = true
		case is == nil:
			wider = true
		case isBound:
			a, okOld := was.(float64)
			b, okNew := is.(float64)
			narrower = okOld && okNew && (b > a) == lower
			wider = okOld && okNew && !narrower
		}
		known := isBound || slices.Contains(texts, key)
		breaking := !known || in == request && !wider || in == response && !narrower
		c.report(breaking, at(where, in), "%s is %s instead of %s", key, shown(is), shown(was))
	}
}

func (c *comparer) enum(where string, old, new []any, in direction) {
	switch {
	case old == nil && new == nil:
	case old == nil:
		c.report(in == request, where, "has listed values only")
	case new == nil:
		c.report(in == response, where, "has any value")
	default:
		for _, v := range old {
			if !slices.ContainsFunc(new, func(w any) bool { return equal(v, w) }) {
				c.report(true, where, "value %v is removed", v)
			}
		}
		for _, v := range new {
			if !slices.ContainsFunc(old, func(w any) bool { return equal(v, w) }) {
				c.report(false, where, "value %v is added", v)
			}
		}
	}
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprint(v)
}
