package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/store"
	"samla/test/harness"
)

// eventPage is an answer of GET /events.
type eventPage struct {
	Events []eventObject `json:"events"`
	Cursor string        `json:"cursor"`
	More   bool          `json:"more"`
}

type eventObject struct {
	EventID    string    `json:"eventId"`
	Type       string    `json:"type"`
	Version    string    `json:"version"`
	RecordedAt time.Time `json:"recordedAt"`
	UserID     string    `json:"userId"`
	Body       struct {
		EventID      string    `json:"eventId"`
		Timestamp    time.Time `json:"timestamp"`
		Event        string    `json:"event"`
		ConsentID    string    `json:"consentId"`
		CollectionID string    `json:"collectionId"`
		Status       string    `json:"status"`
	} `json:"body"`
}

// text is an event in one line, without the names of its ids.
func (e eventObject) text() string {
	return strings.Join([]string{e.Type, e.Body.Status, e.Body.ConsentID + e.Body.CollectionID, e.Version}, " ")
}

// following follows the events of a client by pages of two until it has n, and checks each.
// Those of accounts are left out.
func (c client) following(t *testing.T, query string, n int) (got []string) {
	t.Helper()
	var page eventPage
	deadline := time.Now().Add(pollTimeout)
	for cursor := ""; len(got) < n || page.More; cursor = "&cursor=" + page.Cursor {
		page = eventPage{}
		c.get(t, "/events?limit=2"+query+cursor, &page)
		for _, e := range page.Events {
			if e.EventID == "" || e.Body.EventID != e.EventID || e.RecordedAt.Before(e.Body.Timestamp) {
				t.Errorf("%+v", e)
			}
			if named := e.Body.Event; named != e.Type && (e.Type != "COLLECTION" || named != "") {
				t.Errorf("%s is named %q", e.Type, named)
			}
			if e.Type != "ACCOUNT_UPDATED" { // what is read of accounts is tested there
				got = append(got, e.text())
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %q", got)
		}
	}
	return got
}

// wantEvents compares events without their order between resources.
func wantEvents(t *testing.T, got []string, want ...string) {
	t.Helper()
	if got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every end is told once, in the form of the version that began it, and that of a consent
// inside a collection by the collection's event.
func TestEvents_TellOfConsentsAndCollections(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		w.Log.Secret("a personal number", hasTwo, failsAtOne)
		user, session, signed := w.authorizedConsent(t, w.acme)
		var begun collectionStatus
		session.post(t, "/collections", requestBody(demoBank, "", attendedConsent(signed.ConsentID)), &begun)
		session.finalCollection(t, begun.ID)
		var once collectionStatus
		session.post(t, "/collections", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)), &once)
		session.delete(t, "/collections/"+once.ID).WantStatus(t, http.StatusNoContent, nil)
		older := session
		older.Contract = harness.OlderContract(t)
		olderPath := begin(t, older, demoCompany, mockLogin, hasTwo)
		reaches(t, older, olderPath, "COMPLETED")
		session.delete(t, "/consents/"+signed.ConsentID).WantStatus(t, http.StatusOK, nil)
		want := []string{
			"CONSENT_AUTHORIZED AUTHORIZED " + signed.ConsentID + " 2026-04-01",
			"COLLECTION COMPLETED " + begun.ID + " 2026-04-01",
			"COLLECTION AUTHENTICATION_CANCELLED " + once.ID + " 2026-04-01",
			"COLLECTION COMPLETED " + strings.TrimPrefix(olderPath, "/wealth/collection/") + " 2025-01-01",
			"CONSENT_REVOKED REVOKED " + signed.ConsentID + " 2026-04-01",
		}
		got := w.acme.following(t, "", len(want))
		wantEvents(t, got, want...)
		if slices.Index(got, want[0]) > slices.Index(got, want[4]) {
			t.Errorf("the events of a consent are out of order: %q", got)
		}
		wantEvents(t, w.acme.following(t, "&userId="+user.UserUUID, len(want)), want...)
		wantEvents(t, w.acme.following(t, "&type=COLLECTION", 3), want[1:4]...)
		wantEvents(t, w.acme.following(t, "&type=CONSENT_REVOKED&userId="+user.UserUUID, 1), want[4])
		wantEvents(t, w.acme.following(t, "&userId="+unknownID, 0))
		wantEvents(t, w.acme.following(t, "&type=TEST", 0))
		wantEvents(t, w.other.following(t, "", 0))

		// The events of an erased user stay, and the erasure has its own.
		var waiting consentObject
		session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)), &waiting)
		w.acme.delete(t, "/users/"+user.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		want = append(want, "CONSENT_REVOKED REVOKED "+waiting.ConsentID+" 2026-04-01")
		wantEvents(t, w.acme.following(t, "&userId="+user.UserUUID, len(want)), want...)
	})
}

