package product

import (
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"samla/internal/money"
)

// AnyProduct draws a product of any type but PUBLIC_PENSION, which the OpenAPI document
// does not have. If it is sound, the contract allows every member; if not, members may
// have what their type does not have, and values that are not documented.
func AnyProduct(t *rapid.T, sound bool) Product {
	var served []string
	for _, kind := range types {
		if kind != string(PublicPensionType) {
			served = append(served, kind)
		}
	}
	slices.Sort(served)
	kind := Type(rapid.SampledFrom(served).Draw(t, "type"))
	p := constructors[kind]()
	g := generator{t, sound}
	g.object(reflect.ValueOf(p).Elem(), string(kind))
	*p.Common() = Head{"id", kind, "se-demo", "Demo"}
	if a, ok := p.(*Psd2Account); ok {
		a.AccountID = "acc"
	}
	return p
}

type generator struct {
	*rapid.T
	sound bool
}

// object fills a struct.
func (g generator) object(to reflect.Value, variant string) {
	s := shapeOf(to.Type())
	if d := s.discriminator; d != nil && variant == "" {
		field := to.FieldByIndex(d.index)
		g.text(d, field)
		variant = field.String()
	}
	either := 0
	if s.members[0].rules["either"] && g.sound {
		either = rapid.IntRange(1, 2).Draw(g.T, "either")
	}
	for i := range s.members {
		m := &s.members[i]
		field := to.FieldByIndex(m.index)
		if m.rules["discriminator"] {
			if field.String() == "" {
				field.SetString(variant)
			}
			continue
		}
		if g.sound && !m.has(variant) || field.Type() == reflect.TypeFor[ReadOnly]() {
			continue
		}
		if m.rules["either"] && g.sound {
			if either--; either != 0 {
				continue
			}
		} else if !g.must(m, to) && rapid.Bool().Draw(g.T, m.name+" absent") {
			continue
		}
		g.value(m, field, variant)
	}
	if tx, ok := to.Addr().Interface().(*Psd2Transaction); ok {
		tx.Direction, tx.Status = tx.direction(), tx.status()
		tx.Amount = tx.Direction.Signed(tx.Amount)
	}
}

// must reports whether a member is there whatever is drawn: an object without it is not
// written, or, as the amount of a Psd2Transaction, it is always known.
func (g generator) must(m *member, of reflect.Value) bool {
	if of.Type() == reflect.TypeFor[Psd2Transaction]() {
		return m.rules["required"] || m.rules["always"]
	}
	return g.sound && (m.rules["required"] || shapeOf(of.Type()).discriminator == nil)
}

func (g generator) value(m *member, to reflect.Value, variant string) {
	switch field := to.Addr().Interface().(type) {
	case *Date:
		*field = DateOf(g.time())
		return
	case *DateTime:
		*field = At(g.time())
		return
	case **money.Amount:
		a := g.amount(m)
		*field = &a
		return
	case *money.Amount:
		*field = g.number(m).Abs()
		return
	case **money.Number:
		n := money.NewNumber(g.number(m).Value())
		*field = &n
		return
	}
	switch to.Kind() {
	case reflect.String:
		g.text(m, to)
	case reflect.Bool:
		to.SetBool(rapid.Bool().Draw(g.T, m.name))
	case reflect.Int32, reflect.Int64:
		low, high := int64(-5), int64(40)
		if g.sound {
			low, high = 1, 31
		}
		to.SetInt(rapid.Int64Range(low, high).Draw(g.T, m.name))
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		g.value(m, to.Elem(), variant)
	case reflect.Slice:
		n := rapid.IntRange(0, 2).Draw(g.T, m.name)
		to.Set(reflect.MakeSlice(to.Type(), n, n))
		for i := range n {
			if shape := shapeOf(to.Type().Elem()); shape.discriminator != nil {
				g.object(to.Index(i), "")
			} else {
				g.value(m, to.Index(i), variant)
			}
		}
	case reflect.Struct:
		if shapeOf(to.Type()).discriminator != nil {
			variant = ""
		}
		g.object(to, variant)
	}
}

func (g generator) text(m *member, to reflect.Value) {
	if values, closed := to.Interface().(enum); closed {
		choices := values.documented()
		if !g.sound {
			choices = append(slices.Clone(choices), "", "UNHEARD_OF")
		}
		to.SetString(rapid.SampledFrom(choices).Draw(g.T, m.name))
		return
	}
	choices := []string{"Sparkonto", "Räntan \"är\" 2 %", "7"}
	if !g.sound {
		choices = append(choices, "", "\xff\x00<")
	}
	switch to.SetString(rapid.SampledFrom(choices).Draw(g.T, m.name)); m.name {
	case "currency":
		to.SetString("SEK")
	case "accountId":
		to.SetString("acc") // always known
	}
}

func (g generator) time() time.Time {
	return time.UnixMilli(rapid.Int64Range(1, 4e12).Draw(g.T, "time")).UTC()
}

func (g generator) number(m *member) money.Amount {
	pattern := `[0-9]{1,9}(\.[0-9]{1,3})?`
	switch {
	case !g.sound:
		pattern = `-?[0-3]{1,2}(\.[0-9]{1,3})?`
	case m.max != nil:
		pattern = `0(\.[0-9]{1,3})?`
	case m.min == nil:
		pattern = `-?[0-9]{1,9}(\.[0-9]{1,3})?`
	}
	return money.Must(rapid.StringMatching(pattern).Draw(g.T, m.name), "SEK")
}

func (g generator) amount(m *member) money.Amount {
	a := g.number(m)
	if !g.sound && rapid.Bool().Draw(g.T, "no currency") {
		a, _ = money.New(a.Value(), "")
	}
	return a
}
