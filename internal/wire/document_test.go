package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"samla/internal/fault"
)

func mustLoad(t testing.TB) *Contract {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// An independent reader of OpenAPI 3.1 accepts the document, its examples
// included.
func TestDocumentIsOpenAPI(t *testing.T) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(Document())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(loader.Context); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Version != Version {
		t.Errorf("version %q", doc.Info.Version)
	}
}

// Routes 1-15, 17-19 and 21 of docs/reference/api.md section 2, the alias of 14, and the
// server's own.
func TestOperations(t *testing.T) {
	want := strings.TrimSpace(`
DELETE /collections/{collectionId} deleteCollection 3 204
DELETE /consents/{consentId} revokeConsent 2 200
DELETE /users/{userUuid} deleteUser 1 204
GET /.well-known/jwks.json getJwks 0 200
GET /collections getCollections 3 200 paged
GET /collections/{collectionId}/status getCollectionStatus 3 200
GET /collections/{collectionId}/wealth/data getWealthData 3 200
GET /companies/availability getCompanyAvailability 3 200
GET /consents getConsents 2 200 paged
GET /consents/{consentId}/status getConsentStatus 2 200
GET /healthz getHealth 0 200
GET /openapi.json getOpenApi 0 200
GET /readyz getReadiness 0 200
GET /users findUserByExternalId 1 200
GET /users/{id}/collections getCollectionsByUser 1 200 paged
GET /users/{id}/consents getConsentsByUser 1 200 paged
GET /users/{userUuid} getUser 3 200
GET /wealth/collection/{collectionId}/status getWealthCollectionStatus 3 200
POST /collections initiateCollection 3 201 idempotent body
POST /collections/{collectionId}/cancel cancelCollection 3 200
POST /consents createConsent 2 201 idempotent body
POST /users createUser 1 201 idempotent body
POST /users/{userUuid}/sessions createSession 1 201 idempotent`)
	var lines []string
	for _, op := range mustLoad(t).Operations() {
		line := fmt.Sprint(op.Route(), " ", op.ID, " ", op.Credential, " ", op.SuccessStatus)
		for _, mark := range []struct {
			on   bool
			name string
		}{{op.Paged, " paged"}, {op.Idempotent, " idempotent"}, {op.HasBody(), " body"}} {
			if mark.on {
				line += mark.name
			}
		}
		if op.Versioned != (op.Credential != None) {
			t.Errorf("%s: versioned %v", op.ID, op.Versioned)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestFind(t *testing.T) {
	c := mustLoad(t)
	for route, want := range map[string]string{
		"GET /consents/1/status": "getConsentStatus", "POST /users/7/sessions": "createSession",
		"GET /users/7": "getUser", "PATCH /users/7": "", "GET /nowhere": "",
	} {
		method, path, _ := strings.Cut(route, " ")
		r, _ := http.NewRequest(method, path, nil)
		got := ""
		if op := c.Find(r); op != nil {
			got = op.ID
		}
		if got != want {
			t.Errorf("%s: %q", route, got)
		}
	}
}

// Every schema with examples accepts them.
func TestExamplesOfDocument(t *testing.T) {
	c := mustLoad(t)
	open, err := newSchemas(c.tree.root)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, s := range c.tree.object("/components/schemas") {
		schema, err := open.compile("/components/schemas/" + name)
		if err != nil {
			t.Fatal(err)
		}
		examples, _ := s.(map[string]any)["examples"].([]any)
		for i, ex := range examples {
			n++
			if err := schema.Validate(ex); err != nil {
				t.Errorf("%s example %d: %v", name, i, err)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d examples", n)
	}
}

// Every code of the closed set is declared somewhere, at its status; none is
// declared that does not exist.
func TestCodesOfDocument(t *testing.T) {
	c := mustLoad(t)
	declared := map[fault.Code]bool{}
	note := func(pointer string, status float64) {
		props := c.tree.object(pointer + "/content/application~1problem+json/schema/properties")
		if props == nil {
			return
		}
		code := props["code"].(map[string]any)
		list, _ := code["enum"].([]any)
		if one, ok := code["const"]; ok {
			list = []any{one}
		}
		for _, v := range list {
			fc := fault.Code(v.(string))
			declared[fc] = true
			if !slices.Contains(fault.Codes(), fc) || float64(fault.Of(fc).Status) != status {
				t.Errorf("%s: %s at %v", pointer, fc, status)
			}
		}
	}
	for _, op := range c.Operations() {
		for status := range c.tree.object(op.at + "/responses") {
			var n float64
			_ = json.Unmarshal([]byte(status), &n)
			note(op.at+"/responses/"+status, n)
		}
	}
	note("/components/responses/NotFound", 404)
	note("/components/responses/MethodNotAllowed", 405)
	for _, code := range fault.Codes() {
		if !declared[code] {
			t.Errorf("%s is declared nowhere", code)
		}
	}
}

// Nothing in the document is left over, and every x-rule can be told to callers.
func TestComponentsAreUsed(t *testing.T) {
	c := mustLoad(t)
	text := string(Document())
	for _, kind := range []string{"schemas", "parameters", "headers", "responses"} {
		for name := range c.tree.object("/components/" + kind) {
			standalone := name == "NotFound" || name == "MethodNotAllowed" // answers of no operation
			if !standalone && !strings.Contains(text, `"#/components/`+kind+`/`+name+`"`) {
				t.Errorf("%s/%s is used nowhere", kind, name)
			}
		}
	}
	open, err := newSchemas(c.tree.root)
	if err != nil {
		t.Fatal(err)
	}
	codes := []fault.FieldCode{"", fault.Required, fault.Invalid, fault.UnknownType, fault.TooLong, fault.NotSupported, fault.NotAllowed}
	for at, r := range open.rules {
		if r.message == "" || !slices.Contains(codes, r.code) {
			t.Errorf("%s: %+v", at, r)
		}
	}
	if len(open.rules) < 10 {
		t.Errorf("%d rules", len(open.rules))
	}
}

// Operations, parameters and members are described, so that a client needs no
// other text.
func TestEverythingIsDescribed(t *testing.T) {
	c := mustLoad(t)
	for _, op := range c.Operations() {
		if c.tree.text(op.at+"/summary") == "" {
			t.Errorf("%s: no summary", op.ID)
		}
	}
	for name := range c.tree.object("/components/parameters") {
		if c.tree.text("/components/parameters/"+name+"/description") == "" {
			t.Errorf("parameter %s: no description", name)
		}
	}
	for name := range c.tree.object("/components/schemas") {
		at := "/components/schemas/" + name
		if c.tree.text(at+"/description") == "" {
			t.Errorf("%s: no description", name)
		}
		for member, s := range c.tree.object(at + "/properties") {
			s := s.(map[string]any)
			if s["description"] == nil && s["$ref"] == nil && s["const"] == nil && s["items"] == nil && s["enum"] == nil {
				t.Errorf("%s.%s: no description", name, member)
			}
		}
	}
}
