// Package strictjson decodes configuration files. Every member must be known and
// of the right type, and none may be given twice. Everything that is wrong is
// reported at once, by JSON pointer.
package strictjson

import (
	"bytes"
	"encoding/json"
	"reflect"

	"samla/internal/jsontext"
)

// byteOrderMark is written by some editors. RFC 8259 section 8.1 allows to ignore it.
var byteOrderMark = []byte("\ufeff")

// Decode decodes one JSON object into the structs that the targets point to. A
// member belongs to each target that has it and must belong to one. If there are
// faults, the targets are unchanged.
//
// Structs, maps, slices, strings, booleans, integers and pointers to them are
// checked as deep as they go. A json.RawMessage takes any value but null. A type
// with an UnmarshalJSON method checks itself: its error is the Problem of a Fault,
// so it must not repeat the value.
func Decode(data []byte, targets ...any) Faults {
	data = bytes.TrimPrefix(data, byteOrderMark)
	document, syntax := jsontext.Parse(string(data))
	if syntax != nil {
		return Faults{{Problem: "is not JSON: " + syntax.Error()}}
	}
	types := make([]reflect.Type, len(targets))
	for i, target := range targets {
		types[i] = reflect.TypeOf(target).Elem()
	}
	object, ok := document.(map[string]any)
	if !ok {
		return wrongType("", "an object")
	}
	if faults := checkMembers("", object, types...); len(faults) > 0 {
		return faults
	}
	for _, target := range targets {
		if err := json.Unmarshal(data, target); err != nil {
			return Faults{{Problem: "cannot be decoded"}} // err may repeat a value
		}
	}
	return nil
}
