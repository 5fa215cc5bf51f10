package api

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/sandbox/bankid"
)

func TestCollection_WithStoredConsent(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session, made := w.authorizedConsent(t, w.acme)
		for name, caller := range map[string]client{"session": session, "key": w.acme} {
			var begun collectionStatus
			first := caller.post(t, "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID)), &begun)
			if begun.Status != "RUNNING" || *begun.PollingInterval != 1000 || begun.ExtraInformation != nil {
				t.Errorf("%s: %s", name, first.Body)
			}
			if left := time.Until(begun.PollingTimeout); left < 50*time.Second || left > 61*time.Second {
				t.Errorf("%s: lease of %v", name, left)
			}
			if got := first.Header.Get("Location"); got != "/collections/"+begun.ID+"/status" {
				t.Errorf("%s: Location %q", name, got)
			}
			if done := caller.finalCollection(t, begun.ID); done.Status != "COMPLETED" || !done.PollingTimeout.IsZero() {
				t.Fatalf("%s: %+v", name, done)
			}
			// In both cases the user owns the collection, and the API key can read it.
			for _, reader := range []client{session, w.acme} {
				w.products(t, reader, begun.ID)
				one := reader.get(t, "/collections/"+begun.ID+"/status", nil)
				alias := reader.get(t, "/wealth/collection/"+begun.ID+"/status", nil)
				if string(one.Body) != string(alias.Body) {
					t.Errorf("%s and its alias %s differ", one.Body, alias.Body)
				}
			}
			// Cancelling a finished collection does not change it.
			var still collectionStatus
			caller.Do(t, "POST", "/collections/"+begun.ID+"/cancel", nil).WantStatus(t, http.StatusOK, &still)
			if still.Status != "COMPLETED" {
				t.Errorf("%s: after cancelling %+v", name, still)
			}
		}
		w.acme.Do(t, "POST", "/collections", requestBody(autostartBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentCompanyMismatch)
		_, another := w.acme.person(t)
		another.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentNotFound)
		w.other.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentNotFound)
		w.acme.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent("no id"))).WantProblem(t, fault.ConsentNotFound)
		testBackground(t, w, made.ConsentID)
		testLists(t, w, session, user)
	})
}

// products returns the data and registers account numbers as secrets.
func (w *env) products(t *testing.T, c client, id string) []map[string]any {
	t.Helper()
	var list []map[string]any
	c.get(t, "/collections/"+id+"/wealth/data", &list)
	kinds := map[any]bool{}
	for _, p := range list {
		kinds[p["type"]] = true
		for _, name := range []string{"iban", "accountNumber"} {
			if text, ok := p[name].(string); ok {
				w.Log.Secret("an account number", text)
			}
		}
	}
	for _, kind := range []string{"PSD2_CHECKING_ACCOUNT", "PSD2_SAVINGS_ACCOUNT", "PSD2_CREDIT_CARD"} {
		if !kinds[kind] {
			t.Errorf("no %s among %v", kind, kinds)
		}
	}
	return list
}

// testBackground makes background refreshes until the limit of 4 in 24 hours.
func testBackground(t *testing.T, w *env, consentID string) {
	t.Helper()
	for range 4 {
		var begun collectionStatus
		first := w.acme.post(t, "/collections", requestBody(demoBank, "", storedConsent(consentID)), &begun)
		if !begun.PollingTimeout.IsZero() {
			t.Errorf("a background refresh has a lease: %s", first.Body)
		}
		if done := w.acme.finalCollection(t, begun.ID); done.Status != "COMPLETED" {
			t.Errorf("in the background: %+v", done)
		}
	}
	a := w.acme.Do(t, "POST", "/collections", requestBody(demoBank, "", storedConsent(consentID)))
	p := a.WantProblem(t, fault.BackgroundRefreshLimit)
	next, err := time.Parse(time.RFC3339, p.NextAllowedAt)
	if err != nil || time.Until(next) < 23*time.Hour || a.Header.Get("Retry-After") == "" {
		t.Errorf("next %q (%v), Retry-After %q", p.NextAllowedAt, err, a.Header.Get("Retry-After"))
	}
	w.acme.post(t, "/collections", requestBody(demoBank, "", attendedConsent(consentID)), nil) // attended collections have no limit
}

// testLists lists the seven collections that the previous tests have created.
func testLists(t *testing.T, w *env, session client, user userObject) {
	t.Helper()
	w.acme.post(t, "/collections", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(tolvan)), nil) // has no user
	for _, c := range []struct {
		client
		path string
		want int
	}{
		{session, "/collections", 7}, {w.acme, "/users/" + user.UserUUID + "/collections", 7}, {w.acme, "/collections", 8},
		{w.other, "/collections", 0}, {session, "/collections?latest=true", 1}, {session, "/collections?latest=false", 7},
		{session, "/collections?statusIn=FAILED", 0}, {session, "/collections?statusIn=FAILED,COMPLETED&statusIn=RUNNING,COLLECTING", 7},
		{w.acme, "/users/" + user.UserUUID + "/collections?statusIn=COMPLETED&latest=true", 1},
	} {
		var list []summary
		a := c.get(t, c.path, &list)
		if len(list) != c.want || a.Header.Get("Link") != "" {
			t.Errorf("%s: %d, want %d, Link %q", c.path, len(list), c.want, a.Header.Get("Link"))
		}
	}
	for _, path := range []string{"/collections", "/users/" + user.UserUUID + "/collections"} {
		p := w.acme.Do(t, "GET", path+"?statusIn=COMPLETED,DONE&latest=maybe&limit=201&cursor=!", nil).WantProblem(t, fault.InvalidParameter)
		if len(p.Errors) < 3 {
			t.Errorf("%s: %+v", path, p.Errors)
		}
	}
	w.other.Do(t, "GET", "/users/"+user.UserUUID+"/collections", nil).WantProblem(t, fault.UserNotFound)
}

