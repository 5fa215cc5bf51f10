package v20250101

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"samla/internal/wire/docdiff"
	"samla/internal/wire/wiretest"
)

func loaded(t testing.TB) *wiretest.Contract {
	t.Helper()
	version, err := Contract()
	if err != nil {
		t.Fatal(err)
	}
	c, err := wiretest.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The routes of docs/reference/products.md 10.1, and the operations of a node.
func TestDocument_DeclaresOperations(t *testing.T) {
	want := `
GET /.well-known/jwks.json getJwks 0
GET /companies/availability getCompanyAvailability 3
GET /healthz getHealth 0
GET /openapi.json getOpenApi 0
GET /readyz getReadiness 0
GET /wealth/collection/{collectionId}/data getWealthData 3
GET /wealth/collection/{collectionId}/status getCollectionStatus 3
GET /wealth/public-pension-collection getPublicPension 2
POST /wealth/collection initiateCollection 3
POST /wealth/collection/{collectionId}/supplement-info addSupplementInformation 3`
	var lines []string
	for _, op := range loaded(t).Operations() {
		lines = append(lines, fmt.Sprint(op.Route(), " ", op.ID, " ", op.Credential))
	}
	slices.Sort(lines)
	if got := "\n" + strings.Join(lines, "\n"); got != want {
		t.Errorf("got%s", got)
	}
}

// A client of what was published is not broken.
func TestDocument_BreaksNoClient(t *testing.T) {
	docdiff.CheckPublished(t, "testdata/published/openapi.json", loaded(t).Text())
}
