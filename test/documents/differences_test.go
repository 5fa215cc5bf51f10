package documents

import (
	"slices"
	"strings"
	"testing"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/wire/docdiff"
)

// counterparts are the paths of 2025-01-01 that have other names in 2026-04-01
// (docs/reference/products.md 10.1).
var counterparts = map[string]string{
	"/wealth/collection":                                "/collections",
	"/wealth/collection/{collectionId}/status":          "/collections/{collectionId}/status",
	"/wealth/collection/{collectionId}/data":            "/collections/{collectionId}/wealth/data",
	"/wealth/collection/{collectionId}/supplement-info": "/collections/{collectionId}/supplement-info",
}

// difference is what differs for one reason, a line each.
type difference struct{ why, changes string }

// differences are all differences of 2026-04-01 from 2025-01-01, by the reason for which
// they are meant: what the change logs name (docs/reference/products.md 10), and what is
// ours. Those of the operations that are marked as ours are ourDifferences.
var differences = []difference{
	{"2025-01-01 has no users, sessions, consents or lists (docs/reference/products.md 10.1)", `
		POST /users: is added
		GET /users: is added
		GET /users/{userUuid}: is added
		DELETE /users/{userUuid}: is added
		POST /users/{userUuid}/sessions: is added
		GET /users/{id}/collections: is added
		GET /users/{id}/consents: is added
		POST /consents: is added
		GET /consents: is added
		GET /consents/{consentId}/status: is added
		DELETE /consents/{consentId}: is added
		GET /collections: is added
		schema CreateUserRequest: is added
		schema UserResponse: is added
		schema SessionResponse: is added
		schema CreateConsentRequest: is added
		schema ConsentParameter: is added
		schema Consent: is added
		schema ConsentScope: is added
		schema Psd2AisConsentScope: is added
		schema ConsentStatus: is added
		schema ConsentStatusError: is added
		schema ConsentStatusResponse: is added
		schema AuthInstructions: is added
		schema BankIdAutoStart: is added
		schema BankIdQrCode: is added
		schema RedirectInstructions: is added
		schema UserMessage: is added
		schema SwedishBankIdParameter: is added
		schema CollectionSummary: is added
		ConsentError.userUuid (response): is added
		ConsentError.nextAllowedAt (response): is added
		POST /collections 404: is added`},
	{"members of ours, of 2026-04-01 only (docs/reference/api.md 4.7, 5.11)", `
		CollectionStatusResponse.consentId (response): is added
		CollectionStatusResponse.startsAt (response): is added
		InitiateCollectionRequest.refresh (request): is added
		ConsentError.consentId (response): is added`},
	{"routes of ours, of 2026-04-01 only (docs/reference/api.md 2)", `
		DELETE /collections/{collectionId}: is added
		POST /collections/{collectionId}/cancel: is added
		GET /wealth/collection/{collectionId}/status: is added`},
	{"the public pension has a route at 2025-01-01 only (docs/reference/products.md 8.5)", `
		GET /wealth/public-pension-collection: is removed
		schema PublicPension: is removed`},
	{"a collection has parameters in place of input and consents (docs/reference/products.md 10.2)", `
		InitiateCollectionRequest.input (request): is removed
		InitiateCollectionRequest.consents (request): is removed
		schema ConsentRequestInput: is removed
		InitiateCollectionRequest.parameters (request): is added
		schema CollectionParameter: is added
		schema SwedishBankIdCollectionParameter: is added
		schema Psd2AisConsentParameter: is added
		schema StoredConsentParameter: is added
		schema EmailParameter: is added
		schema DanishMitIdParameter: is added
		schema LoginMethodParameter: is added
		schema FilterParameter: is added`},
	{"loginMethod is a plain string at 2026-04-01, and may be left out (docs/reference/api.md 5.2, 6.3)", `
		InitiateCollectionRequest.loginMethod (request): has any value
		InitiateCollectionRequest.loginMethod (request): is null|string instead of string
		InitiateCollectionRequest.loginMethod (request): is optional now
		InitiateCollectionRequest.loginMethod (request): minLength is 1 instead of nothing`},
	{"a status has pollingInterval at 2026-04-01, and two more values (docs/reference/products.md 10.2)", `
		CollectionStatusResponse.pollingInterval (response): is added and required
		CollectionStatus (response): value AUTHENTICATION_ERROR is added
		CollectionStatus (response): value LOGIN_METHOD_NOT_APPLICABLE is added`},
	{"accounts of PSD2 banks are products at 2026-04-01 only (docs/reference/products.md 10.3)", `
		FinancialProduct<PSD2_CHECKING_ACCOUNT> (response): is added
		FinancialProduct<PSD2_SAVINGS_ACCOUNT> (response): is added
		FinancialProduct<PSD2_CREDIT_CARD> (response): is added
		schema Psd2CheckingAccount: is added
		schema Psd2SavingsAccount: is added
		schema Psd2CreditCard: is added
		schema Psd2Transaction: is added`},
	{"personalInformation is typed at 2026-04-01 (docs/reference/products.md 9, 10.3)", `
		PersonalInformation (response): other members have another schema
		PersonalInformation.personalNumber (response): is added
		PersonalInformation.firstName (response): is added
		PersonalInformation.lastName (response): is added
		PersonalInformation.name (response): is added
		PersonalInformation.email (response): is added
		PersonalInformation.phoneNumber (response): is added
		PersonalInformation.streetAddress (response): is added
		PersonalInformation.postalCode (response): is added
		PersonalInformation.city (response): is added
		PersonalInformation.country (response): is added`},
	{"fees have two forms at 2026-04-01 (docs/reference/products.md 8.1, 10.3)", `
		Fees.feesCollected (response): is removed
		Fees.feeFixed (response): is removed
		Fees.feeVariable (response): is removed
		Fees.feesPreviousYear (response): is removed
		Fees.personalized (response): is added
		Fees.generic (response): is added
		schema PersonalizedFees: is added
		schema GenericFees: is added`},
}