func TestCollection_OneTime(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session := w.acme.person(t)
		for _, c := range []struct {
			name   string
			caller client
			method string
			key    string // of extraInformation
			number string
			want   string
		}{
			{"session, QR code", session, otherDevice, "SWEDISH_MOBILE_BANKID_ANIMATED_QR_DATA", maja, "COMPLETED"},
			{"key, same device, ten digits", w.acme, sameDevice, "SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN", maja[2:], "COMPLETED"},
			{"nothing to collect", session, sameDevice, "SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN", tolvan, "COMPLETED_EMPTY"},
		} {
			t.Run(c.name, func(t *testing.T) {
				var begun collectionStatus
				c.caller.post(t, "/collections", requestBody(demoBank, c.method, scopeParameter(), bankIDParameter(c.number)), &begun)
				path := "/collections/" + begun.ID + "/status"
				shown := poll(t, c.caller, path, func(s collectionStatus) bool { return s.ExtraInformation[c.key] != "" })
				w.Log.Secret("an autostart token", shown.ExtraInformation["SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"])
				c.caller.Do(t, "GET", "/collections/"+begun.ID+"/wealth/data", nil).WantProblem(t, fault.CollectionNotFinished)
				poll(t, c.caller, path, func(s collectionStatus) bool { return s.Status == "LOGIN" })
				action := bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: shown.ExtraInformation[c.key]}
				if c.method == otherDevice {
					action.AutoStartToken, action.QRData = "", shown.ExtraInformation[c.key]
					if shown.ExtraInformation["SWEDISH_BANKID_QRCODE"] == "" {
						t.Error("no picture")
					}
				}
				w.phone(t, action)
				if done := c.caller.finalCollection(t, begun.ID); done.Status != c.want || done.ExtraInformation != nil {
					t.Fatalf("%+v", done)
				}
				if c.want == "COMPLETED_EMPTY" {
					if a := c.caller.get(t, "/collections/"+begun.ID+"/wealth/data", nil); string(a.Body) != "[]" {
						t.Errorf("data %s", a.Body)
					}
					return
				}
				w.products(t, c.caller, begun.ID)
				for range 2 {
					c.caller.delete(t, "/collections/"+begun.ID).WantStatus(t, http.StatusNoContent, nil)
				}
				c.caller.Do(t, "GET", "/collections/"+begun.ID+"/wealth/data", nil).WantProblem(t, fault.DataExpired)
				if c.caller.Header.Get("Authorization-Token") != "" { // has no user
					session.Do(t, "GET", path, nil).WantProblem(t, fault.CollectionNotFound)
				}
			})
		}
		// The consents of one-time collections are not listed.
		var list []json.RawMessage
		w.acme.get(t, "/users/"+user.UserUUID+"/consents", &list)
		if len(list) != 0 {
			t.Errorf("consents %s", list)
		}
	})
}

func TestCollection_Cancel(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		_, session := w.acme.person(t)
		start := func() string {
			var begun collectionStatus
			session.post(t, "/collections", requestBody(autostartBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &begun)
			poll(t, session, "/collections/"+begun.ID+"/status", func(s collectionStatus) bool { return s.ExtraInformation != nil })
			return begun.ID
		}
		for name, cancel := range map[string]func(id string){
			"cancel": func(id string) {
				var stopped collectionStatus
				session.Do(t, "POST", "/collections/"+id+"/cancel", nil).WantStatus(t, http.StatusOK, &stopped)
				if stopped.Status != "AUTHENTICATION_CANCELLED" || stopped.ExtraInformation != nil || stopped.PollingInterval != nil {
					t.Errorf("stopped %+v", stopped)
				}
			},
			"delete": func(id string) { session.delete(t, "/collections/"+id).WantStatus(t, http.StatusNoContent, nil) },
		} {
			id := start()
			cancel(id)
			var after collectionStatus
			session.get(t, "/collections/"+id+"/status", &after)
			if after.Status != "AUTHENTICATION_CANCELLED" {
				t.Errorf("%s: %+v", name, after)
			}
			session.Do(t, "GET", "/collections/"+id+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)
		}
		// The collections of a deleted user are cancelled and cannot be read by the user.
		u, other := w.acme.person(t)
		var begun collectionStatus
		other.post(t, "/collections", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &begun)
		w.acme.delete(t, "/users/"+u.UserUUID).WantStatus(t, http.StatusNoContent, nil)
		other.Do(t, "GET", "/collections/"+begun.ID+"/status", nil).WantProblem(t, fault.Unauthorized)
		if got := w.acme.finalCollection(t, begun.ID); got.Status != "AUTHENTICATION_CANCELLED" {
			t.Errorf("after its user was deleted: %+v", got)
		}
	})
}
