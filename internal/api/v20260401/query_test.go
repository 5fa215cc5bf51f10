package v20260401_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckQuery_ReportsInvalidParameters(t *testing.T) {
	for _, tc := range []struct{ op, query, want string }{
		{"findUserByExternalId", "externalId=a%20b", "ok"},
		{"findUserByExternalId", "", "?externalId REQUIRED"},
		{"findUserByExternalId", "externalId=", "?externalId REQUIRED"},
		{"findUserByExternalId", "externalId=a&externalId=b", "?externalId INVALID"},
		{"findUserByExternalId", "externalId=" + strings.Repeat("x", 256), "?externalId TOO_LONG"},
		{"getCollections", "", "ok"},
		{"getCollections", "unknown=1&limit=200&cursor=abc&latest=false", "ok"},
		{"getCollections", "limit=1", "ok"},
		{"getCollections", "limit=0", "?limit INVALID"},
		{"getCollections", "limit=201", "?limit INVALID"},
		{"getCollections", "limit=-1", "?limit INVALID"},
		{"getCollections", "limit=1.5", "?limit INVALID"},
		{"getCollections", "limit=", "?limit INVALID"},
		{"getCollections", "limit=1e1000000000", "?limit INVALID"},
		{"getCollections", "limit=99999999999999999999", "?limit INVALID"},
		{"getCollections", "limit=5&limit=6", "?limit INVALID"},
		{"getCollections", "cursor=", "?cursor INVALID"},
		{"getCollections", "latest=yes&statusIn=NONE&limit=x", "?latest INVALID, ?statusIn INVALID, ?limit INVALID"},
		{"getCollections", "statusIn=COMPLETED,FAILED&statusIn=RUNNING", "ok"},
		{"getCollections", "statusIn[]=COMPLETED&statusIn%5B%5D=FAILED&statusIn=RUNNING", "ok"},
		{"getCollections", "statusIn[]=NONE", "?statusIn INVALID"},
		{"getCollections", "other[]=NONE&latest[]=x", "ok"},
		{"getCollections", "statusIn=COMPLETED,", "?statusIn INVALID"},
		{"getCollections", "statusIn=completed", "?statusIn INVALID"},
		{"getCollectionsByUser", "latest=1", "?latest INVALID"},
		{"getConsents", "latest=1", "ok"}, // not a parameter of this operation
		{"getConsents", "limit=a", "?limit INVALID"},
		{"getWealthData", "limit=a", "ok"}, // not paged (docs/reference/api.md 5.9)
	} {
		q, err := url.ParseQuery(tc.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcome(contract(t).Operation(tc.op).CheckQuery(q)); got != tc.want {
			t.Errorf("%s %.80s: got %s, want %s", tc.op, tc.query, got, tc.want)
		}
	}
}
