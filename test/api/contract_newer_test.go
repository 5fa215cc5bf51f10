package api

import (
	"net/http"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/sandbox/bankid"
	"samla/internal/store"
)

// newerRows get the answers of version 2026-04-01 that are of one operation only.
var newerRows = []row{
	{"users", rowUsers},
	{"consents", rowConsents},
	{"collections", rowCollections},
	{"companies and the server", rowServer},
	{"the status of institutions", rowStatus},
	{"events", rowEvents},
	{"transactions of accounts", rowTransactions},
	{"webhooks", rowWebhooks},
	{"too many wait", rowTooManyWait},
	{"reads without the person", rowRefresh},
	{"the connect page", rowConnect},
}

func init() {
	bodies["2026-04-01 initiateCollection"] = func(*testing.T) any {
		return requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun))
	}
}

func rowUsers(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	user, _ := w.person(t)
	path := "/users/" + user.UserUUID
	w.acme.Do(t, "POST", "/users", object{"externalId": *user.ExternalID}).WantProblem(t, fault.UserExists)
	w.acme.get(t, path, nil)
	w.acme.get(t, "/users?externalId="+*user.ExternalID, nil)
	w.acme.Do(t, "GET", "/users?externalId=nobody", nil).WantProblem(t, fault.UserNotFound)
	w.acme.Do(t, "GET", "/users", nil).WantProblem(t, fault.InvalidParameter)
	w.acme.get(t, path+"/collections", nil)
	w.acme.get(t, path+"/consents", nil)
	w.acme.Do(t, "POST", path+"/permission-links", object{"language": "sv"}).WantStatus(t, http.StatusCreated, nil)
	w.acme.Do(t, "POST", path+"/permission-links", nil).WantStatus(t, http.StatusCreated, nil)
	w.acme.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
	w.acme.Do(t, "POST", path+"/sessions", nil).WantProblem(t, fault.UserAnonymized)
	w.acme.Do(t, "POST", path+"/permission-links", object{}).WantProblem(t, fault.UserAnonymized)
}

