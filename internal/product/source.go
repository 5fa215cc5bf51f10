package product

import (
	"reflect"
	"slices"
	"strings"

	"samla/internal/deviation"
	"samla/internal/jsontext"
)

// Problem is one thing that is wrong with a product of a source.
type Problem struct {
	// Pointer is where: a JSON Pointer (RFC 6901) into the product. It has names that the
	// source wrote, so it is for the source's authors, and never for a log or a metric.
	Pointer string
	Kind    deviation.Kind
	What    string // the rule; never a value
}

// Report is what FromSource found.
type Report struct {
	Problems []Problem // the first 100, in the order of the contract's members
	Counts   deviation.Counts
}

const maxProblems = 100

// FromSource reads one product that a source outside of Samla gave, in the form of
// docs/reference/products.md without id, company and companyDisplayName, which the
// server writes; they are ignored if they are there. Unlike Read it is strict
// (docs/reference/products.md 13):
//
//   - The product is nil if it is not readable JSON, of no documented type, or if what
//     identifies it is wrong. Accounts of PSD2 are not products of a source: it gives facts.
//   - A member or an item of a list that breaks a rule is left out.
//   - A member that the type does not have is left out, and so is an undocumented value.
//
// All of these are counted in the report. Data is missing if its counts are Incomplete.
func FromSource(raw []byte) (Product, Report) {
	r := &sourceReader{}
	value, err := jsontext.Parse(string(raw))
	if err != nil {
		return r.without("", deviation.UnreadableProduct, err.What)
	}
	in, isObject := value.(map[string]any)
	if !isObject {
		return r.without("", deviation.UnreadableProduct, "must be an object")
	}
	kind, isText := in["type"].(string)
	if !isText {
		return r.without("/type", deviation.UnreadableProduct, "must be a text")
	}
	construct, known := constructors[Type(kind)]
	if !known || strings.HasPrefix(kind, "PSD2_") {
		return r.without("/type", deviation.UnknownProduct, "no type of a product that a source can give")
	}
	p := construct()
	r.object(reflect.ValueOf(p).Elem(), in, "", "")
	if r.unidentified {
		r.report.Counts = deviation.Counts{deviation.UnreadableProduct: 1}
		return nil, r.report
	}
	*p.Common() = Head{Type: Type(kind)}
	return p, r.report
}

type sourceReader struct {
	report       Report
	unidentified bool // what identifies the product is wrong
}

// without returns no product.
func (r *sourceReader) without(at string, k deviation.Kind, what string) (Product, Report) {
	r.found(at, k, what)
	return nil, r.report
}

// found counts a problem and keeps it if there are not too many.
func (r *sourceReader) found(at string, k deviation.Kind, what string) {
	r.report.Counts.Add(k, 1)
	if len(r.report.Problems) < maxProblems {
		r.report.Problems = append(r.report.Problems, Problem{at, k, what})
	}
}

// wrong reports a value that is left out. It returns false.
func (r *sourceReader) wrong(at, what string) bool {
	r.found(at, deviation.UnreadableMember, what)
	return false
}

// object reads an object into a struct. It reports whether the object can be used; an
// object that says nothing cannot.
func (r *sourceReader) object(to reflect.Value, in map[string]any, at, around string) bool {
	s := shapeOf(to.Type())
	variant, ok := r.variant(s, in, at, around)
	if !ok {
		return false
	}
	read, either := 0, 0
	for i := range s.members {
		m := &s.members[i]
		value := in[m.name]
		if value == nil || value == "" || !m.has(variant) || m.readOnly {
			if m.rules["required"] {
				return r.wrong(at+"/"+m.name, "is required")
			}
			continue
		}
		if m.rules["always"] {
			continue // the server writes it
		}
		switch field := to.FieldByIndex(m.index); {
		case r.value(m, field, value, at+"/"+m.name, variant):
			read++
			if m.rules["either"] {
				either++
			}
		case m.rules["required"]:
			return false
		case m.rules["identity"]:
			r.unidentified = true
		default:
			field.SetZero()
		}
	}
	r.unknown(s, in, at, variant)
	if either > 1 {
		return r.wrong(at, "has more than one of its forms")
	}
	return read > 0
}

// variant returns the discriminator of an object, or that of the object around it.
func (r *sourceReader) variant(s *shape, in map[string]any, at, around string) (string, bool) {
	if s.discriminator == nil {
		return around, true
	}
	value, isText := in[s.discriminator.name].(string)
	if !isText {
		return "", r.wrong(at+"/"+s.discriminator.name, "must be a text")
	}
	return value, true
}

// unknown reports the members that the object does not have in the contract.
func (r *sourceReader) unknown(s *shape, in map[string]any, at, variant string) {
	var names []string
	for name, value := range in {
		i := slices.IndexFunc(s.members, func(m member) bool { return m.name == name })
		if value != nil && (i < 0 || !s.members[i].has(variant) || s.members[i].readOnly) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		r.found(at+"/"+jsontext.EscapeToken(shortened(name)), deviation.UnknownMember, "is not documented here")
	}
}

// shortened returns the first characters of a name.
func shortened(name string) string {
	if runes := []rune(name); len(runes) > 60 {
		return string(runes[:60])
	}
	return name
}
