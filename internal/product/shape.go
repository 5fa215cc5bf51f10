package product

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"samla/internal/money"
)

// The structs of this package are the only list of the contract's members. Their tags
// say what the writer (write.go) and the reader of sources (source.go) need to know:
//
//	json:"fees,omitzero"  the member's name
//	of:"KF ISK"           the object has the member only if its discriminator, or else
//	                      that of the object around it, has one of these values
//	rule:"..."            words, separated by commas:
//	  always         is written even if it is empty
//	  required       an object without it is left out
//	  discriminator  tells the variants of an object apart; is required
//	  identity       identifies the product over time; if it is wrong, so is the product
//	  either         of several such members, an object has exactly one
//	  min=0, max=1   bounds of a number, or of an amount
//	  limit=1000     most characters of a text, or items of a list, that a source may give
//
// TestShapes_AreTheSchemas compares them with the OpenAPI document.

// defaultText and defaultList are the limits of members that have no rule of their own
// (docs/reference/products.md 13).
const (
	defaultText = 200
	defaultList = 100
)

// member is a member of an object of the contract.
type member struct {
	name     string
	index    []int
	of       []string // values of the discriminator; nil: all
	min, max *money.Number
	limit    int
	rules    map[string]bool
	readOnly bool // its contents are not documented
}

// has reports whether the object of a variant has the member.
func (m *member) has(variant string) bool { return m.of == nil || slices.Contains(m.of, variant) }

// inBounds reports whether a number is within the member's bounds.
func (m *member) inBounds(n money.Number) bool {
	return (m.min == nil || n.Cmp(*m.min) >= 0) && (m.max == nil || n.Cmp(*m.max) <= 0)
}

// shape is the list of an object's members.
type shape struct {
	members       []member
	discriminator *member // nil: none
}

var shapes sync.Map // reflect.Type to *shape

// shapeOf returns the shape of a struct type.
func shapeOf(t reflect.Type) *shape {
	if s, ok := shapes.Load(t); ok {
		return s.(*shape)
	}
	s := &shape{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			s.members = append(s.members, memberOf(name, f))
		}
	}
	for i := range s.members {
		m := &s.members[i]
		if m.rules["discriminator"] {
			s.discriminator = m
		}
	}
	stored, _ := shapes.LoadOrStore(t, s)
	return stored.(*shape)
}

// memberOf reads the tags of a field. A tag that cannot be read is a defect of this
// package, which its tests find.
func memberOf(name string, f reflect.StructField) member {
	m := member{name: name, index: f.Index, rules: map[string]bool{}, limit: defaultText, readOnly: f.Type == reflect.TypeFor[ReadOnly]()}
	if f.Type.Kind() == reflect.Slice {
		m.limit = defaultList
	}
	if of := f.Tag.Get("of"); of != "" {
		m.of = strings.Fields(of)
	}
	for rule := range strings.SplitSeq(f.Tag.Get("rule"), ",") {
		word, value, _ := strings.Cut(rule, "=")
		switch word {
		case "min", "max":
			n := money.MustNumber(value)
			if word == "min" {
				m.min = &n
			} else {
				m.max = &n
			}
		case "limit":
			m.limit, _ = strconv.Atoi(value)
		default:
			m.rules[word] = true
		}
	}
	m.rules["required"] = m.rules["required"] || m.rules["discriminator"]
	return m
}

// variantOf returns the discriminator of an object, or that of the object around it.
func (s *shape) variantOf(object reflect.Value, around string) string {
	if s.discriminator == nil {
		return around
	}
	return object.FieldByIndex(s.discriminator.index).String()
}
