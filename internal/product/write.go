package product

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"samla/internal/jsontext"
	"samla/internal/money"
)

// ErrUnwritable is returned for a product whose type is not documented, or belongs to
// another struct.
var ErrUnwritable = errors.New("product: no such type of product")

// Append appends a product to b as a JSON object that the contract allows. It leaves
// out what is unknown or not documented: a member that the product's type does not
// have, a value outside of its bounds, an amount without a currency, an object or item
// of which nothing is known. An *Other is appended as it was read. The error is
// ErrUnwritable.
func Append(b []byte, p Product) ([]byte, error) {
	switch p := p.(type) {
	case *Psd2Account:
		return p.AppendJSON(b), nil
	case *Other:
		return append(b, p.Raw...), nil
	}
	construct, known := constructors[p.Common().Type]
	if !known || reflect.TypeOf(construct()) != reflect.TypeOf(p) {
		return b, ErrUnwritable
	}
	b, _ = appendObject(b, reflect.ValueOf(p).Elem(), "")
	return b, nil
}

// AppendAll appends the products to b as a JSON array, each as Append does.
func AppendAll(b []byte, products []Product) (_ []byte, err error) {
	b = append(b, '[')
	for i, p := range products {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = Append(b, p); err != nil {
			return nil, fmt.Errorf("write product %d: %w", i, err)
		}
	}
	return append(b, ']'), nil
}

// MarshalJSON returns what Append appends.
func (i *Investment) MarshalJSON() ([]byte, error) { return Append(nil, i) }

// MarshalJSON returns what Append appends.
func (s *SavingsAccount) MarshalJSON() ([]byte, error) { return Append(nil, s) }

// MarshalJSON returns what Append appends.
func (l *Loan) MarshalJSON() ([]byte, error) { return Append(nil, l) }

// MarshalJSON returns what Append appends.
func (p *Pension) MarshalJSON() ([]byte, error) { return Append(nil, p) }

// MarshalJSON returns what Append appends.
func (p *PublicPension) MarshalJSON() ([]byte, error) { return Append(nil, p) }

// appendObject appends a struct as an object, or nothing if the contract does not allow
// what is known of it. around is the discriminator of the object around it.
func appendObject(b []byte, object reflect.Value, around string) ([]byte, bool) {
	s, start, either := shapeOf(object.Type()), len(b), false
	variant := s.variantOf(object, around)
	b = append(b, '{')
	for i := range s.members {
		m := &s.members[i]
		if !m.has(variant) || either && m.rules["either"] {
			continue
		}
		mark, written := len(b), false
		if mark > start+1 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, m.name), ':')
		if b, written = m.appendValue(b, object.FieldByIndex(m.index), variant); written {
			either = either || m.rules["either"]
			continue
		}
		if b = b[:mark]; m.rules["required"] {
			return b[:start], false
		}
	}
	if len(b) == start+1 {
		return b[:start], false
	}
	return append(b, '}'), true
}

// appendValue appends the value of a member, and reports whether it is known and
// allowed. If not, what it has appended is to be dropped.
func (m *member) appendValue(b []byte, v reflect.Value, variant string) ([]byte, bool) {
	switch value := v.Interface().(type) {
	case ReadOnly:
		return b, false
	case enum:
		return jsontext.AppendString(b, v.String()), slices.Contains(value.documented(), v.String())
	case Date:
		return jsontext.AppendString(b, value.text), !value.IsZero()
	case DateTime:
		return jsontext.AppendString(b, value.String()), !value.IsZero()
	case *money.Amount:
		if value == nil || value.Currency() == "" || !m.inBounds(money.NewNumber(value.Value())) {
			return b, false
		}
		return value.AppendJSON(b), true
	case money.Amount:
		return value.AppendJSON(b), value.Currency() != ""
	case *money.Number:
		if value == nil || !m.inBounds(*value) {
			return b, false
		}
		return value.AppendJSON(b), true
	}
	switch v.Kind() {
	case reflect.String:
		return jsontext.AppendString(b, v.String()), v.Len() > 0 || m.rules["always"]
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), true
	case reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), m.inBounds(money.MustNumber(strconv.FormatInt(v.Int(), 10)))
	case reflect.Pointer:
		if v.IsNil() {
			return b, false
		}
		return m.appendValue(b, v.Elem(), variant)
	case reflect.Slice:
		return m.appendList(b, v, variant)
	default: // a struct: the tests write every type
		return appendObject(b, v, variant)
	}
}

func (m *member) appendList(b []byte, list reflect.Value, variant string) ([]byte, bool) {
	if list.IsNil() {
		return b, false
	}
	b = append(b, '[')
	first := len(b)
	for i := range list.Len() {
		mark, written := len(b), false
		if mark > first {
			b = append(b, ',')
		}
		if b, written = m.appendValue(b, list.Index(i), variant); !written {
			b = b[:mark]
		}
	}
	// A list of which every item is unknown is unknown: [] says that there are none.
	return append(b, ']'), len(b) > first || list.Len() == 0
}
