package wiretest

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

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
