package docdiff_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"samla/internal/wire/docdiff"
)

const base = `{
  "paths": {
    "/loans/{id}": { "get": {
      "operationId": "getLoan", "security": [{ "key": [] }, { "session": [] }],
      "parameters": [{ "$ref": "#/components/parameters/Version" }, { "name": "late", "in": "query", "schema": { "type": "boolean" } }],
      "responses": {
        "200": { "description": "x", "headers": { "ETag": { "required": true, "schema": { "type": "string" } } },
          "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Loan" } } } },
        "404": { "description": "x" } } } },
    "/loans": { "post": {
      "operationId": "createLoan", "security": [{ "key": [] }],
      "requestBody": { "required": false, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewLoan" } } } },
      "responses": { "201": { "description": "x" } } } }
  },
  "components": {
    "parameters": { "Version": { "name": "Insurely-Version", "in": "header", "schema": { "type": "string" } } },
    "schemas": {
      "NewLoan": { "type": "object", "required": ["reader"], "properties": {
        "reader": { "type": "string", "minLength": 1, "maxLength": 9 }, "days": { "type": ["integer", "null"], "minimum": 1 },
        "kind": { "type": "string", "enum": ["A", "B"] } } },
      "Loan": { "type": "object", "required": ["id", "status"], "properties": {
        "id": { "type": "string", "format": "uuid" }, "status": { "type": "string", "enum": ["OPEN", "ENDED"] },
        "note": { "type": "string" }, "fee": { "type": "integer", "minimum": 0 },
        "next": { "oneOf": [{ "$ref": "#/components/schemas/Loan" }, { "type": "null" }] },
        "items": { "type": "array", "items": { "$ref": "#/components/schemas/Item" } } } },
      "Item": { "oneOf": [{ "$ref": "#/components/schemas/Book" }, { "$ref": "#/components/schemas/Map" }],
        "discriminator": { "propertyName": "type", "mapping": { "BOOK": "#/components/schemas/Book", "MAP": "#/components/schemas/Map" } } },
      "Book": { "type": "object", "required": ["type"], "properties": { "type": { "type": "string", "enum": ["BOOK"] }, "isbn": { "type": "string", "pattern": "^[0-9]$" } } },
      "Map": { "type": "object", "required": ["type"], "properties": { "type": { "type": "string", "enum": ["MAP"] } }, "additionalProperties": {} }
    }
  }
}`

