package v20260401_test

import (
	"encoding/json"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	consents "samla/internal/consent"
	"samla/internal/event"
	"samla/internal/uuid7"
)

// The document names every type of event, and every member of their bodies.
func TestDocument_KnowsEveryEvent(t *testing.T) {
	_, at := document(t)
	var declared []event.Type
	for _, name := range at("/components/schemas/EventType")["enum"].([]any) {
		declared = append(declared, event.Type(name.(string)))
	}
	if len(declared) != len(event.Types()) {
		t.Errorf("the document has %v", declared)
	}
	for _, name := range declared {
		if !name.Valid() {
			t.Errorf("%s is in the document only", name)
		}
	}
	now := time.Date(2026, 6, 11, 9, 21, 44, 0, time.UTC)
	ids := uuid7.NewGenerator(clock.NewManual(now), nil)
	c := consents.Consent{ID: "new", ClientID: "client", UserID: "user", Status: consents.Authorized, ExpiresAt: now,
		Requested: consents.Scope{AccountIDs: []string{"a"}}}
	old := c
	old.ID, old.Requested = "old", consents.Scope{AccountIDs: []string{"b"}}
	authorized, _ := event.Consent(ids, c, now)
	properties := at("/components/schemas/EventBody")["properties"].(object)
	for _, e := range []event.Event{
		authorized, event.Collection(ids, collection.Collection{ID: "c", Status: collection.Completed}, now), event.ConsentExpiring(ids, c, now),
		event.ConsentRenewed(ids, c, old, now), event.AccountUpdated(ids, event.AccountNews{UserID: "user", AccountID: "a"}, now),
		event.RefreshPlanChanged(ids, event.PlanChange{UserID: "user", ConsentID: "c", State: "S", Reason: "R", NextTry: now}, now), event.Test(ids, "client", "e", now),
	} {
		var body object
		if err := json.Unmarshal(e.Body, &body); err != nil {
			t.Fatal(err)
		}
		for member := range body {
			if properties[member] == nil {
				t.Errorf("the document does not have %s of %s", member, e.Type)
			}
		}
	}
}
