package families_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"samla/internal/institution/families"
	"samla/internal/strictjson"
)

func write(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "banks.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAll_NamesEachFamilyOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range families.All() {
		if f.Name == "" || seen[f.Name] || f.New == nil {
			t.Errorf("row %q", f.Name)
		}
		seen[f.Name] = true
	}
	// Banks files from before there were families name none.
	if families.All()[0].Name != "xs2a" {
		t.Error("entries without a family are no longer of xs2a")
	}
}

// The examples of the guides can be copied.
func TestAll_ReadsExamplesOfTheGuides(t *testing.T) {
	for _, name := range []string{"adding-a-bank.md", "adding-a-nordea.md", "adding-an-obie-bank.md", "adding-a-source.md"} {
		guide, err := os.ReadFile("../../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		examples := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(guide, -1)
		if len(examples) == 0 {
			t.Fatalf("%s has no example", name)
		}
		for _, example := range examples {
			if _, err := families.All().Load(write(t, example[1])); err != nil {
				t.Errorf("%v in %s", err, example[1])
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(`{"banks":[{"company":"se-mybank","displayName":"My bank","loginMethods":["EID"],"baseURL":"https://b.example","family":"xs2a"}]}`))
	f.Add([]byte(`{"banks":[{"profile":{"pollInterval":"1s"}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := families.All().Load(write(t, text))
		var faults strictjson.Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0 || file != nil) {
			t.Errorf("no fault in %v", err)
		}
	})
}