func TestEvents_SelectATimeAndRefuseWhatIsWrong(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, _, signed := w.authorizedConsent(t, w.acme)
		w.acme.following(t, "", 1)
		var page eventPage
		w.acme.get(t, "/events", &page)
		at := page.Events[0].RecordedAt
		form := func(d time.Duration) string { return at.Add(d).Format("2006-01-02T15:04:05.000") }
		wantOne := "CONSENT_AUTHORIZED AUTHORIZED " + signed.ConsentID + " 2026-04-01"
		wantEvents(t, w.acme.following(t, "&from="+form(0)+"Z&to="+form(time.Second)+"Z", 1), wantOne)
		wantEvents(t, w.acme.following(t, "&from="+form(2*time.Hour)+"%2B02:00", 1), wantOne)
		wantEvents(t, w.acme.following(t, "&to="+form(0), 0))
		wantEvents(t, w.acme.following(t, "&from="+form(time.Second), 0))
		for query, pointer := range map[string]string{
			"type=ANYTHING": "?type", "type=": "?type", "type=TEST&type=TEST": "?type", "type=collection": "?type", "from=yesterday": "?from", "from=": "?from",
			"from=2026-02-30T00:00:00Z": "?from", "to=1": "?to", "from=" + form(0) + "&to=" + form(0): "?to", "limit=0": "?limit", "limit=201": "?limit", "limit=x": "?limit",
			"cursor=x": "?cursor", "cursor=": "?cursor", "cursor=" + unknownID: "?cursor", "cursor=" + page.Cursor + "&cursor=" + page.Cursor: "?cursor", "userId=": "?userId",
		} {
			p := w.acme.Do(t, "GET", "/events?"+query, nil).WantProblem(t, fault.InvalidParameter)
			if len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
				t.Errorf("%s: %s", query, fmt.Sprint(p.Errors))
			}
		}
		w.forgetEvents(t)
		w.acme.Do(t, "GET", "/events?cursor=MA", nil).WantProblem(t, fault.CursorExpired)
		wantEvents(t, w.acme.following(t, "&cursor="+page.Cursor, 0))
	})
}

// forgetEvents deletes all events, as when they are older than 30 days.
func (w *env) forgetEvents(t *testing.T) {
	t.Helper()
	err := w.Server.Store().Write(t.Context(), func(tx store.Tx) error {
		_, _, err := tx.Sweep(t.Context(), time.Now().AddDate(0, 0, 31), 365*24*time.Hour)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rowEvents gets the answers of GET /events.
func rowEvents(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	w.authorizedConsent(t, w.acme)
	w.acme.following(t, "", 1)
	w.acme.Do(t, "GET", "/events?type=ANYTHING", nil).WantProblem(t, fault.InvalidParameter)
	w.forgetEvents(t)
	w.acme.Do(t, "GET", "/events?cursor=MA", nil).WantProblem(t, fault.CursorExpired)
}