// rulesDiffer begin the differences of the rules beside the documents
// (docs/decisions/2026-11-26-rules-beside-the-document.md).
var rulesDiffer = []string{
	"CollectionStatusResponse (response): then is ", // of pollingInterval
	"CollectionStatusResponse (response): else is ",
	"ConsentError (response): allOf is ",                                        // of userUuid and nextAllowedAt
	"POST /collections 400 (response): has other keywords beside its reference", // codes of consents
	"POST /collections 409 (response): has other keywords beside its reference",
	"POST /collections 429 (response): has other keywords beside its reference", // BACKGROUND_REFRESH_LIMIT
	"InitiateCollectionRequest (request): if is ",                               // of parameters
	"InitiateCollectionRequest (request): else is",                              // of loginMethod
	"InitiateCollectionRequest.loginMethod (request): x-rule is ",
}

// A difference without a reason is a mistake in one of the documents or its rules, and so
// is a reason without its difference.
func TestVersions_DifferAsTheChangeLogsSay(t *testing.T) {
	meant := map[string]bool{} // and whether it is found
	for _, d := range slices.Concat(differences, ourDifferences) {
		for line := range strings.Lines(d.changes) {
			if line = strings.TrimSpace(line); line != "" {
				meant[line] = false
			}
		}
	}
	for _, prefix := range rulesDiffer {
		meant[prefix] = false
	}
	all := versions(t)
	for _, c := range differ(t, all[v20250101.Version], all[v20260401.Version]) {
		line := c.String()
		if i := slices.IndexFunc(rulesDiffer, func(prefix string) bool { return strings.HasPrefix(line, prefix) }); i >= 0 {
			line = rulesDiffer[i]
		}
		if _, listed := meant[line]; !listed {
			t.Errorf("no reason is listed for: %s. Make the same change in both documents, or list it", c)
		}
		meant[line] = true
	}
	for line, found := range meant {
		if !found {
			t.Errorf("listed and not found: %s", line)
		}
	}
}

// differ returns the differences of the documents with their rules.
func differ(t *testing.T, older, newer version) []docdiff.Change {
	t.Helper()
	from, err := older.Strict()
	if err != nil {
		t.Fatal(err)
	}
	to, err := newer.Strict()
	if err != nil {
		t.Fatal(err)
	}
	named := strings.ReplaceAll(string(from), v20250101.Version, v20260401.Version) // each names itself
	changes, err := docdiff.Compare([]byte(named), to, counterparts)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}
