package v20260401_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"samla/internal/jsontext"
)

// The files of testdata are the examples of docs/reference/api.md (by section) and of
// docs/reference/products.md 4, verbatim. Readers must accept them. This server
// writes some of them in another form.
var documented = []struct {
	file    string
	schema  string
	differs string // what this server writes differently, or empty
	lacks   string // the member whose absence makes even readers refuse it, or empty
}{
	{file: "1.6-problem", schema: "ConsentError"},
	{file: "3.1-user", schema: "UserResponse"},
	{file: "3.2-create-user", schema: "CreateUserRequest"},
	{file: "4.1-consent", schema: "Consent", differs: "expiresAt without milliseconds"},
	{file: "4.1-scope", schema: "ConsentScope"},
	{file: "4.1-awaiting", schema: "ConsentStatusResponse", differs: "times without milliseconds"},
	{file: "4.1-failed", schema: "ConsentStatusResponse", differs: "times without milliseconds"},
	{file: "4.3-create-consent", schema: "CreateConsentRequest"},
	{file: "4.3-with-bankid", schema: "CreateConsentRequest"},
	{file: "4.5-revoked", schema: "ConsentStatusResponse", differs: "times without milliseconds"},
	{file: "5.1-status", schema: "CollectionStatusResponse"},
	{file: "5.1-status-2025", schema: "CollectionStatusResponse", lacks: "pollingInterval", differs: "the older version"},
	{file: "5.1-summary", schema: "CollectionSummary", differs: "createdAt without zone"},
	{file: "5.2-initiate", schema: "InitiateCollectionRequest"},
	{file: "5.2-empty-list", schema: "InitiateCollectionRequest"},
	{file: "5.2-initiated", schema: "CollectionStatusResponse"},
	{file: "5.3-stored-consent", schema: "CollectionParameter"},
	{file: "5.5-extra-information", schema: "CollectionStatusInformationMap"},
	{file: "5.8-code", schema: "SupplementInformation"},
	{file: "5.8-input", schema: "SupplementInformation"},
	{file: "9.5-instructions", schema: "CollectionStatusInformationMap/properties/INSTRUCTIONS_V2"},
	{file: "9.5-response", schema: "SupplementInformation"},
	{file: "6.1-availability", schema: ""}, // an array: the schema is that of the response
	{file: "products-4-savings", schema: "FinancialProduct", differs: "createdAt without milliseconds"},
	{file: "products-4-card", schema: "FinancialProduct", differs: "createdAt without milliseconds"},
	{file: "products-4-checking", schema: "FinancialProduct", differs: "createdAt without milliseconds"},
	{file: "products-4-transaction", schema: "Psd2Transaction", differs: "createdAt without milliseconds"},
}

func readExample(t *testing.T, name string) any {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	v, serr := jsontext.Parse(string(raw))
	if serr != nil {
		t.Fatal(name, serr)
	}
	return v
}

func TestSchemas_AcceptDocumentedExamples(t *testing.T) {
	c := contract(t)
	for _, tc := range documented {
		at := "/components/schemas/" + tc.schema
		if tc.schema == "" {
			at = "/paths/~1companies~1availability/get/responses/200/content/application~1json/schema"
		}
		reading, err := c.ReadSchema(at)
		if err != nil {
			t.Fatal(err)
		}
		writing, err := c.WrittenSchema(at)
		if err != nil {
			t.Fatal(err)
		}
		v := readExample(t, tc.file)
		if err := reading.Validate(v); tc.lacks == "" && err != nil {
			t.Errorf("%s: %v", tc.file, err)
		} else if tc.lacks != "" && (err == nil || !strings.Contains(err.Error(), tc.lacks)) {
			t.Errorf("%s: %s its absence is not reported: %v", tc.file, tc.lacks, err)
		}
		if strings.HasSuffix(tc.schema, "Request") {
			continue // this server never writes it
		}
		if err := writing.Validate(v); (err != nil) != (tc.differs != "") {
			t.Errorf("%s: in the written form: %v, want %q", tc.file, err, tc.differs)
		}
	}
}

func TestReadBody_AcceptsDocumentedRequests(t *testing.T) {
	for file, op := range map[string]string{
		"3.2-create-user": "createUser", "4.3-create-consent": "createConsent", "4.3-with-bankid": "createConsent",
		"5.2-initiate": "initiateCollection", "5.2-empty-list": "initiateCollection",
		"5.8-code": "addSupplementInformation", "5.8-input": "addSupplementInformation", "9.5-response": "addSupplementInformation",
	} {
		raw, err := os.ReadFile("testdata/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(raw))
		r.Header.Set("Content-Type", "application/json")
		if _, f := contract(t).Operation(op).ReadBody(r); f != nil {
			t.Errorf("%s: %v %v", file, f, f.Fields)
		}
	}
}
