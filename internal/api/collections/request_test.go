package collections_test

import (
	"errors"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"samla/internal/api/collections"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/psu"
)

const (
	method = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"
	ais    = `{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1"}`
	bankid = `{"type":"SWEDISH_BANKID","personalNumber":"191212121212"}`
	email  = `{"type":"EMAIL","email":"anna@example.com"}`
	mitid  = `{"type":"DANISH_MITID","userId":"anna4711"}`
	stored = `{"type":"STORED_CONSENT","consentId":"x"}`
	filter = `{"type":"FILTER","accountIds":["a"]}`
)

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// loginer is an institution with a login. Nothing is called.
type loginer struct{ institution.Loginer }

// institutions are a bank, a bank that requires the personal number, institutions that
// people log in to, and one that can do nothing.
var institutions = func() institution.Set {
	set := institution.Set{}
	add := func(i institution.Institution, id string, methods ...string) {
		i.Company.ID, i.Company.LoginMethods = id, methods
		set[id] = i
	}
	logsIn := func(c company.Company) institution.Institution {
		return institution.Institution{Company: c, Loginer: loginer{}}
	}
	add(institution.Institution{Company: company.Company{PSD2: true}}, "se-a", method)
	add(institution.Institution{Company: company.Company{PSD2: true}, Profile: institution.Profile{NeedsPSUID: true}}, "se-b", method)
	add(institution.Institution{}, "se-c", method)
	add(institution.Institution{Company: company.Company{PSD2: true}, Profile: institution.Profile{OpensWithoutAddress: true}, Retired: true}, "se-gone")
	add(institution.Institution{Company: company.Company{PSD2: true}, Profile: institution.Profile{OpensWithoutAddress: true}}, "se-own", method)
	add(logsIn(company.Company{Needs: []string{company.NeedsPersonalNumber}, AnyPersonalNumber: true}), "se-demo", method+"_MOCK")
	add(logsIn(company.Company{Needs: []string{company.NeedsPersonalNumber}}), "se-broker", method)
	add(logsIn(company.Company{Needs: []string{company.NeedsEmail, company.NeedsPersonalNumber}}), "se-insurer", method, "EMAIL")
	add(logsIn(company.Company{Needs: []string{company.NeedsUserID}}), "dk-a", "DANISH_MITID")
	add(logsIn(company.Company{}), "se-any", method)
	both := logsIn(company.Company{PSD2: true})
	add(both, "se-both", method)
	return set
}()

// read begins the validation of a body as an operation does.
func read(operation, body string) (*collections.Validation, error) {
	c, err := v20260401.Contract()
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	raw, f := c.Operation(operation).ReadBody(r)
	return collections.Read(institutions, noon, raw, f)
}

// outcome describes an error in one line: "ok", the code, or the pointer and the code of
// each invalid field.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != fault.InvalidParameter {
		return string(fault.CodeOf(err))
	}
	var parts []string
	for _, field := range f.Fields {
		parts = append(parts, field.Pointer+" "+string(field.Code))
	}
	return strings.Join(parts, ", ")
}

// start validates a request for a collection.
func start(company, method, parameters string) (collect.Request, error) {
	body := `{"company":"` + company + `","parameters":` + parameters
	if method != "" {
		body += `,"loginMethod":"` + method + `"`
	}
	v, err := read("initiateCollection", body+"}")
	if err != nil {
		return collect.Request{}, err
	}
	return v.Collection(), v.Err()
}

