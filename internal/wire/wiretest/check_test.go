package wiretest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"samla/internal/api/v20260401"
	"samla/internal/fault"
	"samla/internal/wire"
)

func mustLoad(t testing.TB) *Contract {
	t.Helper()
	version, err := v20260401.Contract()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problem returns what wire.WriteProblem answers to a request.
func problem(method, target string, f *fault.Fault) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "01JH6Z3W6Q")
	wire.WriteProblem(w, httptest.NewRequest(method, target, nil), "01JH6Z3W6Q", f)
	return w
}

const (
	consentID = "550e8400-e29b-41d4-a716-446655440000"
	statusOK  = `{"company":"se-nordea","consentId":"` + consentID + `","createdAt":"2026-01-15T10:30:00.000Z",` +
		`"expiresAt":"2026-12-31T23:59:59.000Z","pollingInterval":null,"scope":{"balances":true,"transactions":true,"type":"PSD2_AIS"},` +
		`"status":"AUTHORIZED","statusChangedAt":"2026-01-15T10:31:00.000Z"}`
	collectionOK = `{"company":"se-avanza","extraInformation":null,"id":"` + consentID + `","pollingInterval":1000,"status":"RUNNING"}`
	cardOK       = `{"id":"1","type":"PSD2_CREDIT_CARD","company":"c","companyDisplayName":"C","accountId":"a","transactions":[` +
		`{"accountId":"a","direction":"DEBIT","status":"BOOKED","amount":{"amount":-125.75,"currency":"SEK"}}]}`
)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func usual(more ...string) http.Header {
	return headers(append([]string{"Insurely-Version", v20260401.Version, "X-Request-Id", "r1", "Content-Type", "application/json"}, more...)...)
}

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
		err := c.CheckResponse(tc.op, 200, usual(), []byte(body))
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
		{"getOpenApi", 200, headers("X-Request-Id", "r", "Content-Type", "application/json"), string(c.Text()), ""},
		{"noSuch", 200, usual(), "[]", "not declared"},
	} {
		err := c.CheckResponse(tc.op, tc.status, tc.header, []byte(tc.body))
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %d %v: want %q, got %v", tc.op, tc.status, tc.header, tc.want, err)
		}
	}
}

// The document declares what WriteProblem writes, for every code.
func TestWriteProblem_EveryCodeIsDeclared(t *testing.T) {
	c := mustLoad(t)
	for _, code := range fault.Codes() {
		f := &fault.Fault{Code: code, RetryAfter: 1, Allow: "GET"}
		switch code {
		case fault.UserExists:
			f.UserID = consentID
		case fault.UnsupportedVersion:
			f.SupportedVersions = []string{v20260401.Version}
		case fault.BackgroundRefreshLimit:
			f.NextAllowedAt = f.NextAllowedAt.AddDate(1, 0, 0)
		}
		w := problem(http.MethodGet, "/users", f)
		accepted := 0
		for id := range c.answers {
			if c.CheckResponse(id, w.Code, w.Header(), w.Body.Bytes()) == nil {
				accepted++
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

func TestCheckRequest(t *testing.T) {
	c := mustLoad(t)
	key, token := []string{"authorization-token", "k"}, []string{"Authorization", "Bearer t"}
	for _, tc := range []struct {
		route, body string
		header      http.Header
		want        string
	}{
		{"POST /users", `{"externalId":"a"}`, usual(key...), ""},
		{"POST /users", `{}`, usual(key...), "externalId"},
		{"POST /users", ``, usual(key...), "MALFORMED"},
		{"POST /users", `{"externalId":"a"}`, usual(token...), "credential"},
		{"POST /users", `{"externalId":"a"}`, usual(slices.Concat(key, token)...), "two credentials"},
		{"POST /users", `{"externalId":"a"}`, headers(key...), "Insurely-Version"},
		{"GET /users", ``, usual(key...), "externalId"},
		{"GET /consents", ``, usual(token...), ""},
		{"GET /collections/1/status", ``, usual(token...), ""},
		{"GET /collections/1/status", ``, usual(key...), ""},
		{"GET /healthz", ``, headers(), ""},
		{"GET /nowhere", ``, usual(key...), "no such operation"},
	} {
		method, path, _ := strings.Cut(tc.route, " ")
		r := httptest.NewRequest(method, path, strings.NewReader(tc.body))
		r.Header = tc.header
		err := c.CheckRequest(r)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %s: want %q, got %v", tc.route, tc.body, tc.want, err)
		}
		if left, _ := io.ReadAll(r.Body); string(left) != tc.body {
			t.Errorf("%s: the body is gone: %q", tc.route, left)
		}
	}
}

func TestTransport_ReportsBothSides(t *testing.T) {
	var answer []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for name, values := range usual("Location", "/users/1") {
			w.Header()[name] = values
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	var reports []string
	client := &http.Client{Transport: mustLoad(t).Transport(http.DefaultTransport, func(err error) { reports = append(reports, err.Error()) })}
	exchange := func(body, answers string) string {
		reports, answer = nil, []byte(answers)
		res, err := client.Post(server.URL+"/users", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil || string(got) != answers {
			t.Fatalf("%s %v", got, err)
		}
		return strings.Join(reports, "\n")
	}
	user, _ := json.Marshal(map[string]any{"userUuid": consentID, "externalId": "a", "anonymized": false,
		"createdAt": "2026-04-01T08:00:00.000Z", "updatedAt": "2026-04-01T08:00:00.000Z"})
	if got := exchange(`{"externalId":"a"}`, string(user)); got != "" {
		t.Error(got)
	}
	if got := exchange(`{"externalId":7}`, string(user)); !strings.Contains(got, "accepted a body") {
		t.Error(got)
	}
	if got := exchange(`{"externalId":"a"}`, `{}`); !strings.Contains(got, "missing properties") {
		t.Error(got)
	}
}

func TestLoad_EveryAnswerHasTheRequestID(t *testing.T) {
	for id, byStatus := range mustLoad(t).answers {
		for status, a := range byStatus {
			if !slices.ContainsFunc(a.headers, func(h headerRule) bool { return h.name == "X-Request-Id" && h.required }) {
				t.Errorf("%s %d: no X-Request-Id", id, status)
			}
		}
	}
}

func TestLoad_KnowsEveryOperation(t *testing.T) {
	c := mustLoad(t)
	for _, op := range c.Operations() {
		if c.answers[op.ID][op.SuccessStatus] == nil {
			t.Errorf("%s: no answer %d", op.ID, op.SuccessStatus)
		}
	}
	if len(c.answers) != len(c.Operations())+1 {
		t.Errorf("answers of %d operations", len(c.answers)-1)
	}
}
