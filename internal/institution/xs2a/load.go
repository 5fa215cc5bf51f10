package xs2a

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"samla/internal/jsontext"
	"slices"
	"strings"
)

// Load reads a banks file: {"banks": [Config, ...]}. Every member that is
// unknown, of the wrong type or unusable is one *Fault, all joined; a file that
// cannot be read is one with an empty pointer. Certificate paths are relative to
// the file's folder; the files themselves are read by New.
//
// The least that a bank needs:
//
//	{"banks": [{
//	  "company": "se-mybank", "displayName": "My bank",
//	  "loginMethods": ["SWEDISH_MOBILE_BANKID_OTHER_DEVICE"],
//	  "baseURL": "https://psd2.mybank.example/xs2a",
//	  "certificates": {
//	    "qwacCert": "qwac.pem", "qwacKey": "qwac-key.pem",
//	    "qsealCert": "qseal.pem", "qsealKey": "qseal-key.pem"
//	  }
//	}]}
func Load(path string) ([]Config, error) {
	name := filepath.Base(path)
	data, err := os.ReadFile(path)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, fmt.Errorf("%s: read banks file: %w", name, err)
	}
	banks, faults := parse(data)
	if len(faults) > 0 {
		joined := make([]error, len(faults))
		for i, f := range faults {
			f.File = name
			joined[i] = f
		}
		return nil, errors.Join(joined...)
	}
	for i := range banks {
		banks[i].Certificates = banks[i].Certificates.under(filepath.Dir(path))
	}
	return banks, nil
}

type banksFile struct {
	Banks []Config `json:"banks"`
}

// parse reads the text of a banks file.
func parse(data []byte) ([]Config, []*Fault) {
	data = bytes.TrimPrefix(data, utf8BOM)
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var document any
	if err := dec.Decode(&document); err != nil {
		return nil, []*Fault{{Problem: fmt.Sprintf("is no JSON at byte %d: %s", dec.InputOffset(), syntaxOf(err))}}
	}
	if dec.More() {
		return nil, []*Fault{{Problem: fmt.Sprintf("holds more than one JSON value at byte %d", dec.InputOffset())}}
	}
	if faults := shape("", document, reflect.TypeFor[banksFile]()); len(faults) > 0 {
		return nil, faults
	}
	var file banksFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, []*Fault{{Problem: err.Error()}}
	}
	if len(file.Banks) == 0 {
		return nil, []*Fault{{Pointer: "/banks", Problem: "is missing: list at least one bank"}}
	}
	return file.Banks, check(file.Banks)
}

func syntaxOf(err error) string {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return syntax.Error()
	}
	return "it ends too early"
}

func check(banks []Config) (faults []*Fault) {
	for i, c := range banks {
		at := fmt.Sprintf("/banks/%d", i)
		if slices.ContainsFunc(banks[:i], func(o Config) bool { return o.Company == c.Company }) {
			faults = append(faults, &Fault{Pointer: at + "/company", Problem: "names a bank that is listed already"})
		}
		for _, f := range faultsIn(c.Check()) {
			f.Pointer = at + f.Pointer
			faults = append(faults, f)
		}
	}
	return faults
}

// faultsIn takes joined faults apart.
func faultsIn(err error) (faults []*Fault) {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return nil
	}
	for _, e := range joined.Unwrap() {
		var f *Fault
		if errors.As(e, &f) {
			faults = append(faults, f)
		}
	}
	return faults
}

// shape holds a JSON value against a Go type, because encoding/json does not
// tell where an unknown member stands.
func shape(at string, value any, t reflect.Type) []*Fault {
	if value == nil {
		return []*Fault{{Pointer: at, Problem: "must not be null: leave the member out"}}
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == reflect.TypeFor[Duration]() {
		if s, ok := value.(string); ok && json.Unmarshal(fmt.Appendf(nil, "%q", s), new(Duration)) == nil {
			return nil
		}
		return []*Fault{{Pointer: at, Problem: `must be a duration such as "1s" or "5m"`}}
	}
	switch t.Kind() {
	case reflect.Struct:
		if object, ok := value.(map[string]any); ok {
			return members(at, object, t)
		}
		return wrongType(at, "an object")
	case reflect.Map:
		object, ok := value.(map[string]any)
		if !ok {
			return wrongType(at, "an object")
		}
		var faults []*Fault
		for name, v := range object {
			faults = append(faults, shape(at+"/"+jsontext.EscapeToken(name), v, t.Elem())...)
		}
		return faults
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			return wrongType(at, "a list")
		}
		var faults []*Fault
		for i, v := range list {
			faults = append(faults, shape(fmt.Sprintf("%s/%d", at, i), v, t.Elem())...)
		}
		return faults
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			return wrongType(at, "true or false")
		}
	case reflect.Int:
		n, ok := value.(json.Number)
		if _, err := n.Int64(); !ok || err != nil {
			return wrongType(at, "a whole number")
		}
	default:
		if _, ok := value.(string); !ok {
			return wrongType(at, "a text")
		}
	}
	return nil
}

func wrongType(at, want string) []*Fault { return []*Fault{{Pointer: at, Problem: "must be " + want}} }

func members(at string, object map[string]any, t reflect.Type) (faults []*Fault) {
	known := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			known[name] = f.Type
		}
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if field, ok := known[name]; ok {
			faults = append(faults, shape(at+"/"+jsontext.EscapeToken(name), object[name], field)...)
		} else {
			faults = append(faults, &Fault{Pointer: at + "/" + jsontext.EscapeToken(name), Problem: "is unknown: check the spelling, or remove it"})
		}
	}
	return faults
}
