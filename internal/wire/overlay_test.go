package wire

import (
	"strings"
	"testing"
)

// Rules narrow what the document says, and cannot contradict it or outlive a part of it.
func TestLoad_RefusesRulesThatDoNotFit(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"{\n", "[\n", "overlay"},
		{`"overlay": "1.0.0"`, `"overlay": "2.0.0"`, `version "2.0.0"`},
		{`"target": "$"`, `"target": "$.components"`, "does not update $"},
		{`"target": "$"`, `"target": "$", "remove": true`, "does not update $"},
		{`"message": "must be 3 digits"`, `"text": "must be 3 digits"`, "no message"},

		// Of something that the document does not have.
		{`"Book":`, `"Film":`, "/components/schemas/Film is not in the document"},
		{`"isbn":`, `"title":`, "/components/schemas/Book/properties/title is not in the document"},
		{`"isbn":`, `"not":`, "/components/schemas/Book/properties/not is not in the document"},
		{`"components":`, `"component":`, "/component is not in the document"},
		{`"components": {`, `"components": { "parameters": { "Version": { "required": true } },`, "/components/parameters/Version/required is not in the document"},

		// A keyword that the document has, or that does not narrow.
		{`"maxContains": 1`, `"type": ["array", "null"]`, "/items/type is replaced"},
		{`"reader": { `, `"reader": { "maxLength": 4, `, "/reader/maxLength is replaced"},
		{`"maxContains": 1`, `"description": "Books."`, "/items/description is not in the document"},
		{`"maxContains": 1`, `"discriminator": {}`, "/items/discriminator is not in the document"},
	} {
		rules := strings.Replace(libraryRules(t), tc.old, tc.new, 1)
		if _, err := Load([]byte(library(t)), []byte(rules)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s for %s: want %q, got %v", tc.new, tc.old, tc.want, err)
		}
	}
}

// update returns rules with one update.
func update(value string) []byte {
	return []byte(`{"overlay":"1.0.0","actions":[{"target":"$","update":` + value + `}]}`)
}

// Beside a reference, an update names properties of the schema that is referred to.
func TestLoad_AddsPropertiesBesideReference(t *testing.T) {
	at := `{"paths":{"/loans":{"post":{"requestBody":{"content":{"application/json":{"schema":{"properties":{%}}}}}}}}}`
	c, err := Load([]byte(library(t)), update(strings.Replace(at, "%", `"reader":{"maxLength":2}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, f := c.Operation("createLoan").ReadBody(post(`{"reader":"Bo!","items":[]}`)); outcome(f) != "/reader TOO_LONG must be at most 2 characters" {
		t.Error(outcome(f))
	}
	if _, err := Load([]byte(library(t)), update(strings.Replace(at, "%", `"writer":{"maxLength":2}`, 1))); err == nil || !strings.Contains(err.Error(), "writer is not in #/components/schemas/Loan") {
		t.Error(err)
	}
}

// Several actions and several overlays apply one after the other; the text that
// clients read stays as it is.
func TestLoad_AppliesOverlaysInOrder(t *testing.T) {
	one := update(`{"components":{"schemas":{"Map":{"minProperties":2}}}}`)
	two := update(`{"components":{"schemas":{"Map":{"x-rule":{"message":"must say more"}}}}}`)
	c, err := Load([]byte(library(t)), []byte(libraryRules(t)), one, two)
	if err != nil {
		t.Fatal(err)
	}
	if _, f := c.Operation("createLoan").ReadBody(post(loan(book+`,{"type":"MAP"}`, ""))); outcome(f) != "/items/1 INVALID must say more" {
		t.Error(outcome(f))
	}
	strict, err := c.Strict()
	if err != nil || !strings.Contains(string(strict), `"minProperties":2`) || string(c.Text()) != library(t) {
		t.Errorf("%v: %s", err, strict)
	}
	if _, err := Load([]byte(library(t)), one, one); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("the same rule twice: %v", err)
	}
}
