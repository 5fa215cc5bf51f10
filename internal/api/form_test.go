package api

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/institution"
	"samla/internal/psu"
)

const method = "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"

// newForms is a handler that knows three companies: a bank, one that must know
// the person, and one that is no bank.
func newForms(t testing.TB) *Handler {
	h := newHandler(t)
	of := func(id string, psd2 bool) company.Company {
		return company.Company{ID: id, LoginMethods: []string{method}, PSD2: psd2}
	}
	h.Institutions = institution.Set{"se-a": {Company: of("se-a", true)},
		"se-b": {Company: of("se-b", true), Profile: institution.Profile{NeedsPSUID: true}}, "se-c": {Company: of("se-c", false)}}
	return h
}

// fill reads a body as the named operation does.
func (h *Handler) fill(operation, body string) (*form, error) {
	r := httptest.NewRequest("POST", "/x", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	f, _, err := h.readForm(&call{route: &route{h: h, op: h.Contract.Operation(operation)}, r: r})
	return f, err
}

// The last day may be today by UTC, whatever the hour.
func TestTodayIsUTC(t *testing.T) {
	h := newForms(t)
	for day, want := range map[string]bool{"2026-03-31": false, "2026-04-01": true, "2026-04-02": true} {
		f, err := h.fill("createConsent", `{"company":"se-a","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","validUntil":"`+day+`"}]}`)
		if err != nil {
			t.Fatal(err)
		}
		r := f.checkConsent()
		if got := f.done() == nil; got != want || got && r.ValidUntil.Format(time.DateOnly) != day {
			t.Errorf("%s: %v, %v", day, f.done(), r.ValidUntil)
		}
	}
}

func TestNoBank(t *testing.T) {
	h := newForms(t)
	f, err := h.fill("createConsent", `{"company":"se-c","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	f.checkConsent()
	if got := f.reported; len(got) != 1 || got[0].Pointer != "/company" || got[0].Code != fault.NotSupported {
		t.Errorf("%+v", got)
	}
}

func TestLocaleForm(t *testing.T) {
	for text, want := range map[string]string{"sv-SE": "sv-SE", "SV-se": "sv-SE", "": "", "no-no": "no-NO"} {
		if got := locale(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// Whatever the body: no rule panics, and what is accepted is what the services
// were promised.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{
		`{"company":"se-a","loginMethod":"` + method + `","parameters":[{"type":"PSD2_AIS_CONSENT","psuIpAddress":"::1","accountIds":["a"]},{"type":"SWEDISH_BANKID","personalNumber":"191212121212"}]}`,
		`{"company":"se-b","parameters":[{"type":"STORED_CONSENT","consentId":"x","psuIpAddress":"192.0.2.1","psuUserAgent":"a"},{"type":"FILTER","accountIds":[]}]}`,
		`{"company":null,"parameters":[null,1,{"type":"EMAIL"},{"type":"LOGIN_METHOD","loginMethod":"x"}]}`, `[]`, `{"parameters":{"type":1}}`,
	} {
		f.Add(seed)
	}
	h := newForms(f)
	f.Fuzz(func(t *testing.T, body string) {
		if form, err := h.fill("createConsent", body); err == nil {
			r := form.checkConsent()
			if form.done() == nil {
				h.promised(t, r.Company, r.LoginMethod, r.PSU, r.Scope.Balances || r.Scope.Transactions)
				if r.Company == "se-b" && r.PSU.PersonalNumber == "" {
					t.Error("the bank does not learn who signs")
				}
			}
		}
		form, err := h.fill("initiateCollection", body)
		if err != nil {
			return
		}
		r := form.checkCollection()
		if form.done() != nil {
			return
		}
		switch {
		case (r.ConsentID == "") == (r.OneTime == nil):
			t.Errorf("neither or both modes: %q", r.ConsentID)
		case r.OneTime != nil:
			h.promised(t, r.Company, r.LoginMethod, r.OneTime.PSU, r.OneTime.Scope.Balances || r.OneTime.Scope.Transactions)
			if r.LoginMethod == "" {
				t.Error("no login method")
			}
		case r.PSU.IPAddress == "" && r.PSU.UserAgent != "":
			t.Error("somebody without an address is there")
		}
	})
}

func (h *Handler) promised(t *testing.T, id, method string, psu psu.Context, reads bool) {
	t.Helper()
	if i, ok := h.Institutions.Find(id); !ok || !i.Company.PSD2 || method != "" && !i.Company.Offers(method) {
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

func FuzzCursor(f *testing.F) {
	f.Add("MDE5N2IxZjAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDBh")
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := page(map[string][]string{"cursor": {text}})
		if err == nil && p.After != "" && !isID(p.After) {
			t.Errorf("%q goes to the store", p.After)
		}
	})
}