func TestCollection_ChecksWhatACompanyNeeds(t *testing.T) {
	for _, tc := range []struct{ company, method, parameters, want string }{
		// A bank.
		{"se-a", method, `[` + ais + `]`, "ok"},
		{"se-a", method, `[]`, "/parameters REQUIRED"},
		{"se-a", method, `null`, "/parameters REQUIRED"},
		{"se-a", method, `[` + bankid + `]`, "/parameters REQUIRED"},
		{"se-a", "", `[` + stored + `]`, "ok"},
		{"se-a", "", `[` + stored + `,` + filter + `]`, "ok"},
		{"se-b", method, `[` + ais + `]`, "/parameters REQUIRED"},
		{"se-b", method, `[` + ais + `,` + bankid + `]`, "ok"},
		{"se-a", method, `[` + ais + `,` + email + `,` + mitid + `]`, "/parameters/1/type NOT_SUPPORTED, /parameters/2/type NOT_SUPPORTED"},
		{"se-a", "EMAIL", `[` + ais + `]`, "/loginMethod NOT_SUPPORTED"},

		// An institution with a login takes no parameter for a consent.
		{"se-broker", method, `[` + bankid + `]`, "ok"},
		{"se-broker", method, `[` + bankid + `,` + filter + `]`, "ok"},
		{"se-broker", method, `[]`, "/parameters REQUIRED"},
		{"se-broker", method, `null`, "/parameters REQUIRED"},
		{"se-broker", method, `[{"type":"SWEDISH_BANKLD"}]`, "/parameters/0/type UNKNOWN_TYPE"},
		{"se-broker", method, `[` + bankid + `,` + ais + `]`, "/parameters/1/type NOT_SUPPORTED"},
		{"se-broker", method, `[` + stored + `,` + bankid + `]`, "/parameters/0/type NOT_SUPPORTED"},
		{"se-broker", method, `[` + bankid + `,` + email + `]`, "/parameters/1/type NOT_SUPPORTED"},
		{"se-broker", method, `[` + bankid + `,` + mitid + `]`, "/parameters/1/type NOT_SUPPORTED"},
		{"se-broker", "EMAIL", `[` + bankid + `]`, "/loginMethod NOT_SUPPORTED"},
		{"se-broker", "", `[` + bankid + `]`, "/loginMethod REQUIRED"},
		{"se-broker", "", `[` + bankid + `,{"type":"LOGIN_METHOD","loginMethod":"` + method + `"}]`, "ok"},
		{"se-broker", method, `[` + bankid + `,{"type":"LOGIN_METHOD","loginMethod":"` + method + `"}]`, "ok"},
		{"se-broker", method, `[` + bankid + `,{"type":"LOGIN_METHOD","loginMethod":"EMAIL"}]`, "/parameters/1/loginMethod NOT_ALLOWED"},
		{"se-broker", "", `[` + bankid + `,{"type":"LOGIN_METHOD","loginMethod":"EMAIL"}]`, "/parameters/1/loginMethod NOT_SUPPORTED"},

		// With the login method EMAIL the institution asks for what it lacks.
		{"se-insurer", "EMAIL", `[]`, "ok"},
		{"se-insurer", "EMAIL", `null`, "ok"},
		{"se-insurer", "EMAIL", `[` + email + `]`, "ok"},
		{"se-insurer", "EMAIL", `[{"type":"EMAIL","email":"a\u0000@b.example"}]`, "/parameters/0/email INVALID"},
		{"se-insurer", "EMAIL", `[{"type":"EMAIL"}]`, "/parameters/0/email REQUIRED"},
		{"se-insurer", method, `[` + email + `]`, "/parameters REQUIRED"},
		{"se-insurer", method, `[` + bankid + `]`, "/parameters REQUIRED"},
		{"se-insurer", method, `[` + bankid + `,` + email + `]`, "ok"},
		{"dk-a", "DANISH_MITID", `[]`, "/parameters REQUIRED"},
		{"dk-a", "DANISH_MITID", `[` + mitid + `]`, "ok"},
		{"dk-a", "DANISH_MITID", `[{"type":"DANISH_MITID","userId":"a\u0007"}]`, "/parameters/0/userId INVALID"},
		{"se-any", method, `[]`, "ok"},
		{"se-any", method, `[` + bankid + `]`, "ok"},

		// One that has both is logged in to unless a consent is named.
		{"se-both", method, `[]`, "ok"},
		{"se-both", method, `[` + ais + `]`, "ok"},
		{"se-both", "", `[` + stored + `]`, "ok"},

		{"se-c", method, `[` + bankid + `]`, "/company NOT_SUPPORTED"},
		{"se-c", method, `[` + ais + `]`, "/parameters/0/type NOT_SUPPORTED"},
		{"se-x", "any", `[]`, "/company INVALID"},

		// One that is not offered any more is read under consents that began before.
		{"se-gone", "", `[` + stored + `]`, "ok"},
		{"se-gone", "", `[` + ais + `]`, "/loginMethod REQUIRED, /parameters/0/type NOT_SUPPORTED"},
		{"se-gone", method, `[` + bankid + `]`, "/loginMethod NOT_SUPPORTED, /parameters REQUIRED"},
	} {
		r, err := start(tc.company, tc.method, tc.parameters)
		if got := outcome(err); got != tc.want {
			t.Errorf("%s %s %s\n got %s\nwant %s", tc.company, tc.method, tc.parameters, got, tc.want)
		}
		if err == nil {
			checkModes(t, r)
		}
	}
}

