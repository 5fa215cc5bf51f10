package product

import "reflect"

// AppendPart appends a part of a product as the writer does, nothing if it cannot be
// written.
func AppendPart(part any) []byte {
	m := member{}
	if b, ok := m.appendValue(nil, reflect.ValueOf(part), ""); ok {
		return b
	}
	return nil
}

// Types are the documented types.
var Types = types
