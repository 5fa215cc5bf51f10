package household_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/household"
	"samla/internal/sandbox/persona"
)

var today = persona.DayOf(2026, time.November, 26)

func TestOf_RefusesWhatIsNotTwelveDigits(t *testing.T) {
	for _, number := range []string{"", "19900602239", "1990060223977", "19900602239a", "19900602-239", "１99006022397"} {
		if _, err := household.Of(number, today); !errors.Is(err, household.ErrPersonalNumber) {
			t.Errorf("%q: %v", number, err)
		}
	}
}

func TestOf_AcceptsAnyTwelveDigits(t *testing.T) {
	for _, number := range []string{"200001030000", "199006022390", "000000000000", "999999999999", "199013322390", "190002302390", "198102912399"} {
		if _, err := household.Of(number, today); err != nil {
			t.Errorf("%q: %v", number, err)
		}
	}
}

// The rows of docs/reference/api.md 8.
func TestContentsOf_AreThoseOfTheListedPersons(t *testing.T) {
	for number, want := range map[string][]string{
		"200002010000": nil, "200002020000": nil, "200002030000": nil, "200002040000": nil, "200002060000": nil,
		"200001010000": nil, "199007011000": nil,
		"199312252399": {"ISK"},
		"199501302393": {"CUSTODY_ACCOUNT"},
		"198611239883": {"KF"},
		"196603233724": {"CUSTODY_ACCOUNT", "ISK", "KF"},
		"198208149297": {"OCCUPATIONAL_PENSION", "OCCUPATIONAL_PENSION"},
		"199011062388": {"COLLECTIVE_OCCUPATIONAL_PENSION", "COLLECTIVE_OCCUPATIONAL_PENSION", "COLLECTIVE_OCCUPATIONAL_PENSION", "ISK"},
		"198412099296": {"COLLECTIVE_OCCUPATIONAL_PENSION", "ISK", "PRIVATE_PENSION"},
	} {
		h, err := household.Of(number, today)
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, p := range h.Products {
			types = append(types, p.Type)
		}
		if slices.Sort(types); !slices.Equal(types, want) {
			t.Errorf("%s has %v, want %v", number, types, want)
		}
	}
}

// A household with all contents has more products than another; WithoutLoans leaves out the loans only.
func TestContents_WithoutLoansHasAllButLoans(t *testing.T) {
	loans := 0
	for n := range 100 {
		all, err := household.Make(person(n), today, household.Everything)
		if err != nil {
			t.Fatal(err)
		}
		some, err := household.Make(person(n), today, household.WithoutLoans)
		if err != nil {
			t.Fatal(err)
		}
		loan := func(p household.Product) bool { return strings.HasSuffix(p.Type, "_LOAN") }
		loans += len(all.Products)
		all.Products = slices.DeleteFunc(all.Products, loan)
		loans -= len(all.Products)
		if len(all.Products) != len(some.Products) {
			t.Errorf("%s has %d products without loans, want %d", person(n), len(some.Products), len(all.Products))
		}
	}
	if loans < 20 {
		t.Errorf("%d loans of 100 persons", loans)
	}
}

// One of the two can be moved, and one cannot.
func TestContents_TwoOccupationalPensions(t *testing.T) {
	h, err := household.Of("198208149297", today)
	if err != nil {
		t.Fatal(err)
	}
	var movability []string
	for _, p := range h.Products {
		var read struct{ Movability struct{ Result string } }
		if err := json.Unmarshal(p.JSON(household.Head{}), &read); err != nil {
			t.Fatal(err)
		}
		movability = append(movability, read.Movability.Result)
	}
	if slices.Sort(movability); !slices.Equal(movability, []string{"MOVABLE", "NOT_MOVABLE"}) {
		t.Errorf("%v", movability)
	}
}

var update = flag.Bool("update", false, "write testdata/worker.json")

// One household, to read: testdata/worker.json. A difference means that demo persons have
// other products than before; -update writes it.
func TestHousehold_IsThatOfTheGoldenFile(t *testing.T) {
	h, err := household.Of("199006022397", today)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for n, p := range append(h.Products, *h.PublicPension) {
		v, err := decode(p.JSON(household.Head{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", n), Company: "se-demo", CompanyDisplayName: "Demo"}))
		if err != nil {
			t.Fatal(err)
		}
		members := v.(map[string]any)
		for _, name := range []string{"transactions", "transactionsLast12Months"} {
			if list, ok := members[name].([]any); ok { // enough to see what they look like
				members[name] = list[:min(len(list), 3)]
			}
		}
		all = append(all, members)
	}
	got, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", "worker.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("another household:\n%s", got)
	}
}

// No number is a float on its way (docs/reference/households.md 7, 4).
func TestPackage_4_HasNoFloats(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit: // 1e8 is a whole number to the compiler
				if n.Kind == token.FLOAT && strings.ContainsRune(n.Value, '.') {
					t.Errorf("%s: %s", set.Position(n.Pos()), n.Value)
				}
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" || n.Name == "Float" {
					t.Errorf("%s: %s", set.Position(n.Pos()), n.Name)
				}
			}
			return true
		})
	}
}

func FuzzMake(f *testing.F) {
	for _, number := range []string{"199006022397", "200001020000", "000000000000", "999999999999", "19900602239x", ""} {
		f.Add(number, int(today), 0)
	}
	f.Add("200002292399", 1<<62, 9)
	f.Add("199911319999", -1<<62, 10)
	f.Fuzz(func(t *testing.T, number string, day, contents int) {
		h, err := household.Make(number, persona.Day(day), household.Contents(contents))
		digits := len(number) == 12 && strings.Trim(number, "0123456789") == ""
		if (err == nil) != digits || (h == nil) != (err != nil) {
			t.Fatalf("%q: %v", number, err)
		}
		if err != nil {
			return
		}
		for _, p := range h.Products {
			if text := p.JSON(household.Head{}); !json.Valid(text) || bytes.Contains(text, []byte(`:-`)) && !bytes.Contains(text, []byte(`"performanceSinceStart":-`)) {
				t.Errorf("%s", text)
			}
		}
	})
}

func BenchmarkHousehold(b *testing.B) {
	b.ReportAllocs()
	products := 0
	for n := range b.N {
		h, err := household.Make(person(n), today, household.Everything)
		if err != nil {
			b.Fatal(err)
		}
		products += len(h.Products)
	}
	b.ReportMetric(float64(products)/float64(b.N), "products/op")
}
