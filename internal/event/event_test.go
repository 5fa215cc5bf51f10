package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collection"
	"samla/internal/consent"
	"samla/internal/event"
	"samla/internal/uuid7"
)

var (
	at  = time.Date(2026, 6, 11, 9, 21, 44, 512345000, time.UTC)
	ids = uuid7.NewGenerator(clock.NewManual(at), nil)
)

func collected(s collection.Status, version string) collection.Collection {
	return collection.Collection{ID: "collection", ClientID: "client", UserID: "user", Company: "se-demo", Status: s, Version: version, Sealed: []byte("secret")}
}

func given(s consent.Status) consent.Consent {
	return consent.Consent{ID: "consent", ClientID: "client", UserID: "user", Company: "se-demo", Status: s,
		Requested: consent.Scope{AccountIDs: []string{"SE4550000000058398257466"}}, ExpiresAt: at.Add(time.Hour), Sealed: []byte("secret")}
}

// one returns an event of each constructor, by its type.
func one() map[event.Type]event.Event {
	all := map[event.Type]event.Event{
		event.TypeCollection:      event.Collection(ids, collected(collection.Completed, ""), at),
		event.TypeConsentExpiring: event.ConsentExpiring(ids, given(consent.Authorized), at),
		event.TypeConsentRenewed:  event.ConsentRenewed(ids, given(consent.Authorized), consent.Consent{ID: "old"}, at),
		event.TypeAccountUpdated: event.AccountUpdated(ids, event.AccountNews{ClientID: "client", UserID: "user", AccountID: "account",
			Generation: 2, Added: 3, Modified: 4, Removed: 5}, at),
		event.TypeRefreshPlanChanged: event.RefreshPlanChanged(ids, event.PlanChange{ClientID: "client", UserID: "user", ConsentID: "consent",
			State: "PAUSED", Reason: "QUOTA", NextTry: at.Add(time.Hour)}, at),
		event.TypeTest: event.Test(ids, "client", "endpoint", at),
	}
	for _, s := range consent.Statuses() {
		if e, ok := event.Consent(ids, given(s), at); ok {
			all[e.Type] = e
		}
	}
	return all
}

func TestTypes_HaveAConstructorEach(t *testing.T) {
	made := one()
	for _, kind := range event.Types() {
		if _, ok := made[kind]; !ok {
			t.Errorf("%s: no constructor makes it", kind)
		}
		if !kind.Valid() {
			t.Errorf("%s is not valid", kind)
		}
	}
	if len(made) != len(event.Types()) || event.Type("OTHER").Valid() || event.Type("").Valid() {
		t.Error("the set is not closed")
	}
}

// The bodies byte for byte: receivers verify a signature over them.
func TestBody_OfEveryType(t *testing.T) {
	const time = `"timestamp":"2026-06-11T09:21:44.512Z"`
	want := map[event.Type]string{
		event.TypeCollection:         `{"collectionId":"collection","status":"COMPLETED","eventId":"ID",` + time + `}`,
		event.TypeConsentAuthorized:  `{"consentId":"consent","status":"AUTHORIZED","eventId":"ID",` + time + `,"event":"CONSENT_AUTHORIZED"}`,
		event.TypeConsentFailed:      `{"consentId":"consent","status":"FAILED","eventId":"ID",` + time + `,"event":"CONSENT_FAILED"}`,
		event.TypeConsentRevoked:     `{"consentId":"consent","status":"REVOKED","eventId":"ID",` + time + `,"event":"CONSENT_REVOKED"}`,
		event.TypeConsentExpired:     `{"consentId":"consent","status":"EXPIRED","eventId":"ID",` + time + `,"event":"CONSENT_EXPIRED"}`,
		event.TypeConsentExpiring:    `{"consentId":"consent","status":"AUTHORIZED","eventId":"ID",` + time + `,"event":"CONSENT_EXPIRING","expiresAt":"2026-06-11T10:21:44.512Z"}`,
		event.TypeConsentRenewed:     `{"consentId":"consent","status":"AUTHORIZED","eventId":"ID",` + time + `,"event":"CONSENT_RENEWED","renews":"old"}`,
		event.TypeAccountUpdated:     `{"accountId":"account","userId":"user","generation":2,"added":3,"modified":4,"removed":5,"eventId":"ID",` + time + `,"event":"ACCOUNT_UPDATED"}`,
		event.TypeRefreshPlanChanged: `{"userId":"user","consentId":"consent","state":"PAUSED","reason":"QUOTA","nextTry":"2026-06-11T10:21:44.512Z","eventId":"ID",` + time + `,"event":"REFRESH_PLAN_CHANGED"}`,
		event.TypeTest:               `{"endpointId":"endpoint","eventId":"ID",` + time + `,"event":"TEST"}`,
	}
	for kind, e := range one() {
		if got := strings.Replace(string(e.Body), e.ID, "ID", 1); got != want[kind] || !json.Valid(e.Body) {
			t.Errorf("%s:\n%s\nwant\n%s", kind, got, want[kind])
		}
		if e.ClientID != "client" || e.Resource == "" || e.Version != collection.V20260401 || !e.At.Equal(at) || e.Seq != 0 || !e.RecordedAt().IsZero() {
			t.Errorf("%s: %+v", kind, e)
		}
	}
}

// A collection that was started in 2025-01-01 ends in a status that this version has.
func TestCollection_SpeaksTheVersionThatStartedIt(t *testing.T) {
	for _, test := range []struct {
		status  collection.Status
		version string
		want    string
	}{
		{collection.AuthenticationError, collection.V20250101, `"status":"FAILED"`},
		{collection.LoginMethodNotApplicable, collection.V20250101, `"status":"FAILED"`},
		{collection.KYCForm, collection.V20250101, `"status":"KYC_FORM"`},
		{collection.AuthenticationError, collection.V20260401, `"status":"AUTHENTICATION_ERROR"`},
		{collection.AuthenticationError, "", `"status":"AUTHENTICATION_ERROR"`},
	} {
		e := event.Collection(ids, collected(test.status, test.version), at)
		if !strings.Contains(string(e.Body), test.want) || e.Version != collected("", test.version).StartedBy() {
			t.Errorf("%s in %q: %s", test.status, test.version, e.Body)
		}
	}
}

// Which accounts differ is not said: their ids may be IBANs.
func TestConsentRenewed_CountsOtherAccounts(t *testing.T) {
	with := func(ids ...string) consent.Consent {
		c := given(consent.Authorized)
		c.Granted = &consent.Scope{AccountIDs: ids}
		return c
	}
	e := event.ConsentRenewed(ids, with("SE4550000000058398257466"), with("SE3550000000054910000003", "SE7280000810340009783242"), at)
	if body := string(e.Body); !strings.Contains(body, `"accountsAdded":1,"accountsMissing":2`) || strings.Contains(body, "SE4550") {
		t.Error(body)
	}
	if e := event.ConsentRenewed(ids, with("a"), with("a"), at); strings.Contains(string(e.Body), "accounts") {
		t.Error(string(e.Body))
	}
}

func TestConsent_InsideACollectionHasNoEvent(t *testing.T) {
	c := given(consent.Revoked)
	c.CollectionID = "collection"
	if e, ok := event.Consent(ids, c, at); ok {
		t.Errorf("%+v", e)
	}
}

func TestRecordedAt_IsTheSeq(t *testing.T) {
	if got := (event.Event{Seq: at.UnixMicro()}).RecordedAt(); !got.Equal(at) || got.Location() != time.UTC {
		t.Error(got)
	}
}
