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

// maxFields limits errors[]: a large invalid body must not get an even larger
// answer.
const maxFields = 50

// fields converts a validation error to errors[] of docs/reference/api.md 1.6, sorted
// by pointer. It returns nil for a nil error.
func (r rules) fields(err error) []fault.Field {
	var verr *jsonschema.ValidationError
	if !errors.As(err, &verr) {
		return nil
	}
	l := fieldList{rules: r}
	l.add(verr)
	l.removeUncertain()
	slices.SortFunc(l.out, func(x, y fault.Field) int {
		return cmp.Or(cmp.Compare(x.Pointer, y.Pointer), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Message, y.Message))
	})
	out := slices.CompactFunc(l.out, func(x, y fault.Field) bool { return x.Pointer == y.Pointer && x.Code == y.Code })
	return out[:min(len(out), maxFields)]
}

// fieldList collects the fields of a validation error.
type fieldList struct {
	rules   rules
	out     []fault.Field
	lacking []string // pointers of arrays that lack an element
	untyped []string // pointers of objects whose discriminator selects no schema
}

func (l *fieldList) field(pointer string, code fault.FieldCode, message string) {
	l.out = append(l.out, fault.Field{Pointer: pointer, Code: code, Message: message})
}

// add adds the fields of an error and its causes. It ignores the causes of not,
// anyOf and oneOf: they describe branches that the caller did not mean.
func (l *fieldList) add(e *jsonschema.ValidationError) {
	at := pointer(e.InstanceLocation)
	own := l.rules[e.SchemaURL]
	code := cmp.Or(own.code, fault.Invalid)
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.AllOf, *kind.Reference:
		for _, cause := range e.Causes {
			l.add(cause)
		}
	case *kind.Required:
		for _, name := range k.Missing {
			l.field(at+"/"+jsontext.EscapeToken(name), fault.Required, "is missing")
		}
	case *kind.Type:
		// Absent and null are the same (docs/reference/api.md 1.1), except in an array.
		if k.Got == "null" && isMember(e.InstanceLocation) {
			l.field(at, fault.Required, "is missing")
			return
		}
		l.field(at, fault.Invalid, typeMessage(k.Want))
	case *noBranch:
		l.untyped = append(l.untyped, at)
		l.field(at+"/"+k.member, k.code, noBranchMessage(k))
	case *duplicate:
		l.field(at+"/"+strconv.Itoa(k.index), fault.NotAllowed, "is there already, and is allowed once only")
	case *kind.UniqueItems:
		l.field(at+"/"+strconv.Itoa(max(k.Duplicates[0], k.Duplicates[1])), fault.NotAllowed, "is there already, and is allowed once only")
	case *kind.MaxItems:
		l.field(at, code, cmp.Or(own.message, "must have at most "+strconv.Itoa(k.Want)+" elements"))
	case *kind.MaxLength:
		l.field(at, fault.TooLong, "must be at most "+strconv.Itoa(k.Want)+" characters")
	case *kind.MaxContains:
		if k.Want < len(k.Got) {
			at += "/" + strconv.Itoa(k.Got[k.Want])
		}
		l.field(at, code, cmp.Or(own.message, "is one too many"))
	case *kind.Contains, *kind.MinContains:
		l.lacking = append(l.lacking, at)
		l.field(at, fault.Required, cmp.Or(own.message, "lacks an element"))
	case *kind.MinLength:
		if own.code == "" && isMember(e.InstanceLocation) {
			code = fault.Required // an empty text counts as missing
		}
		l.field(at, code, cmp.Or(own.message, "must not be empty"))
	case *kind.Format:
		l.field(at, code, cmp.Or(own.message, formatMessages[k.Want], "has not the right form"))
	default:
		l.field(at, code, cmp.Or(own.message, "is not an allowed value"))
	}
}

// removeUncertain removes the report that an array lacks an element if the array
// has an element of unknown type, which may be the one that is meant.
func (l *fieldList) removeUncertain() {
	for _, at := range l.lacking {
		if slices.ContainsFunc(l.untyped, func(p string) bool { return strings.HasPrefix(p, at+"/") }) {
			l.out = slices.DeleteFunc(l.out, func(f fault.Field) bool { return f.Pointer == at && f.Code == fault.Required })
		}
	}
}

func pointer(location []string) string {
	var b strings.Builder
	for _, token := range location {
		b.WriteByte('/')
		b.WriteString(jsontext.EscapeToken(token))
	}
	return b.String()
}

// isMember reports whether a location is that of an object's member, and not that
// of an array's element or of the whole body. No declared member has a name of
// digits.
func isMember(location []string) bool {
	if len(location) == 0 {
		return false
	}
	_, err := strconv.Atoi(location[len(location)-1])
	return err != nil
}