func rowConsents(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	_, session := w.person(t)
	var made consentObject
	session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)), &made)
	session.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentNotAuthorized)
	session.get(t, "/consents", nil)
	session.delete(t, "/consents/"+made.ConsentID).WantStatus(t, http.StatusOK, nil)
	session.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID))).WantProblem(t, fault.ConsentRevoked)

	_, owner, signed := w.authorizedConsent(t, w.acme)
	owner.Do(t, "POST", "/collections", requestBody(autostartBank, "", attendedConsent(signed.ConsentID))).WantProblem(t, fault.ConsentCompanyMismatch)
	w.acme.Do(t, "POST", "/collections", requestBody(demoBank, "", storedConsent(unknownID))).WantProblem(t, fault.ConsentNotFound)
	for range 4 {
		w.acme.post(t, "/collections", requestBody(demoBank, "", storedConsent(signed.ConsentID)), nil)
	}
	w.acme.Do(t, "POST", "/collections", requestBody(demoBank, "", storedConsent(signed.ConsentID))).WantProblem(t, fault.BackgroundRefreshLimit)
	var renewed consentObject
	owner.post(t, "/consents/"+signed.ConsentID+"/renew", renewal(scopeParameter()), &renewed)
	owner.Do(t, "POST", "/consents/"+signed.ConsentID+"/renew", renewal(scopeParameter())).WantProblem(t, fault.ConsentRenewalPending)
	owner.delete(t, "/consents/"+renewed.ConsentID).WantStatus(t, http.StatusOK, nil)
	session.Do(t, "POST", "/consents/"+made.ConsentID+"/renew", renewal(scopeParameter())).WantProblem(t, fault.ConsentNotRenewable)
	_, err := store.UpdateConsent(t.Context(), w.Server.Store(), consent.ID(signed.ConsentID), func(c consent.Consent) (consent.Consent, func(store.Tx) error, error) {
		c.ExpiresAt = time.Now().Add(-time.Minute)
		return c, nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	owner.Do(t, "POST", "/collections", requestBody(demoBank, "", attendedConsent(signed.ConsentID))).WantProblem(t, fault.ConsentExpired)
	// A consent that the person has declined ended already.
	declined := w.declinedConsent(t, session)
	session.delete(t, "/consents/"+declined).WantProblem(t, fault.ConsentNotRevocable)
}

func rowCollections(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	user, session, made := w.authorizedConsent(t, w.acme)
	var begun collectionStatus
	session.post(t, "/collections", requestBody(demoBank, "", attendedConsent(made.ConsentID)), &begun)
	session.finalCollection(t, begun.ID)
	path := "/collections/" + begun.ID
	session.get(t, "/wealth/collection/"+begun.ID+"/status", nil)
	session.get(t, "/collections", nil)
	w.acme.get(t, "/users/"+user.UserUUID+"/collections?latest=true", nil)
	tag := session.get(t, path+"/wealth/data", nil).Header.Get("ETag")
	session.with("If-None-Match", tag).Do(t, "GET", path+"/wealth/data", nil).WantStatus(t, http.StatusNotModified, nil)
	session.Do(t, "POST", path+"/cancel", nil).WantStatus(t, http.StatusOK, nil)
	session.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
	session.Do(t, "GET", path+"/wealth/data", nil).WantProblem(t, fault.DataExpired)

	session.post(t, "/collections", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)), &begun)
	path = "/collections/" + begun.ID
	session.Do(t, "GET", path+"/wealth/data", nil).WantProblem(t, fault.CollectionNotFinished)
	session.Do(t, "POST", path+"/supplement-info", bodies["addSupplementInformation"](t)).WantProblem(t, fault.SupplementNotExpected)
	session.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
	session.Do(t, "GET", path+"/wealth/data", nil).WantProblem(t, fault.CollectionFailed)

	session.post(t, "/collections", requestBody(demoCompany, mockLogin, bankIDParameter(askedCode)), &begun)
	path = "/collections/" + begun.ID
	poll(t, session, path+"/status", func(s olderStatus) bool { return s.Status == "TWO_FACTOR_PENDING" })
	session.Do(t, "POST", path+"/supplement-info", object{"type": "TWO_FACTOR_CODE", "value": "123456"}).WantStatus(t, http.StatusNoContent, nil)
	poll(t, session, path+"/status", func(s olderStatus) bool { return s.Status == "COMPLETED" })
	session.get(t, path+"/wealth/data", nil)
}

func rowServer(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	w.acme.get(t, "/companies/availability", nil)
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/.well-known/jwks.json"} {
		w.in(w.noCredential()).get(t, path, nil)
	}
}

// rowStatus asks what was measured of institutions.
func rowStatus(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	none := w.in(w.noCredential())
	tag := none.Do(t, http.MethodGet, "/status?days=7", nil).Header.Get("ETag")
	none.with("If-None-Match", tag).Do(t, http.MethodGet, "/status?days=7", nil).WantStatus(t, http.StatusNotModified, nil)
	none.Do(t, http.MethodGet, "/status?days=2", nil).WantProblem(t, fault.InvalidParameter)
}

// rowTooManyWait asks for more signatures than the server can keep fresh.
func rowTooManyWait(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t), MaxWaiting: 1})
	_, session := w.person(t)
	body := func(number string) object {
		return requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(number))
	}
	var made consentObject
	session.post(t, "/consents", body(maja), &made)
	session.awaitingConsent(t, made.ConsentID)
	session.Do(t, "POST", "/consents", body(gun)).WantProblem(t, fault.Unavailable)
	session.Do(t, "POST", "/collections", body(gun)).WantProblem(t, fault.Unavailable)
}

// declinedConsent returns the id of a consent that the person has declined.
func (w *walk) declinedConsent(t *testing.T, session client) string {
	t.Helper()
	var made consentObject
	session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &made)
	shown := session.awaitingConsent(t, made.ConsentID)
	w.phone(t, bankid.PhoneAction{Action: bankid.Decline, AutoStartToken: shown.AuthInstructions.AutoStartToken})
	session.finalConsent(t, made.ConsentID)
	return made.ConsentID
}