// compare returns the changes of a document with one text replaced, the breaking ones with
// "! " before them.
func compare(t *testing.T, replace, with string) []string {
	t.Helper()
	if strings.Count(base, replace) != 1 {
		t.Fatalf("%q is not in the document once", replace)
	}
	changes, err := docdiff.Compare([]byte(base), []byte(strings.Replace(base, replace, with, 1)), nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range changes {
		line := c.String()
		if c.Breaking {
			line = "! " + line
		}
		lines = append(lines, line)
	}
	return lines
}

func TestCompare_FindsChanges(t *testing.T) {
	for _, tc := range []struct{ replace, with, want string }{
		{`"404": { "description": "x" }`, `"404": { "description": "other" }`, ``},
		// Operations.
		{`"/loans": {`, `"/lendings": {`, `POST /lendings: is added; ! POST /loans: is removed`},
		{`"operationId": "getLoan"`, `"operationId": "readLoan"`, `! GET /loans/{id}: operationId is readLoan instead of getLoan`},
		{`{ "key": [] }, { "session": [] }`, `{ "key": [] }`, `! GET /loans/{id} credential session: is removed`},
		{`"createLoan", "security": [{ "key": [] }]`, `"createLoan", "security": [{ "key": [] }, { "session": [] }]`, `POST /loans credential session: is added`},
		{`{ "name": "late"`, `{ "required": true, "name": "late"`, `! GET /loans/{id} parameter query late: is required now`},
		{`, { "name": "late", "in": "query", "schema": { "type": "boolean" } }`, ``, `! GET /loans/{id} parameter query late: is removed`},
		{`{ "name": "late"`, `{ "name": "a", "in": "query", "required": true }, { "name": "late"`, `! GET /loans/{id} parameter query a: is added and required`},
		{`{ "name": "late"`, `{ "name": "a", "in": "query" }, { "name": "late"`, `GET /loans/{id} parameter query a: is added`},
		{`"name": "Insurely-Version"`, `"name": "insurely-version"`, ``},
		{`"requestBody": { "required": false`, `"requestBody": { "required": true`, `! POST /loans body: is required now`},
		{`"404": {`, `"410": {`, `! GET /loans/{id} 404: is removed; GET /loans/{id} 410: is added`},
		{`"201": {`, `"201": { "description": "y" }, "202": {`, `! POST /loans 202: is added`},
		{`"ETag": {`, `"Etag2": {`, `! GET /loans/{id} 200 header ETag: is removed; GET /loans/{id} 200 header Etag2: is added`},
		{`"ETag": { "required": true`, `"ETag": { "required": false`, `! GET /loans/{id} 200 header ETag: is optional now`},
		{`"application/json": { "schema": { "$ref": "#/components/schemas/Loan" }`, `"text/json": { "schema": { "$ref": "#/components/schemas/Loan" }`,
			`! GET /loans/{id} 200 application/json: is removed; ! GET /loans/{id} 200 text/json: is added`},
		// What is sent.
		{`"required": ["reader"]`, `"required": ["reader", "days"]`, `! NewLoan.days (request): is required now`},
		{`"required": ["reader"]`, `"required": []`, `NewLoan.reader (request): is optional now`},
		{`"kind": {`, `"sort": {`, `! NewLoan.kind (request): is removed; NewLoan.sort (request): is added`},
		{`["integer", "null"]`, `"integer"`, `NewLoan.days (request): may be null no longer`},
		{`["integer", "null"]`, `["number", "null"]`, `NewLoan.days (request): is null|number instead of integer|null`},
		{`"maxLength": 9`, `"maxLength": 8`, `! NewLoan.reader (request): maxLength is 8 instead of 9`},
		{`"maxLength": 9`, `"maxLength": 10`, `NewLoan.reader (request): maxLength is 10 instead of 9`},
		{`"minLength": 1, `, ``, `NewLoan.reader (request): minLength is nothing instead of 1`},
		{`"minLength": 1`, `"minLength": 1, "pattern": "a"`, `! NewLoan.reader (request): pattern is a instead of nothing`},
		{`"enum": ["A", "B"]`, `"enum": ["A", "C"]`, `! NewLoan.kind (request): value B is removed; NewLoan.kind (request): value C is added`},
		{`"minLength": 1`, `"minLength": 1, "not": {}`, `! NewLoan.reader (request): not is map[] instead of nothing`},
		// What is answered.
		{`"required": ["id", "status"]`, `"required": ["id"]`, `! Loan.status (response): is optional now`},
		{`"required": ["id", "status"]`, `"required": ["id", "status", "note"]`, `Loan.note (response): is required now`},
		{`"note": { "type": "string" }, `, ``, `! Loan.note (response): is removed`},
		{`"note": { "type": "string" }, `, `"note": { "type": ["string", "null"] }, `, `Loan.note (response): may be null now`},
		{`"status": { "type": "string"`, `"status": { "type": ["string", "null"]`, `! Loan.status (response): is null|string instead of string`},
		{`"fee": { "type": "integer"`, `"fee": { "type": "number"`, `! Loan.fee (response): is number instead of integer`},
		{`"fee": { "type": "integer", "minimum": 0`, `"fee": { "type": "integer", "minimum": -1`, `! Loan.fee (response): minimum is -1 instead of 0`},
		{`"fee": { "type": "integer", "minimum": 0`, `"fee": { "type": "integer", "minimum": 1`, `Loan.fee (response): minimum is 1 instead of 0`},
		{`, "format": "uuid"`, ``, `! Loan.id (response): format is nothing instead of uuid`},
		{`"enum": ["OPEN", "ENDED"]`, `"enum": ["OPEN", "LATE"]`, `! Loan.status (response): value ENDED is removed; Loan.status (response): value LATE is added`},
		{`"next": { "oneOf": [{ "$ref": "#/components/schemas/Loan" }, { "type": "null" }] }`, `"next": { "$ref": "#/components/schemas/Loan" }`,
			`Loan.next (response): may be null no longer`},
		{`"items": { "$ref": "#/components/schemas/Item" }`, `"items": { "$ref": "#/components/schemas/Item", "description": "x" }`, ``},
		{`"items": { "$ref": "#/components/schemas/Item" }`, `"items": { "$ref": "#/components/schemas/Item", "properties": {} }`,
			`! Loan.items[] (response): has other keywords beside its reference`},
		{`, "MAP": "#/components/schemas/Map"`, ``, `! Item<MAP> (response): is removed`},
		{`"pattern": "^[0-9]$"`, `"pattern": "^[0-9]+$"`, `! Book.isbn (response): pattern is ^[0-9]+$ instead of ^[0-9]$`},
		{`, "additionalProperties": {}`, ``, `! Map (response): other members have another schema`},
		{`"Map": { "type": "object"`, `"Atlas": {}, "Map": { "type": "object"`, `schema Atlas: is added`},
	} {
		if got := strings.Join(compare(t, tc.replace, tc.with), "; "); got != tc.want {
			t.Errorf("%s for %s:\n got %s\nwant %s", tc.with, tc.replace, got, tc.want)
		}
	}
}

func TestCompare_RenamesPaths(t *testing.T) {
	moved := strings.Replace(base, `"/loans":`, `"/lendings":`, 1)
	changes, err := docdiff.Compare([]byte(base), []byte(moved), map[string]string{"/loans": "/lendings"})
	if err != nil || len(changes) > 0 {
		t.Errorf("%v, %v", changes, err)
	}
	if _, err := docdiff.Compare([]byte(base), []byte("{"), nil); err == nil {
		t.Error("a broken document is compared")
	}
}

// A document is the same as itself, and every operation and schema of it is compared.
func TestCompare_ReadsDocumentsOfTheProject(t *testing.T) {
	text, err := os.ReadFile("../../api/v20260401/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if same, err := docdiff.Compare(text, text, nil); err != nil || len(same) > 0 {
		t.Errorf("%v, %v", same, err)
	}
	changed := strings.ReplaceAll(string(text), `"description": "`, `"description": "New: `)
	if same, err := docdiff.Compare(text, []byte(changed), nil); err != nil || len(same) > 0 {
		t.Errorf("%v, %v", same, err)
	}
	// A type that nothing has replaces each type in turn: all are found.
	for _, kind := range []string{"string", "boolean", "integer", "number"} {
		quoted := `"type": "` + kind + `"`
		for _, at := range places(string(text), quoted) {
			one := string(text[:at]) + `"type": "array"` + string(text[at+len(quoted):])
			changes, err := docdiff.Compare(text, []byte(one), nil)
			if err != nil || len(docdiff.Breaking(changes)) == 0 {
				t.Errorf("a %s at byte %d becomes an array: %v, %v", kind, at, changes, err)
			}
		}
	}
}

// places returns the offsets of some of the occurrences of a text.
func places(text, part string) (offsets []int) {
	for at := 0; ; {
		i := strings.Index(text[at:], part)
		if i < 0 {
			break
		}
		offsets = append(offsets, at+i)
		at += i + len(part)
	}
	return slices.DeleteFunc(offsets, func(at int) bool { return at%7 > 1 })
}
