package renormalise

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"samla/internal/product"
)

// Diff returns how two lists of products differ, JSON arrays in the form of
// docs/reference/products.md. Products are compared by id and transactions by transactionId;
// other lists item by item.
// No member of the result has a value of the products, nor a text of theirs.
func Diff(before, after []byte) (found []Change) {
	old, now := byID(decode(before), "id"), byID(decode(after), "id")
	for _, id := range slices.Sorted(maps.Keys(old)) {
		if now[id] == nil {
			found = append(found, Change{Type: typeOf(old[id]), Kind: Removed, Before: "product"})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if old[id] == nil {
			found = append(found, Change{Type: typeOf(now[id]), Kind: Added, After: "product"})
			continue
		}
		d := differ{of: typeOf(now[id])}
		d.compare("", old[id], now[id])
		found = append(found, d.found...)
	}
	return found
}

func decode(text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	_ = d.Decode(&v) // it is ours; nothing is compared with nothing otherwise
	return v
}

// byID returns the objects of a list by a member. Those without it are left out.
func byID(list any, member string) map[string]any {
	items, _ := list.([]any)
	of := make(map[string]any, len(items))
	for _, item := range items {
		if o, is := item.(map[string]any); is {
			if id, is := o[member].(string); is {
				of[id] = o
			}
		}
	}
	return of
}

// typeOf returns the type of a product, if it is one of the documented ones.
func typeOf(p any) string {
	o, _ := p.(map[string]any)
	of, _ := o["type"].(string)
	if !product.IsType(product.Type(of)) {
		return "OTHER"
	}
	return of
}

// differ collects the differences of a product.
type differ struct {
	of    string
	found []Change
}

func (d *differ) add(at string, kind Kind, before, after any) {
	c := Change{Type: d.of, Kind: kind, Pointer: at}
	if kind != Added {
		c.Before = Mask(before)
	}
	if kind != Removed {
		c.After = Mask(after)
	}
	d.found = append(d.found, c)
}

func (d *differ) compare(at string, before, after any) {
	switch b := before.(type) {
	case map[string]any:
		if a, is := after.(map[string]any); is {
			d.objects(at, b, a)
			return
		}
	case []any:
		if a, is := after.([]any); is {
			d.lists(at, b, a)
			return
		}
	}
	if !reflect.DeepEqual(before, after) {
		d.add(at, Modified, before, after)
	}
}

func (d *differ) objects(at string, before, after map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, is := after[name]; !is {
			d.add(at+"/"+memberName(name), Removed, before[name], nil)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if b, is := before[name]; is {
			d.compare(at+"/"+memberName(name), b, after[name])
		} else {
			d.add(at+"/"+memberName(name), Added, nil, after[name])
		}
	}
}

func (d *differ) lists(at string, before, after []any) {
	at += "/-"
	old, now := byID(before, "transactionId"), byID(after, "transactionId")
	if len(old) == len(before) && len(now) == len(after) {
		for _, id := range slices.Sorted(maps.Keys(old)) {
			if now[id] == nil {
				d.add(at, Removed, old[id], nil)
			} else {
				d.compare(at, old[id], now[id])
			}
		}
		for _, id := range slices.Sorted(maps.Keys(now)) {
			if old[id] == nil {
				d.add(at, Added, nil, now[id])
			}
		}
		return
	}
	for i := range max(len(before), len(after)) {
		switch {
		case i >= len(after):
			d.add(at, Removed, before[i], nil)
		case i >= len(before):
			d.add(at, Added, nil, after[i])
		default:
			d.compare(at, before[i], after[i])
		}
	}
}

// memberName returns the name of a member, unless it is not a name of the contract's form: a
// product of a type that is not known is kept as it was read.
func memberName(name string) string {
	if len(name) > 40 || strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		return "?"
	}
	return name
}

// Mask returns what may be said of a value: the sign of a number and how many digits it has
// before and after the point, the class of the length of a text, and the number of items or
// members, never more of it.
func Mask(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number " + maskNumber(v.String())
	case string:
		return "text of " + lengthClass(len([]rune(v)))
	case []any:
		return "list of " + lengthClass(len(v))
	case map[string]any:
		return "object"
	}
	return "value"
}

func maskNumber(text string) string {
	sign := "+"
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "-", rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.Trim(whole+fraction, "0") == "" {
		sign = "0"
	}
	return sign + " of " + lengthClass(len(whole)) + "." + strconv.Itoa(min(len(fraction), 9))
}

// lengthClass returns a length, or a range of those that may tell somebody apart.
func lengthClass(n int) string {
	switch {
	case n <= 4:
		return strconv.Itoa(n)
	case n <= 8:
		return "5-8"
	case n <= 16:
		return "9-16"
	case n <= 32:
		return "17-32"
	}
	return "33+"
}
