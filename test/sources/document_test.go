// Package sources tests the source protocol as a whole: its two descriptions, and that the
// connector, the examples and the sandbox keep to them.
package sources

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"samla/internal/dialogue"
	"samla/internal/institution/source"
	"samla/internal/jsontext"
)

const folder = "../../docs/source-protocol/"

type object = map[string]any

func read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(folder + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// document is openapi.json.
type document struct {
	root     object
	compiler *jsonschema.Compiler
}

func newDocument(t testing.TB) *document {
	t.Helper()
	text := read(t, "openapi.json")
	d := &document{compiler: jsonschema.NewCompiler()}
	decoded, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		d.root = decoded.(object)
		d.compiler.AssertFormat()
		err = d.compiler.AddResource("openapi.json", decoded)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at returns the object at a JSON pointer, after references.
func (d *document) at(pointer string) object {
	n := d.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		n, _ = n[jsontext.UnescapeToken(token)].(object)
		if ref, ok := n["$ref"].(string); ok {
			n = d.at(strings.TrimPrefix(ref, "#"))
		}
	}
	return n
}

// where returns the pointer of an object after references.
func (d *document) where(pointer string) string {
	if ref, ok := d.raw(pointer)["$ref"].(string); ok {
		return strings.TrimPrefix(ref, "#")
	}
	return pointer
}

func (d *document) raw(pointer string) object {
	i := strings.LastIndex(pointer, "/")
	n, _ := d.at(pointer[:i])[jsontext.UnescapeToken(pointer[i+1:])].(object)
	return n
}

func (d *document) validate(t testing.TB, pointer string, value any) error {
	t.Helper()
	schema, err := d.compiler.Compile("openapi.json#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// operations calls f with each operation and its pointer.
func (d *document) operations(f func(method, path, pointer string)) {
	for path, item := range d.at("/paths") {
		for method := range item.(object) {
			if method != "parameters" {
				f(strings.ToUpper(method), path, "/paths/"+jsontext.EscapeToken(path)+"/"+method)
			}
		}
	}
}

// bodies calls f with the pointer of each body of requests and answers.
func (d *document) bodies(f func(pointer string)) {
	d.operations(func(_, _, pointer string) {
		if d.raw(pointer+"/requestBody") != nil {
			f(pointer + "/requestBody/content/application~1json")
		}
		for status := range d.at(pointer + "/responses") {
			at := d.where(pointer + "/responses/" + status)
			if d.raw(at+"/content") != nil {
				f(at + "/content/application~1json")
			}
		}
	})
}

func TestDocument_IsOpenAPI(t *testing.T) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData([]byte(read(t, "openapi.json")))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("version %s", doc.OpenAPI)
	}
}

// Each body has examples, and all are valid; the connector can use the turns and pages.
func TestDocument_ExamplesAreValid(t *testing.T) {
	d := newDocument(t)
	hosts := source.NewHosts([]string{"login.example"})
	types := map[string]bool{}
	d.bodies(func(pointer string) {
		examples := d.at(pointer + "/examples")
		if len(examples) == 0 {
			t.Errorf("%s has no example", pointer)
		}
		for name, example := range examples {
			value := example.(object)["value"]
			if err := d.validate(t, pointer+"/schema", value); err != nil {
				t.Errorf("%s, %s: %v", pointer, name, err)
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			switch schema, _ := d.raw(pointer + "/schema")["$ref"].(string); schema {
			case "#/components/schemas/CurrentTurn", "#/components/schemas/Session":
				types[value.(object)["turn"].(object)["type"].(string)] = true
				if _, faults := source.ReadTurn(text, hosts); len(faults) > 0 {
					t.Errorf("%s, %s: %v", pointer, name, faults)
				}
			case "#/components/schemas/Page":
				if page, faults := source.ReadPage(text, time.Now()); len(faults) > 0 || len(page.Problems) > 0 {
					t.Errorf("%s, %s: %v %v", pointer, name, faults, page.Problems)
				}
			}
		}
	})
	if got := slices.Sorted(maps.Keys(types)); !slices.Equal(got, []string{"ASK", "DEVICE", "IN", "OUT", "WAIT"}) {
		t.Errorf("examples of turns: %v", got)
	}
}

// rows returns the cells of the table rows of a Markdown text that begin with a code.
func rows(markdown string) (list [][]string) {
	for line := range strings.Lines(markdown) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.HasPrefix(line, "| ") && len(cells) > 1 {
			list = append(list, cells)
		}
	}
	return list
}

var codeRE = regexp.MustCompile("`([^`]*)`")

// coded returns the texts in code quotes.
func coded(text string) (list []string) {
	for _, m := range codeRE.FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// Both descriptions have the same calls, with the same success.
func TestREADME_HasTheCallsOfTheDocument(t *testing.T) {
	d := newDocument(t)
	want := map[string]string{}
	d.operations(func(method, path, pointer string) {
		for status := range d.at(pointer + "/responses") {
			if strings.HasPrefix(status, "2") {
				want[method+" "+path] = status
			}
		}
	})
	got := map[string]string{}
	for _, cells := range rows(read(t, "README.md")) {
		if call := coded(cells[0]); len(call) == 1 && strings.Contains(call[0], " /v1/") && len(cells) == 3 {
			got[call[0]] = cells[2][:3]
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("README %v\ndocument %v", got, want)
	}
}

// Both have the same errors, with the same status.
func TestREADME_HasTheErrorsOfTheDocument(t *testing.T) {
	d := newDocument(t)
	want := map[string]string{}
	d.operations(func(_, _, pointer string) {
		for status := range d.at(pointer + "/responses") {
			if status[0] != '2' {
				for code := range d.at(d.where(pointer+"/responses/"+status) + "/content/application~1json/examples") {
					want[code] = status
				}
			}
		}
	})
	got := map[string]string{}
	for _, cells := range rows(read(t, "README.md")) {
		if len(cells) == 3 && regexp.MustCompile(`^\d{3}$`).MatchString(cells[0]) {
			for _, code := range coded(cells[1]) {
				got[code] = cells[0]
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("README %v\ndocument %v", got, want)
	}
	enum := d.at("/components/schemas/Error/properties/error")["enum"].([]any)
	if len(enum) != len(want) {
		t.Errorf("the schema has %d codes, the answers %d", len(enum), len(want))
	}
}

// The words of the protocol are those that the connector knows.
func TestDocument_HasTheWordsOfDialogues(t *testing.T) {
	d := newDocument(t)
	readme := read(t, "README.md")
	words := func(schema, member string) (list []string) {
		for _, w := range d.at("/components/schemas/" + schema + "/properties/" + member)["enum"].([]any) {
			list = append(list, w.(string))
			if !strings.Contains(readme, "`"+w.(string)+"`") {
				t.Errorf("the README does not name %s", w)
			}
		}
		return list
	}
	var reasons []string
	for _, r := range dialogue.Reasons() {
		reasons = append(reasons, string(r))
	}
	if got := words("Out", "reason"); !slices.Equal(got, reasons) {
		t.Errorf("reasons %v", got)
	}
	if got := words("Wait", "for"); !slices.Equal(got, []string{string(dialogue.BankID), string(dialogue.App), string(dialogue.EmailLink), string(dialogue.Page), string(dialogue.Source)}) {
		t.Errorf("places %v", got)
	}
	if got := words("Ask", "kind"); !slices.Equal(got, []string{string(dialogue.Code), string(dialogue.Method), string(dialogue.Contact), string(dialogue.Input)}) {
		t.Errorf("kinds %v", got)
	}
	words("Account", "kind")
}

// Each member of a schema is named in the README.
func TestREADME_NamesEachMember(t *testing.T) {
	d := newDocument(t)
	words := map[string]bool{}
	for _, code := range coded(read(t, "README.md")) {
		for _, w := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(code, -1) {
			words[w] = true
		}
	}
	for name, schema := range d.at("/components/schemas") {
		if name == "Cookie" { // docs/reference/api.md 9.5
			continue
		}
		properties, _ := schema.(object)["properties"].(object)
		for member := range properties {
			if !words[member] {
				t.Errorf("the README does not name %s of %s", member, name)
			}
		}
	}
}
