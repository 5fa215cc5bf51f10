package documents

import (
	"encoding/json"
	"strings"
	"testing"
)

// withoutOurs returns a document without the operations that are marked as additions of
// ours (x-samla), and without the schemas that only they use.
func withoutOurs(t *testing.T, text []byte) []byte {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	ours := 0
	for path, item := range d["paths"].(map[string]any) {
		operations := item.(map[string]any)
		for method, operation := range operations {
			if o, ok := operation.(map[string]any); ok && o["x-samla"] == true {
				delete(operations, method)
				ours++
			}
		}
		if len(operations) == 0 {
			delete(d["paths"].(map[string]any), path)
		}
	}
	if ours == 0 {
		t.Error("no operation is marked as ours")
	}
	components := d["components"].(map[string]any)
	schemas := components["schemas"].(map[string]any)
	used := map[string]bool{}
	var visit func(any)
	visit = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				visit(each)
			}
		case map[string]any:
			for key, each := range v {
				name, isSchema := strings.CutPrefix(textOf(each), "#/components/schemas/")
				if isSchema && !used[name] {
					used[name] = true
					visit(schemas[name])
				}
				if key != "schemas" {
					visit(each)
				}
			}
		}
	}
	visit(d["paths"])
	delete(components, "schemas")
	visit(components)
	for name := range schemas {
		if !used[name] {
			delete(schemas, name)
		}
	}
	components["schemas"] = schemas
	rest, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return rest
}

// textOf returns v if it is a text, else "".
func textOf(v any) string {
	s, _ := v.(string)
	return s
}
