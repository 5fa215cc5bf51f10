package wiretest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	v20260401 "samla/internal/api/v20260401"
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
		successes := 0
		for status := range c.answers[op.ID] {
			if status/100 == 2 {
				successes++
			}
		}
		if successes != 1 {
			t.Errorf("%s: %d answers of success", op.ID, successes)
		}
	}
	if len(c.answers) != len(c.Operations())+1 {
		t.Errorf("answers of %d operations", len(c.answers)-1)
	}
}
