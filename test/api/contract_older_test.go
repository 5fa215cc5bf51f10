package api

import (
	"net/http"
	"testing"

	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/sandbox/bankid"
)

// olderRows get the answers of version 2025-01-01 that are of one operation only.
var olderRows = []row{
	{"collections", rowOlderCollections},
	{"public pension", rowPublicPension},
	{"companies and the server", rowServer},
}

const (
	demoCompany   = "se-demo"
	mockLogin     = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE_MOCK"
	publicCompany = "se-sandbox-public"

	// Persons of docs/sandbox.md.
	anybody    = "199006022397" // a whole household
	failsAtOne = "200002010000"
	hasTwo     = "200001020000" // two of each type
	askedCode  = "200004010000" // is asked for the code 123456
)

func init() {
	bodies["2025-01-01 initiateCollection"] = func(*testing.T) any { return olderBody(demoCompany, mockLogin, anybody) }
}

// olderBody is a request of version 2025-01-01.
func olderBody(company, method, number string) object {
	return object{"company": company, "loginMethod": method, "input": object{"SWEDISH_PERSONAL_NUMBER": number}, "consents": []object{{"any": 1}}}
}

// olderStatus is a status response of version 2025-01-01.
type olderStatus struct {
	ID               string
	Company          string
	Status           string
	ExtraInformation map[string]any
}

// begin starts a collection in version 2025-01-01 and returns its path.
func begin(t *testing.T, c client, company, method, number string) string {
	t.Helper()
	var begun olderStatus
	a := c.post(t, "/wealth/collection", olderBody(company, method, number), &begun)
	if got := a.Header.Get("Location"); got != "/wealth/collection/"+begun.ID+"/status" {
		t.Errorf("Location %q", got)
	}
	return "/wealth/collection/" + begun.ID
}

// reaches polls a collection until it has a status.
func reaches(t *testing.T, c client, path, status string) olderStatus {
	t.Helper()
	return poll(t, c, path+"/status", func(s olderStatus) bool { return s.Status == status })
}

func rowOlderCollections(t *testing.T, w *walk, database func(*testing.T) string) {
	w = w.start(t, devserver.Config{Database: database(t)})
	w.Log.Secret("a personal number", anybody, failsAtOne, hasTwo, askedCode)
	_, session := w.person(t)
	once := w.acme.with("Idempotency-Key", "once")
	path := begin(t, once, demoCompany, mockLogin, hasTwo)
	if again := begin(t, once, demoCompany, mockLogin, hasTwo); again != path {
		t.Errorf("begun again: %s", again)
	}
	reaches(t, w.acme, path, "COMPLETED")
	tag := w.acme.get(t, path+"/data", nil).Header.Get("ETag")
	w.acme.with("If-None-Match", tag).Do(t, "GET", path+"/data", nil).WantStatus(t, http.StatusNotModified, nil)
	w.newest(w.acme).delete(t, "/collections/"+path[len("/wealth/collection/"):]).WantStatus(t, http.StatusNoContent, nil)
	w.acme.Do(t, "GET", path+"/data", nil).WantProblem(t, fault.DataExpired)

	path = begin(t, session, demoCompany, mockLogin, askedCode)
	session.Do(t, "GET", path+"/data", nil).WantProblem(t, fault.CollectionNotFinished)
	session.Do(t, "POST", path+"/supplement-info", object{"type": "RESPONSE_OBJECT", "response": object{}}).WantProblem(t, fault.SupplementNotExpected)
	reaches(t, session, path, "TWO_FACTOR_PENDING")
	session.Do(t, "POST", path+"/supplement-info", object{"type": "TWO_FACTOR_CODE", "value": "123456"}).WantStatus(t, http.StatusNoContent, nil)
	reaches(t, session, path, "COMPLETED")

	path = begin(t, session, demoCompany, mockLogin, failsAtOne)
	reaches(t, session, path, "FAILED")
	session.Do(t, "GET", path+"/data", nil).WantProblem(t, fault.CollectionFailed)
}

func rowPublicPension(t *testing.T, w *walk, database func(*testing.T) string) {
	const route = "/wealth/public-pension-collection"
	w = w.start(t, devserver.Config{Database: database(t)})
	_, session := w.person(t)
	_, another := w.person(t)
	path := begin(t, session, demoCompany, mockLogin, anybody)
	reaches(t, session, path, "COMPLETED")
	session.Do(t, "GET", route, nil).WantProblem(t, fault.PublicPensionNotFound)
	path = begin(t, session, publicCompany, sameDevice, maja)
	shown := poll(t, session, path+"/status", func(s olderStatus) bool { return s.ExtraInformation["SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"] != nil })
	token, _ := shown.ExtraInformation["SWEDISH_MOBILE_BANKID_AUTOSTART_TOKEN"].(string)
	w.Log.Secret("an autostart token", token)
	w.phone(t, bankid.PhoneAction{Action: bankid.Approve, AutoStartToken: token})
	reaches(t, session, path, "COMPLETED")
	var pension struct {
		Type, Company       string
		PersonalInformation map[string]string
	}
	session.get(t, route, &pension)
	if pension.Type != "PUBLIC_PENSION" || pension.Company != publicCompany || pension.PersonalInformation["PERSONAL_NUMBER"] != maja {
		t.Errorf("%+v", pension)
	}
	if a := session.get(t, path+"/data", nil); string(a.Body) != "[]" {
		t.Errorf("the public pension is data: %s", a.Body)
	}
	another.Do(t, "GET", route, nil).WantProblem(t, fault.PublicPensionNotFound)
}
