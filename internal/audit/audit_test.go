package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"samla/internal/audit"
	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/outbox"
	"samla/internal/uuid7"
)

var (
	start = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)
	ids   = uuid7.NewGenerator(clock.NewManual(start), nil)
)

// The example IBAN of the standard.
const iban = "SE4550000000058398257466"

func given(s consent.Status) consent.Consent {
	return consent.Consent{
		ID: "consent", ClientID: "client", UserID: "user", Company: "se-demo", Status: s,
		Requested: consent.Scope{AccountIDs: []string{iban, iban}, Balances: true},
		ExpiresAt: start.Add(time.Hour), Sealed: []byte("sealed"),
	}
}

func TestOfConsent_HasAKindForEveryStatus(t *testing.T) {
	want := map[consent.Status]audit.Kind{
		consent.Initiated: audit.ConsentCreated, consent.AwaitingAuthorization: "",
		consent.Authorized: audit.ConsentAuthorized, consent.Revoked: audit.ConsentRevoked,
		consent.Expired: audit.ConsentExpired, consent.Failed: audit.ConsentFailed,
	}
	for _, s := range consent.Statuses() {
		e, ok := audit.OfConsent(ids, given(s), start)
		if ok != (want[s] != "") || e.Kind != string(want[s]) {
			t.Errorf("%s: %q, %v", s, e.Kind, ok)
		}
		if ok && (e.ClientID != "client" || e.UserID != "user" || e.ConsentID != "consent" || !e.At.Equal(start)) {
			t.Errorf("%s: %+v", s, e)
		}
	}
}

func TestEntry_HasTheDetailOfItsKind(t *testing.T) {
	failed := given(consent.Failed)
	failed.Failure = consent.AuthenticationTimeout
	ofFailed, _ := audit.OfConsent(ids, failed, start)
	everything := given(consent.Initiated)
	everything.Requested.AccountIDs = nil
	ofEverything, _ := audit.OfConsent(ids, everything, start)
	run := collection.Collection{
		ID: "collection", ClientID: "client", UserID: "user", ConsentID: "consent", Company: "se-demo",
		Mode: collection.Stored, Attended: true, Filter: []string{iban}, Status: collection.Running,
	}
	done := run
	done.Status, done.DataUntil = collection.Completed, start

	for _, c := range []struct {
		entry        audit.Entry
		kind, detail string
	}{
		{ofFailed, "CONSENT_FAILED", `{"company":"se-demo","scope":{"accounts":2,"balances":true,"transactions":false},"expiresAt":"2026-04-01T09:00:00Z","failure":"AUTHENTICATION_TIMEOUT"}`},
		{ofEverything, "CONSENT_CREATED", `{"company":"se-demo","scope":{"balances":true,"transactions":false},"expiresAt":"2026-04-01T09:00:00Z"}`},
		{audit.OfEnd(ids, given(consent.Revoked), start, consent.CauseUserErased), "CONSENT_REVOKED", `{"company":"se-demo","scope":{"accounts":2,"balances":true,"transactions":false},"expiresAt":"2026-04-01T09:00:00Z","cause":"USER_DELETED"}`},
		{audit.OfDelivery(ids, given(consent.Revoked), outbox.Message{ID: "message", Company: "se-demo", Attempts: 3}, start), "BANK_TOLD", `{"dutyId":"message","company":"se-demo","attempts":3}`},
		{audit.OfCollection(ids, run, start), "COLLECTION_STARTED", `{"collectionId":"collection","company":"se-demo","mode":"STORED","attended":true,"basis":"CONSENT","accounts":1,"status":"RUNNING"}`},
		{audit.OfCollectionEnd(ids, done, collection.Finished{Accounts: 1}, start), "COLLECTION_FINISHED", `{"collectionId":"collection","company":"se-demo","mode":"STORED","attended":true,"basis":"CONSENT","accounts":1,"accountsRead":1,"status":"COMPLETED","dataUntil":"2026-04-01T08:00:00Z"}`},
	} {
		if c.entry.Kind != c.kind || string(c.entry.Detail) != c.detail {
			t.Errorf("%s\n got %s\nwant %s", c.entry.Kind, c.entry.Detail, c.detail)
		}
		if whole, _ := json.Marshal(c.entry); strings.Contains(string(c.entry.Detail)+string(whole), iban) {
			t.Errorf("%s: an account number is in the audit log", c.kind)
		}
		if c.entry.ConsentID != "consent" || c.entry.UserID != "user" || c.entry.ClientID != "client" {
			t.Errorf("%s: %+v", c.kind, c.entry)
		}
	}
}

func TestEntry_IDsSortInTheOrderOfWriting(t *testing.T) {
	last := ""
	for range 100 {
		e, _ := audit.OfConsent(ids, given(consent.Initiated), start)
		if e.ID <= last {
			t.Fatalf("%s after %s", e.ID, last)
		}
		last = e.ID
	}
}
