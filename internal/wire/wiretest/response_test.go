package wiretest

import (
	"net/http"
	"strings"
	"testing"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/fault"
)

// Each case is a valid answer with one change.
func TestCheckResponse_Bodies(t *testing.T) {
	c := mustLoad(t)
	for _, tc := range []struct{ op, body, old, new, want string }{
		{op: "getConsentStatus", body: statusOK},
		{op: "getConsentStatus", body: statusOK, old: `10:31:00.000Z`, new: `10:31:00Z`, want: "statusChangedAt"},
		{op: "getConsentStatus", body: statusOK, old: `10:31:00.000Z`, new: `10:31:00.000+00:00`, want: "statusChangedAt"},
		{op: "getConsentStatus", body: statusOK, old: `10:31:00.000Z`, new: `10:31:00,000Z`, want: "statusChangedAt"},
		{op: "getConsentStatus", body: statusOK, old: `"AUTHORIZED"`, new: `"DONE"`, want: "status"},
		{op: "getConsentStatus", body: statusOK, old: `"AUTHORIZED"`, new: `"FAILED"`, want: "error"},
		{op: "getConsentStatus", body: statusOK, old: `"AUTHORIZED"`, new: `"REVOKED"`, want: "revokedAt"},
		{op: "getConsentStatus", body: statusOK, old: `"pollingInterval":null`, new: `"pollingInterval":1000`, want: "pollingInterval"},
		{op: "getConsentStatus", body: statusOK, old: `"pollingInterval":null,`, new: ``, want: "pollingInterval"},
		{op: "getConsentStatus", body: statusOK, old: `{"company"`, new: `{"extra":1,"company"`, want: "extra"},
		{op: "getConsentStatus", body: statusOK, old: `"PSD2_AIS"`, new: `"LEFI"`, want: "/scope"},
		{op: "getConsentStatus", body: statusOK, old: `"balances":true,`, new: ``, want: "balances"},
		{op: "getCollectionStatus", body: collectionOK},
		{op: "getWealthCollectionStatus", body: collectionOK},
		{op: "cancelCollection", body: collectionOK},
		{op: "getCollectionStatus", body: collectionOK, old: `RUNNING`, new: `COMPLETED`, want: "pollingInterval"},
		{op: "getCollectionStatus", body: collectionOK, old: `null`, new: `{}`, want: "extraInformation"},
		{op: "getCollectionStatus", body: collectionOK, old: `null`, new: `{"SWEDISH_BANKID_QRCODE":""}`, want: "SWEDISH_BANKID_QRCODE"},
		{op: "getCollectionStatus", body: collectionOK, old: `null`, new: `{"AUTOSTART_TOKEN":"x"}`, want: "AUTOSTART_TOKEN"},
		{op: "getCollectionStatus", body: collectionOK, old: `"extraInformation":null,`, new: ``, want: "extraInformation"},
		{op: "getWealthData", body: "[" + cardOK + "]"},
		{op: "getWealthData", body: "[]"},
		{op: "getWealthData", body: "null", want: "got null"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: "PSD2_CREDIT_CARD", new: "PSD2_CARD", want: "/0"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: "-125.75", new: "125.75", want: "amount"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: `"DEBIT"`, new: `"CREDIT"`, want: "amount"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: `-125.75`, new: `"-125.75"`, want: "amount"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: `"accountId":"a",`, new: ``, want: "accountId"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: `"SEK"`, new: `"kr"`, want: "currency"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: `"status"`, new: `"state"`, want: "state"},
		{op: "getWealthData", body: "[" + cardOK + "]", old: `"companyDisplayName":"C",`, new: `"productName":"n","companyDisplayName":"C",`, want: "productName"},
	} {
		body := strings.Replace(tc.body, tc.old, tc.new, 1)
		err := c.CheckResponse(tc.op, 200, usual("ETag", `W/"a"`), []byte(body))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %s: want %q, got %v", tc.op, body, tc.want, err)
		}
	}
}