// A member that the type of its parameter does not have is ignored, whatever it is.
func TestCollection_IgnoresMembersOfOtherTypes(t *testing.T) {
	for _, more := range []string{`"email":1`, `"userId":1e308`, `"accountIds":"x"`, `"balances":"yes"`, `"consentId":[[]]`, `"psuLocale":{"a":1}`} {
		withMore := strings.Replace(bankid, "{", "{"+more+",", 1)
		if r, err := start("se-broker", method, `[`+withMore+`]`); err != nil || r.Login.PersonalNumber == "" {
			t.Errorf("%s: %s, %+v", more, outcome(err), r.Login)
		}
		if _, err := start("se-a", method, `[`+withMore+`]`); outcome(err) != "/parameters REQUIRED" {
			t.Errorf("%s: %s", more, outcome(err))
		}
	}
}

// Where a bank gets our own address, the personal number alone is enough for a consent to
// everything. The address of the person stays unknown.
func TestCollection_TakesThePersonalNumberAloneWhereOurAddressIsKnown(t *testing.T) {
	for company, want := range map[string]bool{"se-own": true, "se-a": false} {
		v, err := read("initiateCollection", `{"company":"`+company+`","loginMethod":"`+method+`","parameters":[{"type":"SWEDISH_BANKID","personalNumber":"1212121212"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		r := v.Collection()
		if got := v.Err() == nil; got != want {
			t.Fatalf("%s: %v", company, v.Err())
		}
		if !want {
			continue
		}
		if r.OneTime == nil || !r.OneTime.Scope.Balances || !r.OneTime.Scope.Transactions || r.OneTime.Scope.AccountIDs != nil ||
			r.OneTime.PSU.PersonalNumber == "" || r.OneTime.PSU.IPAddress != "" {
			t.Errorf("%+v", r.OneTime)
		}
	}
	v, err := read("initiateCollection", `{"company":"se-own","loginMethod":"`+method+`","parameters":[]}`)
	if err != nil {
		t.Fatal(err)
	}
	if v.Collection(); v.Err() == nil {
		t.Error("a consent for a person who is not named")
	}
}

func TestCollection_PassesOnWhatTheInstitutionIsTold(t *testing.T) {
	r, err := start("se-insurer", method, `[`+bankid+`,`+email+`,`+filter+`]`)
	if err != nil || r.LoginMethod != method || len(r.Filter) != 1 || r.Login == nil ||
		*r.Login != (collect.Login{PersonalNumber: "191212121212", Email: "anna@example.com"}) {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = start("dk-a", "", `[`+mitid+`,{"type":"LOGIN_METHOD","loginMethod":"DANISH_MITID"}]`)
	if err != nil || r.LoginMethod != "DANISH_MITID" || r.Login == nil || r.Login.UserID != "anna4711" {
		t.Errorf("%+v, %v", r, err)
	}
}

// A personal number has ten or twelve digits, and a wrong check digit at a company with
// invented persons only.
func TestCollection_AcceptsPersonalNumbersByTheCompany(t *testing.T) {
	for _, tc := range []struct{ company, number, want string }{
		{"se-broker", "199312252399", "199312252399"},
		{"se-broker", "9312252399", "199312252399"},
		{"se-broker", "200001020000", ""},
		{"se-broker", "199312252398", ""},
		{"se-demo", "199312252399", "199312252399"},
		{"se-demo", "200001020000", "200001020000"},
		{"se-demo", "0001020000", "200001020000"},
		{"se-demo", "199007011000", "199007011000"},
		{"se-demo", "9007011000", "199007011000"},
		{"se-demo", "199312252398", "199312252398"},
		{"se-demo", "19931225-2399", ""},
		{"se-demo", "", ""},
	} {
		loginMethod := institutions[tc.company].Company.LoginMethods[0]
		r, err := start(tc.company, loginMethod, `[{"type":"SWEDISH_BANKID","personalNumber":"`+tc.number+`"}]`)
		switch {
		case tc.want == "" && outcome(err) != "/parameters/0/personalNumber INVALID":
			t.Errorf("%s, %q: %s", tc.company, tc.number, outcome(err))
		case tc.want != "" && (err != nil || r.Login.PersonalNumber.Digits() != tc.want):
			t.Errorf("%s, %q: %v", tc.company, tc.number, err)
		}
	}
}

// A field that the contract refuses is reported once, together with fields that only
// the rules refuse.
func TestConsent_ReportsContractAndRulesTogether(t *testing.T) {
	for body, want := range map[string]string{
		`{"company":"se-x","loginMethod":7,"parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"x","validUntil":"2020-01-01"}]}`: "/company INVALID, /loginMethod INVALID, /parameters/0/psuIpAddress INVALID, /parameters/0/validUntil INVALID",
		`{"company":"se-c","parameters":[` + ais + `]}`:      "/company NOT_SUPPORTED",
		`{"company":"se-broker","parameters":[` + ais + `]}`: "/company NOT_SUPPORTED",
		`{"company":"se-both","parameters":[` + ais + `]}`:   "ok",
		`{"company":"se-b","parameters":[` + ais + `]}`:      "/parameters REQUIRED",
	} {
		v, err := read("createConsent", body)
		if err != nil {
			t.Fatal(err)
		}
		v.Consent()
		if got := outcome(v.Err()); got != want {
			t.Errorf("%s\n got %s\nwant %s", body, got, want)
		}
	}
}

// The last day can be today in UTC.
func TestConsent_IsNotGivenToWhoIsNotOffered(t *testing.T) {
	v, err := read("createConsent", `{"company":"se-gone","parameters":[`+ais+`]}`)
	if err != nil {
		t.Fatal(err)
	}
	v.Consent()
	if got := outcome(v.Err()); got != "/company NOT_SUPPORTED" {
		t.Errorf("a new one: %s", got)
	}
	if v, err = read("renewConsent", `{"parameters":[`+ais+`]}`); err != nil {
		t.Fatal(err)
	}
	v.Renewal(authorize.Old{Consent: consent.Consent{Company: "se-gone", Requested: consent.Scope{Balances: true}}})
	if got := outcome(v.Err()); got != "/company NOT_SUPPORTED" {
		t.Errorf("a renewal: %s", got)
	}
}

func TestConsent_AcceptsTodayInUTC(t *testing.T) {
	for day, want := range map[string]bool{"2026-03-31": false, "2026-04-01": true, "2026-04-02": true} {
		v, err := read("createConsent", `{"company":"se-a","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","validUntil":"`+day+`"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		r := v.Consent()
		if got := v.Err() == nil; got != want || got && r.ValidUntil.Format(time.DateOnly) != day {
			t.Errorf("%s: %v, %v", day, v.Err(), r.ValidUntil)
		}
	}
}

func TestConsent_WritesTheLocaleInTheUsualCase(t *testing.T) {
	for text, want := range map[string]string{"sv-SE": "sv-SE", "SV-se": "sv-SE", "no-no": "no-NO"} {
		v, err := read("createConsent", `{"company":"se-a","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","psuLocale":"`+text+`"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Consent().PSU.Locale; got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// checkModes checks that a request that was accepted has one mode.
func checkModes(t *testing.T, r collect.Request) {
	t.Helper()
	modes := 0
	for _, is := range []bool{r.ConsentID != "", r.OneTime != nil, r.Login != nil} {
		if is {
			modes++
		}
	}
	if modes != 1 {
		t.Errorf("%d modes: %+v", modes, r)
	}
}

// No rule panics, whatever the body, and an accepted request is as the services expect.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"company":"se-a","loginMethod":"` + method + `","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","accountIds":["a"]},{"type":"SWEDISH_BANKID","personalNumber":"191212121212"}]}`,
		`{"company":"se-b","parameters":[{"type":"STORED_CONSENT","consentId":"x","psuIpAddress":"192.0.2.1","psuUserAgent":"a"},{"type":"FILTER","accountIds":[]}]}`,
		`{"company":null,"parameters":[null,1,{"type":"EMAIL"},{"type":"LOGIN_METHOD","loginMethod":"x"}]}`, `[]`, `{"parameters":{"type":1}}`,
		`{"company":"se-demo","loginMethod":"` + method + `_MOCK","parameters":[{"type":"SWEDISH_BANKID","personalNumber":"0001020000"}]}`,
		`{"company":"se-insurer","loginMethod":"EMAIL","parameters":[{"type":"EMAIL","email":"a@b.example"}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if v, err := read("createConsent", body); err == nil {
			r := v.Consent()
			if v.Err() == nil {
				checkConsent(t, r.Company, r.LoginMethod, r.PSU, r.Scope.Balances || r.Scope.Transactions)
				if r.Company == "se-b" && r.PSU.PersonalNumber == "" {
					t.Error("the bank does not learn who signs")
				}
			}
		}
		v, err := read("initiateCollection", body)
		if err != nil {
			return
		}
		r := v.Collection()
		if v.Err() != nil {
			return
		}
		checkModes(t, r)
		at := institutions[r.Company]
		switch {
		case r.OneTime != nil:
			if p := &r.OneTime.PSU; at.Profile.OpensWithoutAddress && p.IPAddress == "" && p.PersonalNumber != "" {
				p.IPAddress = "::1"
			}
			checkConsent(t, r.Company, r.LoginMethod, r.OneTime.PSU, r.OneTime.Scope.Balances || r.OneTime.Scope.Transactions)
			if r.LoginMethod == "" {
				t.Error("no login method")
			}
		case r.Login != nil:
			if at.Loginer == nil || !at.Company.Offers(r.LoginMethod) || len(r.Login.PersonalNumber)%12 != 0 {
				t.Errorf("%+v", r)
			}
			if r.LoginMethod != "EMAIL" && at.Company.NeedsToKnow(company.NeedsPersonalNumber) && r.Login.PersonalNumber == "" {
				t.Error("the institution does not learn who logs in")
			}
		case r.PSU.IPAddress == "" && r.PSU.UserAgent != "":
			t.Error("a User-Agent without an address")
		}
	})
}

// checkConsent checks a request for a consent that was accepted.
func checkConsent(t *testing.T, id, method string, psu psu.Context, reads bool) {
	t.Helper()
	if i, ok := institutions.Find(id); !ok || !i.Company.PSD2 || method != "" && !i.Company.Offers(method) {
		t.Errorf("company %q, method %q", id, method)
	}
	if _, err := netip.ParseAddr(psu.IPAddress); err != nil || !reads {
		t.Errorf("address: %v, reads %v", err, reads)
	}
	if psu.PersonalNumber != "" {
		if _, err := ident.ParsePersonalNumber12(psu.PersonalNumber.Digits()); err != nil {
			t.Error(err)
		}
	}
}
