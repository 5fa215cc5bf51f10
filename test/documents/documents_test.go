// Package documents tests what the OpenAPI documents of all versions have to be: valid,
// complete, and readable for the tools of test/generators. It compares the versions with
// each other.
package documents

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/fault"
	"samla/internal/wire"
	"samla/internal/wire/wiretest"
)

// object is a JSON object of a document.
type object = map[string]any

// version is a version with its decoded document.
type version struct {
	*wire.Contract
	root object
	at   func(pointer string) object // the object at a JSON Pointer, after references
}

// versions returns all versions by name.
func versions(t *testing.T) map[string]version {
	t.Helper()
	all := map[string]version{}
	for _, load := range []func() (*wire.Contract, error){v20250101.Contract, v20260401.Contract} {
		c, err := load()
		if err != nil {
			t.Fatal(err)
		}
		root, at := wiretest.Decode(t, c.Text())
		all[c.Version()] = version{c, root, at}
	}
	return all
}

// eachVersion tests each version.
func eachVersion(t *testing.T, test func(t *testing.T, v version)) {
	t.Helper()
	for name, v := range versions(t) {
		t.Run(name, func(t *testing.T) { test(t, v) })
	}
}

func TestDocument_IsOpenAPI(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		loader := openapi3.NewLoader()
		doc, err := loader.LoadFromData(v.Text())
		if err != nil {
			t.Fatal(err)
		}
		if err := doc.Validate(loader.Context); err != nil {
			t.Fatal(err)
		}
	})
}

// Every code of the closed set is declared by a version, at its status, and no other code
// is. Those of no operation are declared by the response Error. The description of a response
// explains each code that the rules allow.
func TestDocument_DeclaresEveryCode(t *testing.T) {
	declared := map[fault.Code]bool{}
	eachVersion(t, func(t *testing.T, v version) {
		text, err := v.Strict()
		if err != nil {
			t.Fatal(err)
		}
		_, at := wiretest.Decode(t, text)
		for _, code := range []fault.Code{fault.NotFound, fault.MethodNotAllowed, fault.MalformedRequest, fault.ExpectationFailed} {
			text, _ := at("/components/responses/Error")["description"].(string)
			if declared[code] = strings.Contains(text, string(code)); !declared[code] {
				t.Errorf("%s is not declared by the response Error", code)
			}
		}
		note := func(pointer string, status int) {
			code, _ := at(pointer + "/content/application~1problem+json/schema/properties")["code"].(object)
			list, _ := code["enum"].([]any)
			for _, v := range list {
				code := fault.Code(v.(string))
				declared[code] = true
				if !slices.Contains(fault.Codes(), code) || fault.Of(code).Status != status {
					t.Errorf("%s: %s at %d", pointer, code, status)
				}
				if text, _ := at(pointer)["description"].(string); !strings.Contains(text, v.(string)+": ") {
					t.Errorf("%s: the description does not explain %s", pointer, code)
				}
			}
		}
		for _, op := range v.Operations() {
			responses := "/paths/" + strings.ReplaceAll(op.Pattern, "/", "~1") + "/" + strings.ToLower(op.Method) + "/responses"
			for text := range at(responses) {
				if text == "default" {
					continue
				}
				status, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				note(responses+"/"+text, status)
			}
		}
	})
	for _, code := range fault.Codes() {
		if !declared[code] {
			t.Errorf("%s is not declared", code)
		}
	}
}

func TestDocument_UsesEveryComponent(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		at := v.at
		text := string(v.Text())
		for _, kind := range []string{"schemas", "parameters", "headers", "responses"} {
			for name := range at("/components/" + kind) {
				if !strings.Contains(text, `"#/components/`+kind+`/`+name+`"`) {
					t.Errorf("%s/%s is not used", kind, name)
				}
			}
		}
	})
}

// A client needs no other text than the document.
func TestDocument_DescribesEverything(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		at := v.at
		for path, item := range at("/paths") {
			for method, op := range item.(object) {
				if op.(object)["summary"] == nil {
					t.Errorf("%s %s: no summary", method, path)
				}
			}
		}
		for name, p := range at("/components/parameters") {
			if p.(object)["description"] == nil {
				t.Errorf("parameter %s: no description", name)
			}
		}
		for name, s := range at("/components/schemas") {
			s := s.(object)
			if s["description"] == nil {
				t.Errorf("%s: no description", name)
			}
			properties, _ := s["properties"].(object)
			for member, p := range properties {
				p := p.(object)
				if p["description"] == nil && p["$ref"] == nil && p["items"] == nil && p["enum"] == nil {
					t.Errorf("%s.%s: no description", name, member)
				}
			}
		}
	})
}

// Every schema of the document that has examples accepts them.
func TestSchemas_AcceptTheirOwnExamples(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		c, err := wiretest.Load(v.Contract)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for name, s := range v.at("/components/schemas") {
			schema, err := c.ReadSchema("/components/schemas/" + name)
			if err != nil {
				t.Fatal(err)
			}
			examples, _ := s.(object)["examples"].([]any)
			for i, example := range examples {
				n++
				if err := schema.Validate(example); err != nil {
					t.Errorf("%s example %d: %v", name, i, err)
				}
			}
		}
		if n < 40 {
			t.Errorf("only %d examples", n)
		}
	})
}
