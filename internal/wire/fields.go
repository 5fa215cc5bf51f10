package wire

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"samla/internal/fault"
	"samla/internal/jsontext"
)

// maxFields bounds errors[], so that a large wrong body gets no larger answer.
const maxFields = 50

// fields turns a validation error into errors[] of docs/reference/api.md 1.6, sorted by
// pointer. prefix goes before each pointer. Nil when err is nil.
func (b ruleBook) fields(prefix string, err error) []fault.Field {
	var verr *jsonschema.ValidationError
	if !errors.As(err, &verr) {
		return nil
	}
	var l fieldList
	l.walk(b, prefix, verr)
	l.dropFollowers()
	slices.SortFunc(l.out, func(x, y fault.Field) int {
		return cmp.Or(cmp.Compare(x.Pointer, y.Pointer), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Message, y.Message))
	})
	out := slices.CompactFunc(l.out, func(x, y fault.Field) bool { return x.Pointer == y.Pointer && x.Code == y.Code })
	return out[:min(len(out), maxFields)]
}

type fieldList struct {
	out      []fault.Field
	absent   []string // arrays without an element that they must have
	mistypes []string // objects whose type is missing or unknown
}

func (l *fieldList) add(pointer string, code fault.FieldCode, message string) {
	l.out = append(l.out, fault.Field{Pointer: pointer, Code: code, Message: message})
}

func (l *fieldList) walk(b ruleBook, prefix string, e *jsonschema.ValidationError) {
	at := prefix + pointerTo(e.InstanceLocation)
	own := b[e.SchemaURL]
	code := cmp.Or(own.code, fault.Invalid)
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		for _, cause := range e.Causes {
			l.walk(b, prefix, cause)
		}
	case *kind.Required:
		for _, name := range k.Missing {
			l.add(at+"/"+jsontext.EscapeToken(name), fault.Required, "is missing")
		}
	case *kind.Type:
		// Absent and null are the same (docs/reference/api.md 1.1), but for elements of arrays.
		if k.Got == "null" && isMember(e.InstanceLocation) {
			l.add(at, fault.Required, "is missing")
			return
		}
		l.add(at, fault.Invalid, typeMessage(k.Want))
	case *wrongBranch:
		l.mistypes = append(l.mistypes, at)
		l.add(at+"/"+k.member, k.code, branchMessage(k.code))
	case *repeated:
		l.add(at+"/"+strconv.Itoa(k.index), fault.NotAllowed, "is there already, and is allowed once only")
	case *kind.MaxLength:
		l.add(at, fault.TooLong, "must be at most "+strconv.Itoa(k.Want)+" characters")
	case *kind.MaxContains:
		if k.Want < len(k.Got) {
			at += "/" + strconv.Itoa(k.Got[k.Want])
		}
		l.add(at, code, cmp.Or(own.message, "is one too many"))
	case *kind.Contains, *kind.MinContains:
		l.absent = append(l.absent, at)
		l.add(at, fault.Required, cmp.Or(own.message, "lacks an element"))
	case *kind.MinLength:
		if own.code == "" && isMember(e.InstanceLocation) {
			code = fault.Required // no minimum is more than 1: the text is empty
		}
		l.add(at, code, cmp.Or(own.message, "must not be empty"))
	case *kind.Format:
		l.add(at, code, cmp.Or(own.message, formatMessages[k.Want], "has not the right form"))
	default: // never descends: the causes of not, anyOf and oneOf are noise
		l.add(at, code, cmp.Or(own.message, "is not an allowed value"))
	}
}

// dropFollowers takes back that an element is absent from an array in which the
// type of some element could not be read: that one may be meant.
func (l *fieldList) dropFollowers() {
	for _, at := range l.absent {
		if slices.ContainsFunc(l.mistypes, func(m string) bool { return strings.HasPrefix(m, at+"/") }) {
			l.out = slices.DeleteFunc(l.out, func(f fault.Field) bool { return f.Pointer == at && f.Code == fault.Required })
		}
	}
}

func pointerTo(location []string) string {
	var b strings.Builder
	for _, tok := range location {
		b.WriteByte('/')
		b.WriteString(jsontext.EscapeToken(tok))
	}
	return b.String()
}

// isMember tells an object's member from an array's element and from the whole
// body. No declared member has a name of digits.
func isMember(location []string) bool {
	if len(location) == 0 {
		return false
	}
	_, err := strconv.Atoi(location[len(location)-1])
	return err != nil
}

var formatMessages = map[string]string{
	"date":      "must be a date, YYYY-MM-DD",
	"date-time": "must be a time, such as 2026-06-11T09:21:44.512Z",
	"email":     "must be an e-mail address",
}

func typeMessage(want []string) string {
	name := want[0]
	switch name {
	case "array", "object", "integer":
		return "must be an " + name
	}
	return "must be a " + name
}

func branchMessage(code fault.FieldCode) string {
	switch code {
	case fault.Required:
		return "is missing"
	case fault.UnknownType:
		return "is no known type"
	}
	return "must be a string"
}
