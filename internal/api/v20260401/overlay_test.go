package v20260401_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"samla/internal/jsontext"
)

// published returns the schemas of the request bodies of the document that clients read,
// as a validator sees them that knows JSON Schema and nothing of this server: oneOf
// means exactly one, and formats are asserted. An id may be any text
// (docs/reference/api.md 1.1).
func published(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(contract(t).Text()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.RegisterFormat(&jsonschema.Format{Name: "uuid", Validate: func(any) error { return nil }})
	if err := c.AddResource("samla:///published.json", root); err != nil {
		t.Fatal(err)
	}
	all := map[string]*jsonschema.Schema{}
	for op, path := range map[string]string{"createUser": "users", "createConsent": "consents", "initiateCollection": "collections",
		"addSupplementInformation": "collections~1{collectionId}~1supplement-info"} {
		at := "samla:///published.json#/paths/~1" + path + "/post/requestBody/content/application~1json/schema"
		if all[op], err = c.Compile(at); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// accepted reports whether the rules accept a body, and returns an error if they do and
// the document does not.
func accepted(schemas map[string]*jsonschema.Schema, op, body string) (bool, error) {
	if _, f := read(op, body); f != nil {
		return false, nil
	}
	value, serr := jsontext.Parse(body)
	if serr != nil {
		return true, serr
	}
	return true, schemas[op].Validate(value)
}

// What the rules accept, the document accepts: a client that keeps to the document is
// only refused for what its description says.
func TestDocument_AcceptsWhatTheRulesAccept(t *testing.T) {
	schemas := published(t)
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom(withBody).Draw(t, "op")
		body := drawRequest(t, op)
		if rapid.Bool().Draw(t, "broken") {
			breakOne(t, body)
		}
		raw, _ := json.Marshal(body)
		ok, err := accepted(schemas, op, string(raw))
		if err != nil {
			t.Fatalf("%s %s: %v", op, raw, err)
		}
		if !ok {
			refused++
		}
	})
	if refused == 0 {
		t.Error("the rules refuse nothing")
	}
}

func FuzzDocument_AcceptsWhatTheRulesAccept(f *testing.F) {
	for _, body := range []string{
		`{"externalId":"a"}`, consent(ais), consent(ais + "," + bankid), consent(aisWith(`"validUntil":null,"accountIds":null`)),
		`{"company":"c","loginMethod":"EMAIL","parameters":null}`, `{"company":"c","parameters":[` + stored + `]}`,
		`{"type":"TWO_FACTOR_CODE","value":"1","questionId":null}`, `{"type":"COLLECTION_INPUT","values":{"EMAIL":"a"}}`, `{"type":"RESPONSE_OBJECT","headers":{"a":["b"]},"response":0}`,
		`{"company":"c","loginMethod":"m","parameters":[` + bankid + `,{"type":"EMAIL","email":"a@b.example"},{"type":"FILTER","accountIds":["a"]}]}`,
	} {
		f.Add(body)
	}
	schemas := published(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range withBody {
			if _, err := accepted(schemas, op, body); err != nil {
				t.Errorf("%s %s: %v", op, body, err)
			}
		}
	})
}

// The rules are needed: each of these bodies is valid in the document alone.
func TestRules_RefuseWhatTheDocumentCannotSay(t *testing.T) {
	schemas := published(t)
	for _, tc := range []struct{ op, body, want string }{
		{"createConsent", consent(bankid), "/parameters REQUIRED"},
		{"createConsent", consent(ais + "," + ais), "/parameters/1 NOT_ALLOWED"},
		{"createConsent", consent(`{"type":"PSD2_AIS_CONSENT","psuIpAddress":"x"}`), "/parameters/0/psuIpAddress INVALID"},
		{"createConsent", consent(aisWith(`"balances":false,"transactions":false`)), "/parameters/0/transactions INVALID"},
		{"createConsent", strings.Replace(consent(ais+","+bankid), loginAs+",", "", 1), "/loginMethod REQUIRED"},
		{"initiateCollection", `{"company":"c"}`, "/loginMethod REQUIRED"},
		{"initiateCollection", `{"company":"c","parameters":[` + stored + `,` + ais + `]}`, "/parameters/1 NOT_ALLOWED"},
		{"addSupplementInformation", `{"type":"COLLECTION_INPUT","values":{}}`, "/values REQUIRED"},
		{"addSupplementInformation", `{"type":"RESPONSE_OBJECT","headers":{"a":7}}`, "/headers/a INVALID"},
	} {
		value, serr := jsontext.Parse(tc.body)
		if serr != nil {
			t.Fatal(serr)
		}
		if err := schemas[tc.op].Validate(value); err != nil {
			t.Errorf("%s: the document refuses it: %v", tc.body, err)
		}
		if _, f := read(tc.op, tc.body); outcome(f) != tc.want {
			t.Errorf("%s: %s", tc.body, outcome(f))
		}
	}
}

// An id that is no UUID is one that does not exist: the operation answers.
func TestReadBody_AcceptsAnyTextAsID(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"company":"c","parameters":[{"type":"STORED_CONSENT","consentId":"none"}]}`))
	r.Header.Set("Content-Type", "application/json")
	if _, f := contract(t).Operation("initiateCollection").ReadBody(r); f != nil {
		t.Errorf("%v %v", f, f.Fields)
	}
}
