package v20260401_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	v20260401 "samla/internal/api/v20260401"
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
	return wiretest.Decode(t, contract(t).Text())
}

// Routes 1-19, 21 and 22 of docs/reference/api.md section 2, the other path of
// route 14, and the operations of a node.
func TestDocument_DeclaresOperations(t *testing.T) {
	want := strings.TrimSpace(`
DELETE /accounts/{accountId} deleteAccount 3 204
DELETE /collections/{collectionId} deleteCollection 3 204
DELETE /consents/{consentId} revokeConsent 2 200
DELETE /users/{id}/refresh-plan deleteRefreshPlan 1 204
DELETE /users/{userUuid} deleteUser 1 204
DELETE /webhook-endpoints/{id} deleteWebhookEndpoint 1 204
GET /.well-known/jwks.json getJwks 0 200
GET /accounts getAccounts 2 200
GET /accounts/{id}/transactions getAccountTransactions 3 200 paged
GET /collections getCollections 3 200 paged
GET /collections/{collectionId}/status getCollectionStatus 3 200
GET /collections/{collectionId}/wealth/data getWealthData 3 200
GET /companies/availability getCompanyAvailability 3 200
GET /connect-links/{id} getConnectLink 1 200
GET /consents getConsents 2 200 paged
GET /consents/{consentId}/access getConsentAccess 2 200
GET /consents/{consentId}/status getConsentStatus 2 200
GET /events getEvents 1 200 paged
GET /healthz getHealth 0 200
GET /openapi.json getOpenApi 0 200
GET /readyz getReadiness 0 200
GET /status getStatus 0 200
GET /users findUserByExternalId 1 200
GET /users/{id}/accounts getAccountsByUser 1 200
GET /users/{id}/collections getCollectionsByUser 1 200 paged
GET /users/{id}/consents getConsentsByUser 1 200 paged
GET /users/{id}/refresh-plan getRefreshPlan 1 200
GET /users/{userUuid} getUser 3 200
GET /wealth/collection/{collectionId}/status getWealthCollectionStatus 3 200
GET /webhook-endpoints getWebhookEndpoints 1 200
GET /webhook-endpoints/{id}/deliveries getWebhookDeliveries 1 200 paged
GET /webhook-endpoints/{id}/replay getWebhookReplay 1 200
PATCH /webhook-endpoints/{id} updateWebhookEndpoint 1 200 body
POST /accounts/{accountId}/merge mergeAccounts 3 200 body
POST /accounts/{accountId}/split splitAccount 3 200 body
POST /collections initiateCollection 3 201 idempotent body
POST /collections/{collectionId}/cancel cancelCollection 3 200
POST /collections/{collectionId}/supplement-info addSupplementInformation 3 204 body
POST /connect-links createConnectLink 1 201 idempotent body
POST /consents createConsent 2 201 idempotent body
POST /consents/{consentId}/renew renewConsent 2 201 idempotent body
POST /users createUser 1 201 idempotent body
POST /users/{userUuid}/permission-links createPermissionLink 1 201 idempotent body
POST /users/{userUuid}/sessions createSession 1 201 idempotent
POST /webhook-endpoints createWebhookEndpoint 1 201 idempotent body
POST /webhook-endpoints/{id}/pause pauseWebhookEndpoint 1 200
POST /webhook-endpoints/{id}/replay replayWebhookEvents 1 202 body
POST /webhook-endpoints/{id}/resume resumeWebhookEndpoint 1 200
POST /webhook-endpoints/{id}/rotate-secret rotateWebhookSecret 1 200 idempotent body
POST /webhook-endpoints/{id}/test testWebhookEndpoint 1 202
PUT /users/{id}/refresh-plan putRefreshPlan 1 200 body`)
	_, at := document(t)
	var lines []string
	for _, op := range contract(t).Operations() {
		declared := at("/paths/" + strings.ReplaceAll(op.Pattern, "/", "~1") + "/" + strings.ToLower(op.Method))
		line := fmt.Sprint(op.Route(), " ", op.ID, " ", op.Credential)
		for _, status := range []string{"200", "201", "202", "204"} {
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

// The names of docs/reference/api.md 1.11, and those of the objects of
// docs/reference/products.md. SupplementInformation belongs to an operation that is not
// served.
func TestDocument_NamesSchemasAsDocumented(t *testing.T) {
	_, at := document(t)
	for _, name := range strings.Fields(`UserResponse CreateUserRequest SessionResponse Consent ConsentScope Psd2AisConsentScope
		CreateConsentRequest Psd2AisConsentParameter SwedishBankIdParameter ConsentStatusResponse ConsentStatusError ConsentError
		InitiateCollectionRequest CollectionStatusResponse CollectionStatusInformationMap CollectionSummary
		Psd2SavingsAccount Psd2CheckingAccount Psd2CreditCard Psd2Transaction PersonalInformation MonetaryAmount
		FinancialProduct CustodyAccount InvestmentUnknown PensionCollectiveOccupational PensionUnknown LoanMortgage UnsecuredLoan
		GeneralSavingsAccount GeneralSavingsAccountFixedPeriod AccountInformation ProductFinancialInformation Wealth.Holding
		Transaction TransactionInstrument GeneralSavingsInterest InterestConditionRanges Deposit BindingPeriod TimePeriod
		Interest UnsecuredLoan_Interest LoanDetails NextPayment LoanOwner RepaymentSchedule Fees PersonalizedFees GenericFees
		PayoutDetails PayoutPeriod AgePeriod DatePeriod Movability Holder CompanyAvailability TwoFactorOption`) {
		if at("/components/schemas/"+name) == nil {
			t.Errorf("no schema %s", name)
		}
	}
}

// A body of which nothing is needed can be missing (docs/reference/api.md 1.5).
func TestDocument_AsksForNoEmptyBody(t *testing.T) {
	_, at := document(t)
	needed := map[string]string{
		"addSupplementInformation": "one of several forms, each with members that are needed",
		"replayWebhookEvents":      "an event or a time",
		"updateWebhookEndpoint":    "no POST: what is absent stays as it is, so nothing would change",
	}
	for _, op := range contract(t).Operations() {
		where := "/paths/" + strings.ReplaceAll(op.Pattern, "/", "~1") + "/" + strings.ToLower(op.Method) + "/requestBody"
		body, ok := at(strings.TrimSuffix(where, "/requestBody"))["requestBody"].(object)
		if !ok {
			continue
		}
		schema := at(where + "/content/application~1json/schema")
		if ref, ok := schema["$ref"].(string); ok {
			schema = at(strings.TrimPrefix(ref, "#"))
		}
		members, _ := schema["required"].([]any)
		if why := needed[op.ID]; body["required"] == true && len(members) == 0 && why == "" {
			t.Errorf("%s: no member is needed, but the body is", op.ID)
		}
	}
}
