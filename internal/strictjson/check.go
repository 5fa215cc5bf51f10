package strictjson

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"samla/internal/jsontext"
)

// check compares a parsed value with a Go type. encoding/json does the same, but
// it stops at the first fault and does not say where an unknown member is.
func check(at string, value any, t reflect.Type) Faults {
	if value == nil {
		return Faults{{Pointer: at, Problem: "must not be null: leave the member out"}}
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	if own, ok := reflect.New(t).Interface().(json.Unmarshaler); ok {
		return checkOwn(at, value, own)
	}
	switch t.Kind() {
	case reflect.Struct:
		if object, ok := value.(map[string]any); ok {
			return checkMembers(at, object, t)
		}
		return wrongType(at, "an object")
	case reflect.Map:
		return checkMap(at, value, t.Elem())
	case reflect.Slice:
		return checkList(at, value, t.Elem())
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return wrongType(at, "true or false")
		}
	case reflect.Int:
		number, _ := value.(json.Number)
		if _, err := strconv.Atoi(number.String()); err != nil {
			return wrongType(at, "a whole number")
		}
	default:
		if _, ok := value.(string); !ok {
			return wrongType(at, "a text")
		}
	}
	return nil
}

func wrongType(at, want string) Faults { return Faults{{Pointer: at, Problem: "must be " + want}} }

func checkOwn(at string, value any, own json.Unmarshaler) Faults {
	text, err := json.Marshal(value)
	if err == nil {
		err = own.UnmarshalJSON(text)
	}
	if err != nil {
		return Faults{{Pointer: at, Problem: err.Error()}}
	}
	return nil
}

func checkMap(at string, value any, element reflect.Type) (faults Faults) {
	object, ok := value.(map[string]any)
	if !ok {
		return wrongType(at, "an object")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		faults = append(faults, check(at+"/"+jsontext.EscapeToken(name), object[name], element)...)
	}
	return faults
}

func checkList(at string, value any, element reflect.Type) (faults Faults) {
	list, ok := value.([]any)
	if !ok {
		return wrongType(at, "a list")
	}
	for i, v := range list {
		faults = append(faults, check(at+"/"+strconv.Itoa(i), v, element)...)
	}
	return faults
}

// checkMembers checks an object that is decoded into a struct of each type.
func checkMembers(at string, object map[string]any, types ...reflect.Type) (faults Faults) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		pointer := at + "/" + jsontext.EscapeToken(name)
		known := false
		for _, t := range types {
			if field, ok := fieldOf(t, name); ok {
				known = true
				faults = append(faults, check(pointer, object[name], field)...)
			}
		}
		if !known {
			faults.Add(pointer, "is unknown: check the spelling, or remove it")
		}
	}
	return faults
}

// fieldOf returns the type of the field that a member is decoded into.
func fieldOf(t reflect.Type, member string) (reflect.Type, bool) {
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name == member && name != "" {
			return f.Type, true
		}
	}
	return nil, false
}
