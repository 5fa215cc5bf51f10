package wiretest

import (
	"encoding/json"
	"strings"
	"testing"
)

// Decode returns a decoded document, and a function that returns the object at a JSON
// Pointer, after references. It fails the test if the text is no JSON object.
func Decode(t testing.TB, text []byte) (root map[string]any, at func(pointer string) map[string]any) {
	t.Helper()
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	at = func(pointer string) map[string]any {
		n := root
		for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			n, _ = n[strings.ReplaceAll(token, "~1", "/")].(map[string]any)
			if ref, ok := n["$ref"].(string); ok && token != "schema" {
				n = at(strings.TrimPrefix(ref, "#"))
			}
		}
		return n
	}
	return root, at
}
