package bgspec

import (
	"encoding/json"
	"sync"
	"testing"

	"samla/internal/specs"
)

// Example returns the body of the definition's example of that name. The test is
// skipped where the definition is missing, and fails when it has no such example.
func Example(tb testing.TB, name string) []byte {
	tb.Helper()
	specs.Read(tb, specs.BerlinGroup13)
	all, err := examples()
	if err != nil {
		tb.Fatal(err)
	}
	if len(all[name].Value) == 0 {
		tb.Fatalf("bgspec: no example %s", name)
	}
	return all[name].Value
}

type example struct{ Value json.RawMessage }

var examples = sync.OnceValues(func() (map[string]example, error) {
	definition, err := specs.Load(specs.BerlinGroup13)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Components struct{ Examples map[string]example }
	}
	err = json.Unmarshal(definition, &doc)
	return doc.Components.Examples, err
})
