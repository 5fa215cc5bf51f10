package v20250101

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/institution"
)

const bankID = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"

// loginer is an institution with a login. Nothing is called.
type loginer struct{ institution.Loginer }

// newOperations knows a bank and institutions that people log in to.
func newOperations() *operations {
	set := institution.Set{"se-bank": {Company: company.Company{ID: "se-bank", PSD2: true, LoginMethods: []string{bankID}}}}
	for id, needs := range map[string][]string{"se-broker": {company.NeedsPersonalNumber}, "se-insurer": {company.NeedsEmail}, "se-any": nil} {
		set[id] = institution.Institution{Company: company.Company{ID: id, Needs: needs, LoginMethods: []string{bankID, "EMAIL"}}, Loginer: loginer{}}
	}
	return &operations{Services: Services{Institutions: set, Clock: clock.NewManual(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC))}}
}

// read reads a body as the operation does.
func read(t testing.TB, body string) (collect.Request, error) {
	t.Helper()
	c, err := Contract()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/wealth/collection", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return newOperations().readRequest(c.Operation("initiateCollection").ReadBody(r))
}

// outcome describes an error in one line: "ok", the code, or the pointer and the code of
// each invalid field.
func outcome(err error) string {
	var f *fault.Fault
	if !errors.As(err, &f) {
		return "ok"
	}
	if f.Code != fault.InvalidParameter {
		return string(f.Code)
	}
	var fields []string
	for _, field := range f.Fields {
		fields = append(fields, field.Pointer+" "+string(field.Code))
	}
	return strings.Join(fields, ", ")
}

// start returns a body with further members.
func start(companyID, method, more string) string {
	return `{"company":"` + companyID + `","loginMethod":"` + method + `"` + more + `}`
}

func TestReadRequest_ReportsFieldsOfThisVersion(t *testing.T) {
	const person = `,"input":{"SWEDISH_PERSONAL_NUMBER":"191212121212"}`
	for _, tc := range []struct{ body, want string }{
		{start("se-broker", bankID, person), "ok"},
		{start("se-broker", bankID, person+`,"consents":[{"anything":[1]}]`), "ok"},
		{start("se-broker", bankID, person+`,"consents":null`), "ok"},
		{start("se-broker", bankID, `,"input":{"SWEDISH_PERSONAL_NUMBER":"1212121212","USERNAME":null,"other":1}`), "ok"},
		{start("se-any", bankID, ``), "ok"},
		{start("se-any", bankID, `,"input":null`), "ok"},
		{start("se-any", bankID, `,"input":{}`), "ok"},
		{start("se-insurer", "EMAIL", ``), "ok"}, // it asks for what it lacks

		{`[]`, " INVALID"},
		{`{`, "MALFORMED_JSON"},
		{`{}`, "/company REQUIRED, /loginMethod REQUIRED"},
		{start("se-nowhere", bankID, person), "/company INVALID"},
		{start("se-bank", bankID, person), "/company NOT_SUPPORTED"},
		{start("se-broker", "SWEDISH_BANKID", person), "/loginMethod INVALID"},
		{start("se-broker", "SWEDISH_SECURITY_TOKEN", person), "/loginMethod NOT_SUPPORTED"},
		{start("se-broker", bankID, ``), "/input/SWEDISH_PERSONAL_NUMBER REQUIRED"},
		{start("se-broker", bankID, `,"input":{"SWEDISH_PERSONAL_NUMBER":"19121212-1212"}`), "/input/SWEDISH_PERSONAL_NUMBER INVALID"},
		{start("se-broker", bankID, `,"input":{"SWEDISH_PERSONAL_NUMBER":"199001011234"}`), "/input/SWEDISH_PERSONAL_NUMBER INVALID"},
		{start("se-broker", bankID, `,"input":{"SWEDISH_PERSONAL_NUMBER":7}`), "/input/SWEDISH_PERSONAL_NUMBER INVALID"},
		{start("se-any", bankID, `,"input":"x"`), "/input INVALID"},
		{start("se-broker", bankID, person+`,"consents":{}`), "/consents INVALID"},
		{start("se-any", bankID, `,"input":{"USERNAME":"anna","PASSWORD":"secret"}`), "/input/PASSWORD NOT_SUPPORTED, /input/USERNAME NOT_SUPPORTED"},
		{start("se-insurer", bankID, person), "/company NOT_SUPPORTED"},
	} {
		r, err := read(t, tc.body)
		if got := outcome(err); got != tc.want {
			t.Errorf("%s: %s instead of %s", tc.body, got, tc.want)
		}
		if err == nil && (r.Login == nil || r.ConsentID != "" || r.OneTime != nil) {
			t.Errorf("%s: %+v", tc.body, r)
		}
		if f := fault.From(err); f != nil && strings.Contains(f.Error(), "secret") {
			t.Errorf("%s: %v", tc.body, f)
		}
	}
}

// The input SWEDISH_PERSONAL_NUMBER becomes that of a parameter SWEDISH_BANKID.
func TestReadRequest_TakesPersonalNumber(t *testing.T) {
	r, err := read(t, start("se-broker", bankID, `,"input":{"SWEDISH_PERSONAL_NUMBER":"1212121212"}`))
	if err != nil || r.Company != "se-broker" || r.LoginMethod != bankID || string(r.Login.PersonalNumber) != "201212121212" {
		t.Errorf("%+v, %v", r, err)
	}
}

// No body makes the rules panic, and an accepted one names a login method of its company.
func FuzzReadRequest(f *testing.F) {
	f.Add(start("se-broker", bankID, `,"input":{"SWEDISH_PERSONAL_NUMBER":"191212121212"}`))
	f.Add(start("se-any", "EMAIL", `,"consents":[{}],"input":{"USERNAME":""}`))
	f.Add(`{"company":null,"input":{"a":{}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := read(t, body)
		if at, known := newOperations().Institutions.Find(r.Company); err == nil && (!known || !at.Company.Offers(r.LoginMethod) || r.Login == nil) {
			t.Errorf("%s: %+v", body, r)
		}
	})
}
