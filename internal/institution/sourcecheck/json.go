package sourcecheck

import (
	"bytes"
	"encoding/json"
	"reflect"
)

func decoded(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// turnOf returns the members of the turn in an answer without its id, and the id.
func turnOf(body []byte) (id string, rest map[string]any) {
	v, err := decoded(body)
	if err != nil {
		return "", nil
	}
	object, _ := v.(map[string]any)
	rest, _ = object["turn"].(map[string]any)
	id, _ = rest["id"].(string)
	delete(rest, "id")
	return id, rest
}
