package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/sandbox/bankid"
)

func TestConsentWithQRCode(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		w.secretsOfMaja()
		user, session := w.acme.person(t)
		var made consentObject
		first := session.post(t, "/consents", ask(demo, other, scope(), number(maja)), &made)
		if made.Status != "INITIATED" || made.Company != demo || made.Scope.Type != "PSD2_AIS" || made.ExpiresAt.Before(time.Now().AddDate(0, 0, 170)) {
			t.Errorf("made %s", first.Body)
		}
		if got := first.Header.Get("Location"); got != "/consents/"+made.ConsentID+"/status" {
			t.Errorf("Location %q", got)
		}
		shown := session.awaiting(t, made.ConsentID)
		do := shown.AuthInstructions
		if do.Type != "SWEDISH_BANKID_QR_CODE" || do.QRImage == "" || *shown.PollingInterval != 1000 || !strings.HasPrefix(do.QRData, "bankid.") {
			t.Fatalf("instructions %+v", do)
		}
		if !strings.HasPrefix(do.UserMessage.Code, "RFA") || do.UserMessage.Text == "" || do.ExpiresAt.Before(time.Now()) {
			t.Errorf("instructions %+v", do)
		}
		// The picture moves every second.
		next := poll(t, session, "/consents/"+made.ConsentID+"/status", func(s consentStatus) bool {
			return s.AuthInstructions == nil || s.AuthInstructions.QRData != do.QRData
		})
		if next.AuthInstructions == nil || next.AuthInstructions.QRImage == do.QRImage {
			t.Fatalf("after a second: %+v", next)
		}
		w.phone(t, bankid.PhoneAction{Action: bankid.Approve, QRData: next.AuthInstructions.QRData})
		done := session.ended(t, made.ConsentID)
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
		w.other.Do(t, "GET", "/users/"+user.UserUUID+"/consents", nil).Fails(t, fault.UserNotFound)
		testRevocation(t, session, made.ConsentID)
	})
}

func testRevocation(t *testing.T, session client, id string) {
	t.Helper()
	var revoked consentStatus
	first := session.remove(t, "/consents/"+id).Is(t, http.StatusOK, &revoked)
	if revoked.Status != "REVOKED" || revoked.RevokedAt.IsZero() || revoked.PollingInterval != nil {
		t.Errorf("revoked: %s", first.Body)
	}
	again := session.remove(t, "/consents/"+id).Is(t, http.StatusOK, nil)
	polled := session.get(t, "/consents/"+id+"/status", nil)
	if string(again.Body) != string(first.Body) || string(polled.Body) != string(first.Body) {
		t.Errorf("revoked again %s, polled %s, at first %s", again.Body, polled.Body, first.Body)
	}
	session.Do(t, "POST", "/collections", ask(demo, "", attended(id))).Fails(t, fault.ConsentRevoked)
}

func TestConsentEndsOnThePhone(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		w.secretsOfMaja()
		_, session := w.acme.person(t)
		for _, c := range []struct {
			deed bankid.PhoneAction
			want consent.FailureCode
		}{
			{bankid.PhoneAction{Action: bankid.Decline}, consent.AuthenticationCancelled},
			{bankid.PhoneAction{Action: bankid.Approve, PersonalNumber: stranger}, consent.AuthenticationMismatch},
		} {
			var made consentObject
			session.post(t, "/consents", ask(demo, same, scope(), number(maja)), &made)
			shown := session.awaiting(t, made.ConsentID)
			if shown.AuthInstructions.Type != "SWEDISH_BANKID_AUTOSTART_TOKEN" || shown.AuthInstructions.QRData != "" {
				t.Errorf("instructions %+v", shown.AuthInstructions)
			}
			session.Do(t, "POST", "/collections", ask(demo, "", attended(made.ConsentID))).Fails(t, fault.ConsentNotAuthorized)
			c.deed.AutoStartToken = shown.AuthInstructions.AutoStartToken
			w.phone(t, c.deed)
			got := session.ended(t, made.ConsentID)
			if got.Status != "FAILED" || got.Error.Code != string(c.want) || got.Error.Message == "" {
				t.Errorf("instead of %s: %+v", c.want, got)
			}
			session.remove(t, "/consents/"+made.ConsentID).Fails(t, fault.ConsentNotRevocable)
			session.Do(t, "POST", "/collections", ask(demo, "", attended(made.ConsentID))).Fails(t, fault.ConsentNotAuthorized)
		}
		// Withdrawn while it waits: the person is let go.
		var made consentObject
		session.post(t, "/consents", ask(needsNumber, same, scope(), number(maja)), &made)
		session.awaiting(t, made.ConsentID)
		var revoked consentStatus
		session.remove(t, "/consents/"+made.ConsentID).Is(t, http.StatusOK, &revoked)
		if revoked.Status != "REVOKED" || revoked.AuthInstructions != nil {
			t.Errorf("revoked: %+v", revoked)
		}
	})
}

func TestScopeIsAsAskedFor(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		_, session := w.acme.person(t)
		last := time.Now().UTC().AddDate(0, 0, 3)
		p := scope()
		p["accountIds"], p["transactions"], p["validUntil"] = []string{"SE1234567890", "å\""}, false, last.Format(time.DateOnly)
		var made consentObject
		session.post(t, "/consents", ask(demo, "", p), &made)
		if got := made.Scope; len(got.AccountIDs) != 2 || got.AccountIDs[1] != "å\"" || !got.Balances || got.Transactions {
			t.Errorf("scope %+v", got)
		}
		if want := time.Date(last.Year(), last.Month(), last.Day(), 23, 59, 59, 0, time.UTC); !made.ExpiresAt.Equal(want) {
			t.Errorf("expires %v instead of %v", made.ExpiresAt, want)
		}
		// Beyond the bank's maximum it is clipped; an empty list is all accounts.
		p = scope()
		p["accountIds"], p["validUntil"] = []string{}, "2999-12-31"
		made = consentObject{}
		session.post(t, "/consents", ask(demo, "", p), &made)
		if made.Scope.AccountIDs != nil {
			t.Errorf("scope %+v", made.Scope)
		}
		if made.ExpiresAt.After(time.Now().AddDate(0, 0, 181)) {
			t.Errorf("expires %v", made.ExpiresAt)
		}
	})
}
