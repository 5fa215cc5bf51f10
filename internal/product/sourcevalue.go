package product

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"samla/internal/deviation"
	"samla/internal/money"
)

// value reads a JSON value into the field of a member, or reports why not.
func (r *sourceReader) value(m *member, to reflect.Value, in any, at, variant string) bool {
	switch field := to.Addr().Interface().(type) {
	case *Date:
		return r.date(field, in, at)
	case **money.Amount:
		return r.amount(m, field, in, at)
	case **money.Number:
		n, ok := r.number(m, in, at)
		*field = &n
		return ok
	}
	switch to.Kind() {
	case reflect.String:
		return r.text(m, to, in, at)
	case reflect.Slice:
		return r.list(m, to, in, at, variant)
	case reflect.Struct:
		object, ok := in.(map[string]any)
		if !ok {
			return r.wrong(at, "must be an object")
		}
		return r.object(to, object, at, variant)
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return r.value(m, to.Elem(), in, at, variant)
	case reflect.Bool:
		yes, ok := in.(bool)
		if !ok {
			return r.wrong(at, "must be true or false")
		}
		to.SetBool(yes)
		return true
	default:
		return r.integer(m, to, in, at)
	}
}

// text reads a text, or a documented value of an enum.
func (r *sourceReader) text(m *member, to reflect.Value, in any, at string) bool {
	text, ok := in.(string)
	if !ok {
		return r.wrong(at, "must be a text")
	}
	if values, closed := to.Interface().(enum); closed && !slices.Contains(values.documented(), text) {
		if m.rules["required"] {
			return r.wrong(at, "must be a documented value")
		}
		r.found(at, deviation.UnknownValue, "must be a documented value")
		return false
	}
	if utf8.RuneCountInString(text) > m.limit {
		return r.wrong(at, "must have at most "+strconv.Itoa(m.limit)+" characters")
	}
	if slices.ContainsFunc([]rune(text), unicode.IsControl) {
		return r.wrong(at, "must have no control characters")
	}
	to.SetString(text)
	return true
}

// date reads a date of the years 1800 to 2199: what is written where no date is known,
// such as 9999-12-31, is none.
func (r *sourceReader) date(to *Date, in any, at string) bool {
	text, _ := in.(string)
	d, err := ParseDate(text)
	if err != nil || text < "1800" || text >= "2200" {
		return r.wrong(at, "must be a date YYYY-MM-DD of the years 1800 to 2199")
	}
	*to = d
	return true
}

// number reads a JSON number exactly.
func (r *sourceReader) number(m *member, in any, at string) (money.Number, bool) {
	digits, ok := in.(json.Number)
	if !ok {
		return money.Number{}, r.wrong(at, "must be a number")
	}
	n, err := money.ParseNumber(digits.String())
	if err != nil {
		return n, r.wrong(at, "must be a number of at most 19 digits")
	}
	if !m.inBounds(n) {
		return n, r.wrong(at, "is out of its bounds")
	}
	return n, true
}

// amount reads a MonetaryAmount (docs/reference/products.md 9).
func (r *sourceReader) amount(m *member, to **money.Amount, in any, at string) bool {
	object, ok := in.(map[string]any)
	if !ok {
		return r.wrong(at, "must be an amount with its currency")
	}
	n, ok := r.number(m, object["amount"], at+"/amount")
	if !ok {
		return false
	}
	currency, _ := object["currency"].(string)
	if !money.IsCurrency(currency) {
		return r.wrong(at+"/currency", "must be three letters A to Z")
	}
	amount, err := money.New(n.Decimal(), currency)
	if err != nil {
		return r.wrong(at, "must be an amount with its currency")
	}
	if len(object) > 2 {
		r.found(at, deviation.UnknownMember, "an amount has two members")
	}
	*to = &amount
	return true
}

// integer reads a whole number of the size of the field.
func (r *sourceReader) integer(m *member, to reflect.Value, in any, at string) bool {
	n, ok := r.number(m, in, at)
	if !ok {
		return false
	}
	whole, fraction, ok := n.Decimal().Int64(0)
	if !ok || fraction != 0 || n.Decimal().Trim(0).Scale() > 0 || to.OverflowInt(whole) {
		return r.wrong(at, "must be a whole number of its size")
	}
	to.SetInt(whole)
	return true
}

// list reads the items that can be used, up to the limit of the list.
func (r *sourceReader) list(m *member, to reflect.Value, in any, at, variant string) bool {
	items, ok := in.([]any)
	if !ok {
		return r.wrong(at, "must be a list")
	}
	if len(items) > m.limit {
		r.found(at, deviation.TooMany, "must have at most "+strconv.Itoa(m.limit)+" items")
		items = items[:m.limit]
	}
	list := reflect.MakeSlice(to.Type(), 0, len(items))
	for i, item := range items {
		place, before := at+"/"+strconv.Itoa(i), r.report.Counts[deviation.UnreadableMember]
		read := reflect.New(to.Type().Elem()).Elem()
		switch {
		case r.value(m, read, item, place, variant):
			list = reflect.Append(list, read)
		case r.report.Counts[deviation.UnreadableMember] == before:
			r.wrong(place, "says nothing")
		}
	}
	to.Set(list)
	return len(items) == 0 || list.Len() > 0
}
