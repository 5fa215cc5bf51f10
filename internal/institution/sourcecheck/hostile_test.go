package sourcecheck_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"samla/internal/dialogue"
	"samla/internal/institution/sourcecheck"
	"samla/internal/sourcetest"
)

// controls has a terminal's escape sequences in seven and eight bits, and a character that
// turns the direction of writing.
const controls = "\x1b]0;title\a\x1b[2J\u009b31m\u202e"

// hostile answers every call with texts that a report must not repeat.
func hostile(parameters []string, turn map[string]any) http.HandlerFunc {
	bad := controls + sourcetest.Secret + sourcetest.PersonalNumber + "anna@example.com" + strings.Repeat("x", 1000)
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer := func(status int, v any) {
			text, _ := json.Marshal(v)
			w.WriteHeader(status)
			_, _ = w.Write(text)
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/institutions"):
			answer(200, map[string]any{"protocol": 1, "institutions": []map[string]any{{"id": "se-x" + bad, "displayName": bad, "market": bad,
				"loginMethods": []string{bad}, "parameters": parameters, "products": []string{bad}, "deviceHosts": []string{bad}}}})
		case strings.HasSuffix(r.URL.Path, "/sessions") && strings.Contains(string(body), "title"):
			answer(201, map[string]any{"session": strings.Repeat("s", 30), "turn": turn})
		case strings.Contains(r.URL.Path, "/sss") && strings.HasSuffix(r.URL.Path, "/turn"):
			answer(200, map[string]any{"turn": map[string]any{"id": "in", "type": "IN"}})
		case strings.Contains(r.URL.Path, "/sss") && strings.HasSuffix(r.URL.Path, "/pages"):
			answer(200, map[string]any{"products": []map[string]any{{"type": bad}, {"type": "UNSECURED_LOAN", bad: 1}}, "missing": []map[string]any{{"what": bad, "reason": bad}}})
		default:
			answer(404, map[string]string{"error": bad, "message": bad})
		}
	}
}

// A report is printed on a terminal and attached to tickets.
func TestRun_RepeatsNothingDangerousOfTheSource(t *testing.T) {
	for name, c := range map[string]struct {
		parameters []string
		turn       map[string]any
	}{
		"parameters": {[]string{controls}, nil},
		"wait":       {nil, map[string]any{"id": "1", "type": "WAIT", "for": "BANKID", "message": controls, "referenceNumber": controls}},
		"ask":        {nil, map[string]any{"id": "1", "type": "ASK", "question": "q", "kind": "CODE", "message": controls}},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(hostile(c.parameters, c.turn))
			defer s.Close()
			var told []string
			report := sourcecheck.Run(t.Context(), sourcecheck.Options{URL: s.URL, Secret: sourcetest.Secret, Client: s.Client(), Wait: time.Minute,
				Parameters: sourcecheck.Parameters{PersonalNumber: sourcetest.PersonalNumber, Email: "anna@example.com"},
				Answers:    []dialogue.Answer{}, Tell: func(said string) { told = append(told, said) }})
			texts := append(told, report.Institution, report.LoginMethod)
			for _, check := range report.Checks {
				texts = append(texts, check.Details...)
			}
			if q := report.NeedsAnswer; q != nil {
				texts = append(append(append(texts, q.Kind, q.Message), q.Choices...), q.Inputs...)
			}
			for _, text := range texts {
				if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("controls the terminal: %q", text)
				}
				for _, secret := range []string{sourcetest.Secret, sourcetest.PersonalNumber, sourcetest.PersonalNumber[2:], "anna@example.com"} {
					if strings.Contains(text, secret) {
						t.Errorf("has a secret: %.200q", text)
					}
				}
				if len(text) > 1500 {
					t.Errorf("has %d bytes: %.100q", len(text), text)
				}
			}
			if report.OK || report.Failed == 0 || name != "parameters" && len(texts) < 20 {
				t.Errorf("the report found too little: %q", texts)
			}
		})
	}
}
