package documents

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// Tools that generate clients read the document. They understand a part of OpenAPI 3.1
// only, and each of them another part. These tests keep the document within what all of
// test/generators understand; everything else belongs into the rules.

// eachSchema calls do with each schema below a value of the document.
func eachSchema(at string, n any, do func(at string, s object)) {
	switch n := n.(type) {
	case []any:
		for i, v := range n {
			eachSchema(fmt.Sprintf("%s/%d", at, i), v, do)
		}
	case object:
		for key, v := range n {
			switch place := at + "/" + key; {
			case strings.HasSuffix(at, "/components/schemas"), strings.HasSuffix(at, "/properties"),
				key == "schema", key == "items", key == "additionalProperties":
				s, ok := v.(object)
				if !ok {
					s = object{"a schema that is no object": v}
				}
				do(place, s)
				eachSchema(place, v, do)
			case key == "examples", key == "enum":
			default:
				eachSchema(place, v, do)
			}
		}
	}
}

func TestDocument_HasKeywordsOfGeneratorsOnly(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		known := strings.Fields(`$ref type format description properties required items enum examples oneOf discriminator
			minLength maxLength minimum maximum pattern minItems maxItems uniqueItems additionalProperties`)
		root := v.root
		n := 0
		eachSchema("", root, func(at string, s object) {
			n++
			for _, keyword := range slices.Sorted(maps.Keys(s)) {
				if !slices.Contains(known, keyword) {
					t.Errorf("%s has %s", at, keyword)
				}
			}
			if s["type"] == "number" && s["format"] != "double" {
				t.Errorf("%s: a number without format is a float of 32 bits to some generators", at)
			}
			if one, ok := s["oneOf"].([]any); ok && s["discriminator"] == nil && !isNullable(one) {
				t.Errorf("%s: oneOf without discriminator", at)
			}
		})
		if n < 300 {
			t.Errorf("only %d schemas", n)
		}
	})
}

// isNullable reports whether the alternatives are a reference and null.
func isNullable(alternatives []any) bool {
	if len(alternatives) != 2 {
		return false
	}
	first, second := alternatives[0].(object), alternatives[1].(object)
	return first["$ref"] != nil && second["type"] == "null" && len(second) == 1
}

// Each branch of a union has a required member with one value, its own.
func TestDocument_TellsUnionsApart(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		root, at := v.root, v.at
		n := 0
		eachSchema("", root, func(place string, s object) {
			d, ok := s["discriminator"].(object)
			if !ok {
				return
			}
			n++
			member, mapping, listed := d["propertyName"].(string), d["mapping"].(object), object{}
			for _, branch := range s["oneOf"].([]any) {
				listed[branch.(object)["$ref"].(string)] = true
			}
			if len(listed) != len(mapping) {
				t.Errorf("%s: %d branches for %d values", place, len(listed), len(mapping))
			}
			for value, ref := range mapping {
				branch := at(strings.TrimPrefix(ref.(string), "#"))
				p, _ := branch["properties"].(object)[member].(object)
				if enum, _ := p["enum"].([]any); len(enum) != 1 || enum[0] != value || p["type"] != "string" {
					t.Errorf("%s: %s of %s is %v", place, member, ref, p)
				}
				if required, _ := branch["required"].([]any); !slices.Contains(required, any(member)) || listed[ref.(string)] == nil {
					t.Errorf("%s: %s is not required in %s, or is no branch", place, member, ref)
				}
			}
		})
		if n < 4 {
			t.Errorf("only %d unions", n)
		}
	})
}

// An id has the format uuid wherever it is written or read. Those of products and
// accounts are texts (docs/reference/products.md 1).
func TestDocument_GivesIDsTheirFormat(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		root, at := v.root, v.at
		n := 0
		check := func(place string, schema any) {
			n++
			if s, _ := schema.(object); s["format"] != "uuid" {
				t.Errorf("%s has no format uuid", place)
			}
		}
		eachSchema("", root, func(place string, s object) {
			properties, _ := s["properties"].(object)
			for _, name := range []string{"userUuid", "consentId", "collectionId"} {
				if properties[name] != nil {
					check(place+"/"+name, properties[name])
				}
			}
		})
		check("CollectionStatusResponse/id", at("/components/schemas/CollectionStatusResponse/properties")["id"])
		for name, p := range at("/components/parameters") {
			if p := p.(object); p["in"] == "path" {
				check(name, p["schema"])
			}
		}
		if n < 2 {
			t.Errorf("only %d ids", n)
		}
	})
}

func TestDocument_DeclaresDefaultAnswer(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		at := v.at
		for path, item := range at("/paths") {
			for method, op := range item.(object) {
				if got, _ := op.(object)["responses"].(object)["default"].(object); got["$ref"] != "#/components/responses/Error" {
					t.Errorf("%s %s: default is %v", method, path, got)
				}
			}
		}
		if got := at("/components/responses/Error/content/application~1problem+json/schema")["$ref"]; got != "#/components/schemas/ConsentError" {
			t.Errorf("the default is %v", got)
		}
	})
}

// Generators make names of code out of these, some without regard to case and
// punctuation, in one package.
func TestDocument_HasNoNamesThatCollide(t *testing.T) {
	eachVersion(t, func(t *testing.T, v version) {
		root, at := v.root, v.at
		seen := map[string]string{}
		add := func(kind, name string) {
			folded := strings.Map(func(r rune) rune {
				if unicode.IsLetter(r) || unicode.IsDigit(r) {
					return unicode.ToLower(r)
				}
				return -1
			}, name)
			if other, ok := seen[folded]; ok {
				t.Errorf("%s %s and %s", kind, name, other)
			}
			seen[folded] = kind + " " + name
		}
		for name := range at("/components/schemas") {
			add("schema", name)
		}
		for name := range at("/components/securitySchemes") {
			add("security scheme", name)
		}
		for _, item := range root["paths"].(object) {
			for _, op := range item.(object) {
				id := op.(object)["operationId"].(string)
				for _, suffix := range []string{"", "Response", "Params", "JSONBody", "Data", "Error", "Errors"} {
					add("operation", id+suffix)
				}
			}
		}
	})
}
