package permissions_test

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"samla/internal/session"
	"samla/internal/store"
	"samla/internal/words"
)

func TestArchive_IsMadeByAJobAndKeptForAQuarter(t *testing.T) {
	e := newEnv(t)
	b, other := e.signedIn(t, e.User), e.signedIn(t, e.stranger())
	for range 2 { // the second press makes no second archive
		if status, to, _ := b.do("POST", "/permissions/download", url.Values{}); status != http.StatusSeeOther || to != "/permissions/download" {
			t.Fatalf("%d %s", status, to)
		}
	}
	if _, _, body := b.do("GET", "/permissions/download", nil); !strings.Contains(body, "The file is being made") || !strings.Contains(body, `http-equiv="refresh"`) {
		t.Error(body)
	}
	claimed, err := e.Store.Claim(t.Context(), store.Outbox, e.Clock.Now(), time.Minute, store.ClaimLimit{Rows: 10})
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d messages, %v", len(claimed), err)
	}
	m, err := e.Store.OutboxMessage(t.Context(), claimed[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // two nodes
		if err := e.service.Make(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Store.OutboxMessage(t.Context(), m.ID); err == nil {
		t.Error("the message stays")
	}
	if _, _, body := b.do("GET", "/permissions/download", nil); !strings.Contains(body, "The file is ready: "+words.In(words.English).Bytes(2000)+". It can be saved until 10:15") || !strings.Contains(body, "Time zone: Stockholm") {
		t.Error(body)
	}
	if status, to, _ := other.do("GET", "/permissions/archive", nil); status != http.StatusSeeOther || to != "/permissions/download" {
		t.Errorf("another person fetches: %d", status)
	}
	_, _, body := b.do("GET", "/permissions/archive", nil)
	z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "README.txt json/consents-1.json json/consents-2.json json/collections-1.json json/collections/550e8400-e29b-41d4-a716-446655440000.json json/accounts-1.json audit/audit.jsonl audit/public-key.pem" {
		t.Error(got)
	}
	readme, err := fs.ReadFile(z, "README.txt")
	if err != nil || !strings.Contains(string(readme), "at 10:00 (Stockholm).") {
		t.Errorf("%s, %v", readme, err)
	}
	if len(e.asked) == 0 || !strings.HasSuffix(e.asked[0], "Bearer token") {
		t.Errorf("the API is asked %q", e.asked)
	}
	e.Clock.Advance(session.ArchiveLife - 10*time.Minute)
	if status, _, _ := b.do("GET", "/permissions/archive", nil); status != 200 {
		t.Errorf("after five minutes: %d", status)
	}
	e.Clock.Advance(10 * time.Minute)
	if status, _, _ := b.do("GET", "/permissions/archive", nil); status != http.StatusSeeOther {
		t.Errorf("after 15 minutes: %d", status)
	}
}
