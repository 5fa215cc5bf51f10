package wire

import (
	"net/url"
	"testing"
)

func TestCheckQuery_ReportsInvalidParameters(t *testing.T) {
	op := load(t).Operation("listLoans")
	for query, want := range map[string]string{
		"reader=a%20b": "ok",
		"reader=a&unknown=1&limit=200&cursor=abc&late=false": "ok",
		"":                                       "?reader REQUIRED is missing",
		"reader=":                                "?reader REQUIRED is missing",
		"reader=a&reader=b":                      "?reader INVALID must be given once",
		"reader=abcdef":                          "?reader TOO_LONG must be at most 5 characters",
		"reader=a&limit=0":                       "?limit INVALID must be from 1 to 200",
		"reader=a&limit=201":                     "?limit INVALID must be from 1 to 200",
		"reader=a&limit=1.5":                     "?limit INVALID must be an integer",
		"reader=a&limit=":                        "?limit INVALID must be an integer",
		"reader=a&limit=1e1000000000":            "?limit INVALID must be an integer",
		"reader=a&limit=9999999999999":           "?limit INVALID must be an integer",
		"reader=a&limit=5&limit=6":               "?limit INVALID must be given once",
		"reader=a&cursor=":                       "?cursor INVALID must not be empty",
		"reader=a&late=1":                        "?late INVALID must be a boolean",
		"reader=a&late=yes&state=NONE,X&limit=x": "?limit INVALID must be an integer, ?late INVALID must be a boolean, ?state INVALID is not an allowed value",
		"reader=a&state=OPEN,CLOSED&state=OPEN":  "ok",
		"reader=a&state=OPEN,":                   "?state INVALID is not an allowed value",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := outcome(op.CheckQuery(q)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
}
