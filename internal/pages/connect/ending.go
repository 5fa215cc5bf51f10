package connect

import (
	"slices"
	"strings"

	"samla/internal/collection"
	"samla/internal/consent"
)

// ending is how a failure is shown: its texts, whose turn it is, and the next steps.
type ending struct {
	Key string // of the texts of a link or of what is done
	// Title and Body are the keys of the texts of a failure.
	Title, Body string
	Turn        string // key of whose turn it is
	Main        string // again, other, method, restart, institution: the main action
	Side        string // another one, or ""
	Late        bool   // the main action is of use after a minute only
}

// endings are the failures (docs/pages.md, "Ends"). Those that are missing are ours.
var endings = map[string]ending{
	"FAILED":                              {Turn: "turn.wait", Main: "again", Side: "other"},
	"THIRD_PARTY_ERROR":                   {Turn: "turn.institution", Main: "again", Side: "other"},
	"BANK_ERROR":                          {Turn: "turn.institution", Main: "again", Side: "other"},
	"BANK_UNAVAILABLE":                    {Turn: "turn.institution", Main: "other", Side: "again"},
	"ACCOUNT_TEMPORARILY_LOCKED":          {Turn: "turn.institution", Main: "other"},
	"AUTHENTICATION_ERROR":                {Turn: "turn.institution", Main: "again", Side: "method"},
	"AUTHENTICATION_FAILED":               {Turn: "turn.institution", Main: "again", Side: "method"},
	"INCORRECT_CREDENTIALS":               {Turn: "turn.you", Main: "again", Side: "method"},
	"AUTHENTICATION_TIMEOUT":              {Turn: "turn.you", Main: "restart", Side: "method"},
	"TWO_FACTOR_METHOD_SELECTION_TIMEOUT": {Turn: "turn.you", Main: "restart", Side: "method"},
	"COLLECTION_INPUT_TIMEOUT":            {Turn: "turn.you", Main: "restart", Side: "method"},
	"AUTHENTICATION_CANCELLED":            {Turn: "turn.none", Main: "restart", Side: "other"},
	"AUTHENTICATION_CONFLICT":             {Turn: "turn.you", Main: "again", Late: true},
	"AUTHENTICATION_MISMATCH":             {Turn: "turn.you", Main: "again"},
	"KYC_FORM":                            {Turn: "turn.you", Main: "again", Side: "other"},
	"CONTACT_FORM":                        {Turn: "turn.you", Main: "again", Side: "other"},
	"CUSTOMER_ENROLLMENT_REQUIRED":        {Turn: "turn.you", Main: "again", Side: "other"},
	"LOGIN_METHOD_NOT_APPLICABLE":         {Turn: "turn.you", Main: "method", Side: "other"},
	"CONSENT_REJECTED":                    {Turn: "turn.institution", Main: "again", Side: "other"},
	"CONSENT_EXPIRED":                     {Turn: "turn.you", Main: "restart"},
	"CONSENT_REVOKED":                     {Turn: "turn.you", Main: "restart"},
	"INTERNAL_ERROR":                      {Turn: "turn.us", Main: "again"},
}

// endingOf returns how a failure is shown. code is a consent.FailureCode or a
// collection.Status.
func endingOf(code string) ending {
	e, known := endings[code]
	key := "ce.INTERNAL_ERROR"
	switch {
	case !known:
		e = endings["INTERNAL_ERROR"]
	case slices.Contains(consent.FailureCodes(), consent.FailureCode(code)):
		key = "ce." + code
	case strings.HasPrefix(code, "CONSENT_"):
		e.Title, e.Body = "st.FAILED.title", "he."+code
		return e
	case collection.Status(code).Class() != collection.Unknown:
		key = "st." + code
	}
	e.Title, e.Body = key+".title", key+".body"
	return e
}
