package v20260401_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	v20260401 "samla/internal/api/v20260401"
	"samla/internal/fault"
	"samla/internal/wire"
	"samla/internal/wire/wiretest"
)

func contract(t testing.TB) *wiretest.Contract {
	t.Helper()
	version, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	c, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// object is a JSON object of the document.
type object = map[string]any

// document returns the decoded document, and a function that returns the object at a
// JSON Pointer, after references.
func document(t testing.TB) (root object, at func(pointer string) object) {
	t.Helper()
	return decode(t, contract(t).Text())
}

// rules returns the same of the document with its rules.
func rules(t testing.TB) (root object, at func(pointer string) object) {
	t.Helper()
	text, err := contract(t).Strict()
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, text)
}

func decode(t testing.TB, text []byte) (root object, at func(pointer string) object) {
	t.Helper()
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	at = func(pointer string) object {
		n := root
		for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			n, _ = n[strings.ReplaceAll(token, "~1", "/")].(object)
			if ref, ok := n["$ref"].(string); ok && token != "schema" {
				n = at(strings.TrimPrefix(ref, "#"))
			}
		}
		return n
	}
	return root, at
}

func TestDocument_IsOpenAPI(t *testing.T) {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(contract(t).Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(loader.Context); err != nil {
		t.Fatal(err)
	}
	if doc.Info.Version != v20260401.Version {
		t.Errorf("version %q", doc.Info.Version)
	}
}

// Routes 1-19 and 21 of docs/reference/api.md section 2, the other path of
// route 14, and the operations of a node.
func TestDocument_DeclaresOperations(t *testing.T) {
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
POST /collections/{collectionId}/supplement-info addSupplementInformation 3 204 body
POST /consents createConsent 2 201 idempotent body
POST /users createUser 1 201 idempotent body
POST /users/{userUuid}/sessions createSession 1 201 idempotent`)
	_, at := document(t)
	var lines []string
	for _, op := range contract(t).Operations() {
		declared := at("/paths/" + strings.ReplaceAll(op.Pattern, "/", "~1") + "/" + strings.ToLower(op.Method))
		line := fmt.Sprint(op.Route(), " ", op.ID, " ", op.Credential)
		for _, status := range []string{"200", "201", "204"} {
			if declared["responses"].(object)[status] != nil {
				line += " " + status
			}
		}
		for _, mark := range []struct {
			on   bool
			name string
		}{{slices.Contains(op.QueryParameters(), "cursor"), " paged"}, {op.Idempotent, " idempotent"}, {declared["requestBody"] != nil, " body"}} {
			if mark.on {
				line += mark.name
			}
		}
		if op.Versioned != (op.Credential != wire.None) {
			t.Errorf("%s: versioned %v", op.ID, op.Versioned)
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
}

// Every code of the closed set is declared, at its status, and no other code is. Those
// of no operation are declared by the response Error. The description of a response
// explains each code that the rules allow.
func TestDocument_DeclaresEveryCode(t *testing.T) {
	_, at := rules(t)
	declared := map[fault.Code]bool{}
	for _, code := range []fault.Code{fault.NotFound, fault.MethodNotAllowed, fault.MalformedRequest, fault.ExpectationFailed} {
		text, _ := at("/components/responses/Error")["description"].(string)
		declared[code] = strings.Contains(text, string(code))
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
	for _, op := range contract(t).Operations() {
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
	for _, code := range fault.Codes() {
		if !declared[code] {
			t.Errorf("%s is not declared", code)
		}
	}
}

func TestDocument_UsesEveryComponent(t *testing.T) {
	_, at := document(t)
	text := string(contract(t).Text())
	for _, kind := range []string{"schemas", "parameters", "headers", "responses"} {
		for name := range at("/components/" + kind) {
			if !strings.Contains(text, `"#/components/`+kind+`/`+name+`"`) {
				t.Errorf("%s/%s is not used", kind, name)
			}
		}
	}
}

// A client needs no other text than the document.
func TestDocument_DescribesEverything(t *testing.T) {
	_, at := document(t)
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
}
