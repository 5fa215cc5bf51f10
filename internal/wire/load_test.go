package wire

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// library returns the text of a contract that has one of each thing that this package
// reads.
func library(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/library.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// libraryRules returns the text of the rules of that contract.
func libraryRules(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/library-rules.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func load(t testing.TB) *Contract {
	t.Helper()
	c, err := Load([]byte(library(t)), []byte(libraryRules(t)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoad_ReadsOperations(t *testing.T) {
	c := load(t)
	if c.Version() != "2.1" || string(c.Text()) != library(t) {
		t.Errorf("version %q, %d bytes", c.Version(), len(c.Text()))
	}
	var got []string
	for _, op := range c.Operations() {
		got = append(got, fmt.Sprintf("%s %s: credential %d, versioned %v, idempotent %v, query %v",
			op.ID, op.Route(), op.Credential, op.Versioned, op.Idempotent, op.QueryParameters()))
		if found := c.Operation(op.ID); found == nil || found.Route() != op.Route() {
			t.Errorf("Operation(%q) is %+v", op.ID, found)
		}
	}
	want := []string{
		"getHours GET /hours: credential 0, versioned false, idempotent false, query []",
		"listLoans GET /loans: credential 1, versioned true, idempotent false, query [reader limit cursor late state]",
		"createLoan POST /loans: credential 3, versioned true, idempotent true, query []",
		"endLoan DELETE /loans/{id}: credential 2, versioned false, idempotent false, query []",
		"putPage PUT /loans/{id}/page: credential 2, versioned false, idempotent false, query []",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if c.Operation("getLoan") != nil {
		t.Error("an operation that is not declared")
	}
}

func TestLoad_RefusesBrokenDocuments(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"{\n", "[\n", "OpenAPI document"},
		{`"version": "2.1"`, `"version": ""`, "no info.version"},
		{`"operationId": "endLoan"`, `"operationId": "getHours"`, "not unique"},
		{`"operationId": "endLoan"`, `"operationid": "endLoan"`, "missing"},
		{`"security": [{ "session": [] }]`, `"security": [{ "cookie": [] }]`, `unknown security scheme "cookie"`},
		{`"scheme": "bearer"`, `"scheme": "basic"`, `unknown security scheme "session"`},
		{`"in": "header", "name": "authorization-token"`, `"in": "query", "name": "authorization-token"`, `unknown security scheme "apiKey"`},
		{`"security": []`, `"tags": []`, "no security"},
		{`"#/components/schemas/Loan"`, `"#/components/schemas/Gone"`, "POST /loans"},
		{`"MAP": "#/components/schemas/Map"`, `"MAP": "#/components/schemas/Gone"`, "Gone"},
		{`"MAP": "#/components/schemas/Map"`, `"MAP": 7`, "mapping"},
		{`"code": "INVALID"`, `"code": "WRONG"`, `unknown code "WRONG"`},
		{`"x-max-body": 262144`, `"x-max-body": 0`, "x-max-body"},
		{`"x-max-body": 262144`, `"x-max-body": "1 MiB"`, "x-max-body"},
		{`"maximum": 200`, `"maximum": "200"`, "GET /loans"},
	} {
		text := strings.Replace(library(t), tc.old, tc.new, 1)
		if _, err := Load([]byte(text), []byte(libraryRules(t))); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s for %s: want %q, got %v", tc.new, tc.old, tc.want, err)
		}
	}
}

func TestCredential_Has(t *testing.T) {
	if !Either.Has(APIKey) || !Either.Has(Session) || APIKey.Has(Session) || APIKey.Has(Either) || None.Has(APIKey) {
		t.Error("wrong set")
	}
}
