package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/sandbox/bankid"
)

func TestConsent_IsAuthorizedByQRCode(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session := w.acme.person(t)
		var made consentObject
		first := session.post(t, "/consents", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(maja)), &made)
		if made.Status != "INITIATED" || made.Company != demoBank || made.Scope.Type != "PSD2_AIS" || made.ExpiresAt.Before(time.Now().AddDate(0, 0, 170)) {
			t.Errorf("made %s", first.Body)
		}
		if got := first.Header.Get("Location"); got != "/consents/"+made.ConsentID+"/status" {
			t.Errorf("Location %q", got)
		}
		shown := session.awaitingConsent(t, made.ConsentID)
		do := shown.AuthInstructions
		if do.Type != "SWEDISH_BANKID_QR_CODE" || do.QRImage == "" || *shown.PollingInterval != 1000 || !strings.HasPrefix(do.QRData, "bankid.") {
			t.Fatalf("instructions %+v", do)
		}
		if !strings.HasPrefix(do.UserMessage.Code, "RFA") || do.UserMessage.Text == "" || do.ExpiresAt.Before(time.Now()) {
			t.Errorf("instructions %+v", do)
		}
		// The QR code changes every second.
		next := poll(t, session, "/consents/"+made.ConsentID+"/status", func(s consentStatus) bool {
			return s.AuthInstructions == nil || s.AuthInstructions.QRData != do.QRData
		})
		if next.AuthInstructions == nil || next.AuthInstructions.QRImage == do.QRImage {
			t.Fatalf("after a second: %+v", next)
		}
		w.phone(t, bankid.PhoneAction{Action: bankid.Approve, QRData: next.AuthInstructions.QRData})
		done := session.finalConsent(t, made.ConsentID)
		if done.Status != string(consent.Authorized) || done.ExpiresAt.IsZero() || done.AuthInstructions != nil {
			t.Errorf("after signing: %+v", done)
		}
		for _, lister := range []struct {
			client
			path string
		}{{session, "/consents"}, {w.acme, "/users/" + user.UserUUID + "/consents"}} {
			var list []consentObject
			lister.get(t, lister.path, &list)
			if len(list) != 1 || list[0].ConsentID != made.ConsentID || list[0].Status != "AUTHORIZED" {
				t.Errorf("%s: %+v", lister.path, list)
			}
		}
		w.other.Do(t, "GET", "/users/"+user.UserUUID+"/consents", nil).WantProblem(t, fault.UserNotFound)
		testRevocation(t, session, made.ConsentID)
	})
}

func testRevocation(t *testing.T, session client, id string) {
	t.Helper()
	var revoked consentStatus
	first := session.delete(t, "/consents/"+id).WantStatus(t, http.StatusOK, &revoked)
	if revoked.Status != "REVOKED" || revoked.RevokedAt.IsZero() || revoked.PollingInterval != nil {
		t.Errorf("revoked: %s", first.Body)
	}
	again := session.delete(t, "/consents/"+id).WantStatus(t, http.StatusOK, nil)
	polled := session.get(t, "/consents/"+id+"/status", nil)
	if string(again.Body) != string(first.Body) || string(polled.Body) != string(first.Body) {
		t.Errorf("revoked again %s, polled %s, at first %s", again.Body, polled.Body, first.Body)
	}
	session.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(id))).WantProblem(t, fault.ConsentRevoked)
}

func TestConsent_FailsByActionOnPhone(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		_, session := w.acme.person(t)
		for _, c := range []struct {
			action bankid.PhoneAction
			want   consent.FailureCode
		}{
			{bankid.PhoneAction{Action: bankid.Decline}, consent.AuthenticationCancelled},
			{bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: gun}, consent.AuthenticationMismatch},
		} {
			var made consentObject
			session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &made)
			shown := session.awaitingConsent(t, made.ConsentID)
			if shown.AuthInstructions.Type != "SWEDISH_BANKID_AUTOSTART_TOKEN" || shown.AuthInstructions.QRData != "" {
				t.Errorf("instructions %+v", shown.AuthInstructions)
			}
			session.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentNotAuthorized)
			c.action.AutoStartToken = shown.AuthInstructions.AutoStartToken
			w.phone(t, c.action)
			got := session.finalConsent(t, made.ConsentID)
			if got.Status != "FAILED" || got.Error.Code != string(c.want) || got.Error.Message == "" {
				t.Errorf("got %+v, want %s", got, c.want)
			}
			session.delete(t, "/consents/"+made.ConsentID).WantProblem(t, fault.ConsentNotRevocable)
			session.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentNotAuthorized)
		}
		// A consent that waits for the person can be revoked.
		var made consentObject
		session.post(t, "/consents", requestBody(autostartBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &made)
		session.awaitingConsent(t, made.ConsentID)
		var revoked consentStatus
		session.delete(t, "/consents/"+made.ConsentID).WantStatus(t, http.StatusOK, &revoked)
		if revoked.Status != "REVOKED" || revoked.AuthInstructions != nil {
			t.Errorf("revoked: %+v", revoked)
		}
	})
}

func TestConsent_ReturnsRequestedScope(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session := w.acme.person(t)
		last := time.Now().UTC().AddDate(0, 0, 3)
		p := scopeParameter()
		p["accountIds"], p["transactions"], p["validUntil"] = []string{"SE1234567890", "å\""}, false, last.Format(time.DateOnly)
		var made consentObject
		session.post(t, "/consents", requestBody(demoBank, "", p), &made)
		if got := made.Scope; len(got.AccountIDs) != 2 || got.AccountIDs[1] != "å\"" || !got.Balances || got.Transactions {
			t.Errorf("scope %+v", got)
		}
		if want := time.Date(last.Year(), last.Month(), last.Day(), 23, 59, 59, 0, time.UTC); !made.ExpiresAt.Equal(want) {
			t.Errorf("expires %v, want %v", made.ExpiresAt, want)
		}
		// validUntil is limited to the bank's maximum. An empty list means all accounts.
		p = scopeParameter()
		p["accountIds"], p["validUntil"] = []string{}, "2999-12-31"
		made = consentObject{}
		session.post(t, "/consents", requestBody(demoBank, "", p), &made)
		if made.Scope.AccountIDs != nil {
			t.Errorf("scope %+v", made.Scope)
		}
		if made.ExpiresAt.After(time.Now().AddDate(0, 0, 181)) {
			t.Errorf("expires %v", made.ExpiresAt)
		}
	})
}

// When more persons wait than can be kept fresh, new ones are told to come later, with
// consents and with one-time collections.
func TestConsent_IsRefusedWhenTooManyWait(t *testing.T) {
	t.Parallel()
	w := newEnv(t, devserver.Config{MaxWaiting: 1})
	_, session := w.acme.person(t)
	var made consentObject
	session.post(t, "/consents", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(maja)), &made)
	session.awaitingConsent(t, made.ConsentID)
	second := requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(gun))
	for _, path := range []string{"/consents", "/collections"} {
		refused := session.Do(t, http.MethodPost, path, second)
		refused.WantProblem(t, fault.Unavailable)
		if refused.Header.Get("Retry-After") == "" {
			t.Errorf("%s: refused without Retry-After", path)
		}
	}
	session.delete(t, "/consents/"+made.ConsentID)
	session.post(t, "/consents", second, nil)
}
