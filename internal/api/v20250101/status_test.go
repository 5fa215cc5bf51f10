package v20250101

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/api/collections"
	"samla/internal/authorize"
	"samla/internal/collection"
)

// Each status of version 2026-04-01 becomes a status response that the document declares.
func TestOlderStatus_IsAsDeclared(t *testing.T) {
	c := loaded(t)
	header := http.Header{"Insurely-Version": {Version}, "X-Request-Id": {"r"}, "Content-Type": {"application/json"}}
	shown := &authorize.Shown{AutoStartToken: "7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6", QRData: `bankid."}`}
	written := map[string]bool{}
	for _, status := range collection.Statuses() {
		made := collection.Collection{ID: "22e633bc-427d-4f4a-87cf-cfaca04ef351", Company: "se-avanza", Status: status}
		newer := collections.AppendStatus(nil, &made, shown, nil, time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))
		got, err := olderStatus(newer)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckResponse("getCollectionStatus", http.StatusOK, header, got); err != nil {
			t.Errorf("%s: %v", got, err)
		}
		written[string(got)] = true
	}
	// Two statuses are FAILED too.
	if len(written) != len(collection.Statuses())-2 {
		t.Errorf("%d statuses are written", len(written))
	}
}

func TestOlderStatus_KeepsTheRest(t *testing.T) {
	for newer, want := range map[string]string{
		`{"id":"1","company":"se-a","status":"RUNNING","extraInformation":{"pollingInterval":1,"status":"AUTHENTICATION_ERROR"},"pollingInterval":1000,"pollingTimeout":"t"}`: `{"id":"1","company":"se-a","status":"RUNNING","extraInformation":{"pollingInterval":1,"status":"AUTHENTICATION_ERROR"},"pollingTimeout":"t"}`,
		`{"status":"AUTHENTICATION_ERROR","extraInformation":null,"pollingInterval":null}`:                                                                                    `{"status":"FAILED","extraInformation":null}`,
		`{"status":"LOGIN_METHOD_NOT_APPLICABLE"}`: `{"status":"FAILED"}`,
	} {
		if got, err := olderStatus([]byte(newer)); err != nil || string(got) != want {
			t.Errorf("%s becomes %s, %v", newer, got, err)
		}
	}
	for _, text := range []string{``, `[]`, `{"a"}`, `{"a":1}{}`} {
		if got, err := olderStatus([]byte(text)); err == nil {
			t.Errorf("%s becomes %s", text, got)
		}
	}
}

func BenchmarkOlderStatus(b *testing.B) {
	made := collection.Collection{ID: "22e633bc-427d-4f4a-87cf-cfaca04ef351", Company: "se-avanza", Status: collection.Login}
	newer := collections.AppendStatus(nil, &made, &authorize.Shown{QRData: "bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e", QRImage: "iVBORw0KGgo="}, nil, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := olderStatus(newer); err != nil {
			b.Fatal(err)
		}
	}
}
