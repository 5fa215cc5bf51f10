package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The commands of webhooks and plans send what the API documents, and print what it answers.
func TestWebhooksAndPlans_CallAndPrint(t *testing.T) {
	const user = "01a21bfc-a541-71a3-8618-6669c9d829c0"
	var asked string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = strings.TrimSpace(r.Method + " " + r.URL.Path + " " + string(body))
		switch {
		case strings.HasSuffix(r.URL.Path, "/deliveries"):
			_, _ = io.WriteString(w, `[{"eventId":"ev","attempt":2,"at":"2026-11-27T08:00:00Z","responseStatus":503,"error":"STATUS_NOT_2XX","durationMs":41,"nextAttemptAt":"2026-11-27T08:05:00Z"}]`)
		case strings.HasSuffix(r.URL.Path, "/replay"):
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"replayed":3}`)
		case strings.HasSuffix(r.URL.Path, "/test"):
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"eventId":"ev"}`)
		case strings.HasSuffix(r.URL.Path, "/refresh-plan") && r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case strings.HasSuffix(r.URL.Path, "/refresh-plan"):
			_, _ = io.WriteString(w, `{"timesPerDay":2,"parts":[{"consentId":"c","company":"se-a","state":"ACTIVE","nextTry":"2026-11-27T08:00:00Z"}]}`)
		case r.URL.Path == "/webhook-endpoints":
			_, _ = io.WriteString(w, `[{"id":"e","url":"https://shop.example/hook","state":"PAUSED","reason":"FAILING","events":["COLLECTION"]}]`)
		default:
			_, _ = io.WriteString(w, `{"id":"e","url":"https://shop.example/hook","state":"PAUSED"}`)
		}
	}))
	defer s.Close()
	t.Setenv("SAMLA_SERVER", s.URL)
	t.Setenv("SAMLA_API_KEY", strings.TrimSpace(testKey))
	for line, want := range map[string][2]string{
		"webhooks list":                {"GET /webhook-endpoints", "PAUSED FAILING"},
		"webhooks log e":               {"GET /webhook-endpoints/e/deliveries", "503 STATUS_NOT_2XX"},
		"webhooks pause e":             {"POST /webhook-endpoints/e/pause", "PAUSED"},
		"webhooks resume e":            {"POST /webhook-endpoints/e/resume", "https://shop.example/hook"},
		"webhooks test e":              {"POST /webhook-endpoints/e/test", "event ev is on its way"},
		"webhooks replay e --event ev": {`POST /webhook-endpoints/e/replay {"eventId":"ev"}`, "3 events delivered again"},
		"plans show " + user:           {"GET /users/" + user + "/refresh-plan", "2 times a day"},
		"plans set " + user + " --times-per-day 2 --consent c": {"PUT /users/" + user + `/refresh-plan {"consents":["c"],"timesPerDay":2}`, "se-a"},
		"plans delete " + user:                                 {"DELETE /users/" + user + "/refresh-plan", "no plan any more"},
	} {
		out, _, err := samla(t, strings.Fields(line)...)
		if err != nil || asked != want[0] || !strings.Contains(out, want[1]) {
			t.Errorf("samla %s: asks %q and prints %q, %v", line, asked, out, err)
		}
	}
	for line, want := range map[string]string{
		"webhooks replay e": "say what to deliver again",
		"webhooks replay e --event ev --from 2026-11-27": "say what to deliver again",
		"webhooks replay e --event ev --to 2026-11-27":   "--to needs --from",
		"plans set " + user + " --times-per-day 5":       "is not from 1 to 4",
	} {
		if _, _, err := samla(t, strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("samla %s: %v", line, err)
		}
	}
}
