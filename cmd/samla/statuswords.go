package main

// statusWords say what a final status of a collection or a code of a failed consent means,
// and what to do next (docs/reference/api.md 4.1, 5.7).
var statusWords = map[string]string{
	"COMPLETED":                           "Everything was read.",
	"COMPLETED_PARTIAL":                   "A part could not be read; the rest is there. Collect again later for all of it.",
	"COMPLETED_EMPTY":                     "The institution has nothing of this person.",
	"FAILED":                              "It failed for a reason that is not known. Try again.",
	"THIRD_PARTY_ERROR":                   "The institution's system failed. It is the institution's turn: try again later.",
	"ACCOUNT_TEMPORARILY_LOCKED":          "The institution has locked the person's account for a while. Wait, and try again.",
	"AUTHENTICATION_ERROR":                "The login failed. Start again.",
	"INCORRECT_CREDENTIALS":               "What was entered is wrong. Start again with the right numbers.",
	"AUTHENTICATION_TIMEOUT":              "The person did not finish in time. Start again.",
	"AUTHENTICATION_CANCELLED":            "The person cancelled. Start again, if it was not meant.",
	"AUTHENTICATION_CONFLICT":             "Another login of the same person is going on. Finish or cancel that one, wait a minute, and start again.",
	"AUTHENTICATION_MISMATCH":             "Another person signed than was named. Start again with the right person.",
	"AUTHENTICATION_FAILED":               "The signature failed. Start again.",
	"TWO_FACTOR_METHOD_SELECTION_TIMEOUT": "No method was chosen in time. Start again.",
	"COLLECTION_INPUT_TIMEOUT":            "What was asked for was not given in time. Start again.",
	"KYC_FORM":                            "The institution wants its form about the customer filled in first: the person does that at the institution.",
	"CONTACT_FORM":                        "The institution wants contact details first: the person gives them at the institution.",
	"CUSTOMER_ENROLLMENT_REQUIRED":        "The person is no customer there yet, and has to become one first.",
	"LOGIN_METHOD_NOT_APPLICABLE":         "The login method does not fit. Choose another one with --login-method.",
	"CONSENT_REJECTED":                    "The person or the bank refused. Start again, if it was not meant.",
	"BANK_UNAVAILABLE":                    "The bank was not reached. It is the bank's turn: try again later.",
	"BANK_ERROR":                          "The bank answered with a fault. It is the bank's turn: try again later.",
	"INTERNAL_ERROR":                      "The server failed. Its operator finds the reason in its log.",
}

// statusText returns what a status means; empty: nothing to say.
func statusText(status string) string { return statusWords[status] }
