package v20260401

import (
	"errors"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/clock"
	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/psu"
)

const method = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"

var noon = time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)

// newOperations knows three companies: a bank, one that requires the personal number,
// and one that is not a bank.
func newOperations() *operations {
	of := func(id string, psd2 bool) company.Company {
		return company.Company{ID: id, LoginMethods: []string{method}, PSD2: psd2}
	}
	return &operations{Services{Clock: clock.NewManual(noon), Institutions: institution.Set{"se-a": {Company: of("se-a", true)},
		"se-b": {Company: of("se-b", true), Profile: institution.Profile{NeedsPSUID: true}}, "se-c": {Company: of("se-c", false)}}}}
}

// validate begins the validation of a body as an operation does.
func (o *operations) validate(operation, body string) (*validation, error) {
	c, err := Contract()
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return o.newValidation(c.Operation(operation).ReadBody(r))
}

// The last day can be today in UTC.
func TestValidation_AcceptsTodayInUTC(t *testing.T) {
	o := newOperations()
	for day, want := range map[string]bool{"2026-03-31": false, "2026-04-01": true, "2026-04-02": true} {
		v, err := o.validate("createConsent", `{"company":"se-a","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","validUntil":"`+day+`"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		r := v.consent()
		if got := v.err() == nil; got != want || got && r.ValidUntil.Format(time.DateOnly) != day {
			t.Errorf("%s: %v, %v", day, v.err(), r.ValidUntil)
		}
	}
}

// A field that the contract refuses is reported once, together with fields that only
// the rules refuse.
func TestValidation_ReportsContractAndRulesTogether(t *testing.T) {
	v, err := newOperations().validate("createConsent",
		`{"company":"se-x","loginMethod":7,"parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"x","validUntil":"2020-01-01"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	v.consent()
	var f *fault.Fault
	if !errors.As(v.err(), &f) {
		t.Fatal(v.err())
	}
	var got []string
	for _, field := range f.Fields {
		got = append(got, field.Pointer)
	}
	if want := []string{"/company", "/loginMethod", "/parameters/0/psuIpAddress", "/parameters/0/validUntil"}; !slices.Equal(got, want) {
		t.Errorf("%v instead of %v", got, want)
	}
}

func TestValidation_RefusesCompanyThatIsNoBank(t *testing.T) {
	v, err := newOperations().validate("createConsent", `{"company":"se-c","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	v.consent()
	if got := v.invalid; len(got) != 1 || got[0].Pointer != "/company" || got[0].Code != fault.NotSupported {
		t.Errorf("%+v", got)
	}
}

func TestLocale(t *testing.T) {
	for text, want := range map[string]string{"sv-SE": "sv-SE", "SV-se": "sv-SE", "": "", "no-no": "no-NO"} {
		if got := locale(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// No rule panics, whatever the body, and an accepted request is as the services expect.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		`{"company":"se-a","loginMethod":"` + method + `","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","accountIds":["a"]},{"type":"SWEDISH_BANKID","personalNumber":"191212121212"}]}`,
		`{"company":"se-b","parameters":[{"type":"STORED_CONSENT","consentId":"x","psuIpAddress":"192.0.2.1","psuUserAgent":"a"},{"type":"FILTER","accountIds":[]}]}`,
		`{"company":null,"parameters":[null,1,{"type":"EMAIL"},{"type":"LOGIN_METHOD","loginMethod":"x"}]}`, `[]`, `{"parameters":{"type":1}}`,
	} {
		f.Add(seed)
	}
	o := newOperations()
	f.Fuzz(func(t *testing.T, body string) {
		if v, err := o.validate("createConsent", body); err == nil {
			r := v.consent()
			if v.err() == nil {
				o.checkAccepted(t, r.Company, r.LoginMethod, r.PSU, r.Scope.Balances || r.Scope.Transactions)
				if r.Company == "se-b" && r.PSU.PersonalNumber == "" {
					t.Error("the bank does not learn who signs")
				}
			}
		}
		v, err := o.validate("initiateCollection", body)
		if err != nil {
			return
		}
		r := v.collection()
		if v.err() != nil {
			return
		}
		switch {
		case (r.ConsentID == "") == (r.OneTime == nil):
			t.Errorf("neither or both modes: %q", r.ConsentID)
		case r.OneTime != nil:
			o.checkAccepted(t, r.Company, r.LoginMethod, r.OneTime.PSU, r.OneTime.Scope.Balances || r.OneTime.Scope.Transactions)
			if r.LoginMethod == "" {
				t.Error("no login method")
			}
		case r.PSU.IPAddress == "" && r.PSU.UserAgent != "":
			t.Error("a User-Agent without an address")
		}
	})
}

// checkAccepted checks a request for a consent that was accepted.
func (o *operations) checkAccepted(t *testing.T, id, method string, psu psu.Context, reads bool) {
	t.Helper()
	if i, ok := o.Institutions.Find(id); !ok || !i.Company.PSD2 || method != "" && !i.Company.Offers(method) {
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