func TestCheckResponse_StatusAndHeaders(t *testing.T) {
	c := mustLoad(t)
	user := `{"userUuid":"` + consentID + `","externalId":"a","anonymized":false,"createdAt":"2026-04-01T08:00:00.000Z","updatedAt":"2026-04-01T08:00:00.000Z"}`
	for _, tc := range []struct {
		op     string
		status int
		header http.Header
		body   string
		want   string
	}{
		{"createUser", 201, usual("Location", "/users/1", "RateLimit", `"default";r=5;t=1`, "Idempotency-Replayed", "true"), user, ""},
		{"createUser", 201, usual(), user, "Location"},
		{"createUser", 201, usual("Location", "https://x/users/1"), user, "Location"},
		{"createUser", 201, usual("Location", "/a", "Location", "/b"), user, "occurs 2 times"},
		{"createUser", 201, usual("Location", "/a", "Idempotency-Replayed", "false"), user, "Idempotency-Replayed"},
		{"createUser", 200, usual("Location", "/users/1"), user, "not declared"},
		{"createUser", 201, headers("Location", "/a", "X-Request-Id", "r"), user, "Insurely-Version"},
		{"createUser", 201, headers("Location", "/a", "Insurely-Version", v20260401.Version), user, "X-Request-Id"},
		{"createUser", 201, headers("Location", "/a", "Insurely-Version", v20260401.Version, "X-Request-Id", "r"), user, "content type"},
		{"deleteUser", 204, headers("Insurely-Version", v20260401.Version, "X-Request-Id", "r"), "", ""},
		{"deleteUser", 204, usual(), "{}", "has a body"},
		{"getConsents", 200, usual("Link", `</consents?cursor=a>; rel="next"`), "[]", ""},
		{"getConsents", 200, usual("Link", `/consents?cursor=a`), "[]", "Link"},
		{"getHealth", 200, headers("X-Request-Id", "r", "Content-Type", "application/json"), `{"status":"ok"}`, ""},
		{"getReadiness", 503, headers("X-Request-Id", "r", "Content-Type", "application/json"), `{"status":"unavailable","checks":{"store":"failed"}}`, ""},
		{"getOpenApi", 200, headers("X-Request-Id", "r", "Content-Type", "application/json", "ETag", `W/"a"`), string(c.Text()), ""},
		{"getOpenApi", 200, headers("X-Request-Id", "r", "Content-Type", "application/json", "ETag", `a`), string(c.Text()), "ETag"},
		{"getOpenApi", 304, headers("X-Request-Id", "r", "ETag", `W/"a"`), "", ""},
		{"noSuch", 200, usual(), "[]", "not declared"},
	} {
		err := c.CheckResponse(tc.op, tc.status, tc.header, []byte(tc.body))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %d %v: want %q, got %v", tc.op, tc.status, tc.header, tc.want, err)
		}
	}
}

// A document declares what WriteProblem writes, for every code.
func TestWriteProblem_EveryCodeIsDeclared(t *testing.T) {
	older, err := v20250101.Contract()
	if err != nil {
		t.Fatal(err)
	}
	oldest, err := Load(older)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range fault.Codes() {
		f := &fault.Fault{Code: code, RetryAfter: 1, Allow: "GET"}
		switch code {
		case fault.UserExists:
			f.UserID = consentID
		case fault.ConsentRenewalPending:
			f.ConsentID = consentID
		case fault.UnsupportedVersion:
			f.SupportedVersions = []string{v20260401.Version}
		case fault.BackgroundRefreshLimit:
			f.NextAllowedAt = f.NextAllowedAt.AddDate(1, 0, 0)
		}
		w := problem(http.MethodGet, "/users", f)
		accepted := 0
		for _, c := range []*Contract{mustLoad(t), oldest} {
			for id := range c.answers {
				if c.CheckResponse(id, w.Code, w.Header(), w.Body.Bytes()) == nil {
					accepted++
				}
			}
		}
		if accepted == 0 {
			t.Errorf("%s: no operation declares %s", code, w.Body)
		}
	}
}

func TestCheckResponse_Problems(t *testing.T) {
	c := mustLoad(t)
	right := problem(http.MethodGet, "/users/1", fault.New(fault.UserNotFound))
	for _, tc := range []struct{ op, old, new, want string }{
		{"getUser", "", "", ""},
		{"getConsentStatus", "", "", "code"}, // declared there is CONSENT_NOT_FOUND
		{"getUser", `"requestId":"01`, `"requestId":"02`, "requestId"},
		{"getUser", `problem:user-not-found`, `problem:user`, "type"},
		{"getUser", `"detail":"N`, `"detail":"n`, "detail"},
		{"getUser", `"attribution":"CLIENT"`, `"attribution":"BANK"`, "attribution"},
		{"getUser", `"status":404`, `"status":400`, "status"},
		{"getUser", `"code"`, `"errors":[],"code"`, "errors"},
		{"getUser", `"remedy"`, `"cure"`, "remedy"},
	} {
		body := strings.Replace(right.Body.String(), tc.old, tc.new, 1)
		err := c.CheckResponse(tc.op, 404, right.Header(), []byte(body))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %s: want %q, got %v", tc.op, body, tc.want, err)
		}
	}
}
