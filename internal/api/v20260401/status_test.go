package v20260401

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/wire/wiretest"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// The examples of docs/reference/api.md 4.1 and 4.5, with times in milliseconds as
// docs/reference/api.md 1.1 requires.
func TestConsentStatus_WritesDocumentedExamples(t *testing.T) {
	nordea := consent.Consent{ID: "550e8400-e29b-41d4-a716-446655440000", Company: "se-nordea",
		CreatedAt: at("2026-01-15T10:30:00Z"), StatusChangedAt: at("2026-01-15T10:31:00Z"), ExpiresAt: at("2026-12-31T23:59:59Z"),
		Requested: consent.Scope{AccountIDs: []string{"SE1234567890"}, Balances: true, Transactions: true}}
	as := func(s consent.Status, change func(*consent.Consent)) consent.Consent {
		c := nordea
		c.Status = s
		if change != nil {
			change(&c)
		}
		return c
	}
	const scope = `"scope":{"accountIds":["SE1234567890"],"balances":true,"transactions":true,"type":"PSD2_AIS"}`
	const head = `{"company":"se-nordea","consentId":"550e8400-e29b-41d4-a716-446655440000","createdAt":"2026-01-15T10:30:00.000Z",` + scope + `,`
	autostart := &authorize.Shown{Form: authorize.AutoStart, AutoStartToken: "7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6", ExpiresAt: at("2026-01-15T10:33:00Z")}
	qr := &authorize.Shown{Form: authorize.QRCode, AutoStartToken: "t", QRData: "bankid.x", QRImage: "iVBORw0KGgoAA==",
		ExpiresAt: at("2026-01-15T10:33:00Z"), UserMessage: consent.UserMessage{Code: "RFA1", Text: `Starta "BankID" på din enhet.`}}
	redirect := &authorize.Shown{Form: authorize.Redirect, RedirectURL: "https://bank.example/sign?a=1&b=2", ExpiresAt: at("2026-01-15T10:33:00Z")}
	for name, c := range map[string]struct {
		consent consent.Consent
		shown   *authorize.Shown
		want    string
	}{
		"autostart": {as(consent.AwaitingAuthorization, nil), autostart, head + `"pollingInterval":1000,"status":"AWAITING_AUTHORIZATION","statusChangedAt":"2026-01-15T10:31:00.000Z",
			"authInstructions":{"type":"SWEDISH_BANKID_AUTOSTART_TOKEN","autoStartToken":"7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6","expiresAt":"2026-01-15T10:33:00.000Z"}}`},
		"qr": {as(consent.AwaitingAuthorization, nil), qr, head + `"pollingInterval":1000,"status":"AWAITING_AUTHORIZATION","statusChangedAt":"2026-01-15T10:31:00.000Z",
			"authInstructions":{"type":"SWEDISH_BANKID_QR_CODE","autoStartToken":"t","qrData":"bankid.x","qrImage":"iVBORw0KGgoAA==","expiresAt":"2026-01-15T10:33:00.000Z",
			"userMessage":{"code":"RFA1","text":"Starta \"BankID\" på din enhet."}}}`},
		"redirect": {as(consent.AwaitingAuthorization, nil), redirect, head + `"pollingInterval":1000,"status":"AWAITING_AUTHORIZATION","statusChangedAt":"2026-01-15T10:31:00.000Z",
			"authInstructions":{"type":"REDIRECT","redirectUrl":"https://bank.example/sign?a=1&b=2","expiresAt":"2026-01-15T10:33:00.000Z"}}`},
		"awaiting, but nothing to do": {as(consent.AwaitingAuthorization, nil), &authorize.Shown{Form: authorize.AutoStart},
			head + `"pollingInterval":1000,"status":"INITIATED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`},
		"initiated": {as(consent.Initiated, nil), nil, head + `"pollingInterval":1000,"status":"INITIATED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`},
		"failed": {as(consent.Failed, func(c *consent.Consent) { c.Failure = consent.AuthenticationTimeout }), nil,
			head + `"error":{"code":"AUTHENTICATION_TIMEOUT","message":"User did not complete BankID authentication within the time limit"},"pollingInterval":null,"status":"FAILED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`},
		"authorized": {as(consent.Authorized, nil), nil, head + `"expiresAt":"2026-12-31T23:59:59.000Z","pollingInterval":null,"status":"AUTHORIZED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`},
		"expired":    {as(consent.Expired, nil), nil, head + `"pollingInterval":null,"status":"EXPIRED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`},
		"revoked": {as(consent.Revoked, func(c *consent.Consent) { c.RevokedAt = at("2026-02-27T14:00:00Z"); c.StatusChangedAt = c.RevokedAt }), nil,
			head + `"pollingInterval":null,"revokedAt":"2026-02-27T14:00:00.000Z","status":"REVOKED","statusChangedAt":"2026-02-27T14:00:00.000Z"}`},
		"granted differs": {as(consent.Expired, func(c *consent.Consent) { c.Granted = &consent.Scope{Balances: true} }), nil,
			`{"company":"se-nordea","consentId":"550e8400-e29b-41d4-a716-446655440000","createdAt":"2026-01-15T10:30:00.000Z","scope":{"balances":true,"transactions":false,"type":"PSD2_AIS"},
			"pollingInterval":null,"status":"EXPIRED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`},
	} {
		t.Run("consent "+name, func(t *testing.T) {
			check(t, "getConsentStatus", appendConsentStatus(nil, &c.consent, c.shown, consent.AccountChange{}), c.want)
		})
	}
}

// check compares two JSON texts and validates the first one with the contract.
func check(t *testing.T, operation string, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if diff := cmp.Diff(b, a); diff != "" {
		t.Error(diff)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Insurely-Version": {Version}, "X-Request-Id": {"x"}}
	c, err := Contract()
	if err != nil {
		t.Fatal(err)
	}
	validating, err := wiretest.Load(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := validating.CheckResponse(operation, 200, header, got); err != nil {
		t.Error(err)
	}
}
