package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/institution"
)

// The types of parameters (docs/reference/api.md 4.3, 5.3).
const (
	typePSD2Consent   = "PSD2_AIS_CONSENT"
	typeSwedishBankID = "SWEDISH_BANKID"
	typeStoredConsent = "STORED_CONSENT"
	typeEmail         = "EMAIL"
	typeMitID         = "DANISH_MITID"
	typeLoginMethod   = "LOGIN_METHOD"
	typeFilter        = "FILTER"
)

// ask is the body of a request for a consent or a collection.
type ask struct {
	Company     string      `json:"company"`
	LoginMethod string      `json:"loginMethod"`
	Parameters  []parameter `json:"parameters"`
}

// parameter holds the members of every type; what the type has not is empty.
type parameter struct {
	Type           string   `json:"type"`
	AccountIDs     []string `json:"accountIds"`
	Balances       *bool    `json:"balances"`
	Transactions   *bool    `json:"transactions"`
	PSUIPAddress   string   `json:"psuIpAddress"`
	PSULocale      string   `json:"psuLocale"`
	PSUUserAgent   string   `json:"psuUserAgent"`
	ValidUntil     string   `json:"validUntil"`
	PersonalNumber string   `json:"personalNumber"`
	ConsentID      string   `json:"consentId"`
	LoginMethod    string   `json:"loginMethod"`
}

// form is an ask on its way through the rules that need more than its text.
// A rule whose member is reported already is passed over, so that what breaks
// the contract's own rules and what breaks these is told at once (docs/reference/api.md 1.6).
type form struct {
	ask
	h        *Handler
	company  company.Company
	bank     *institution.Institution // nil: unknown, or not usable for consents
	reported []fault.Field
}

// readForm reads the body and starts a form with what the contract finds broken.
// The error is one that makes looking further pointless.
func (h *Handler) readForm(c *call) (*form, []byte, error) {
	var seen bytes.Buffer
	if c.r.Body != nil {
		body := c.r.Body
		c.r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(body, &seen), body}
	}
	raw, f := c.route.op.ReadBody(c.r)
	form := &form{h: h}
	switch {
	case f == nil:
		if err := json.Unmarshal(raw, &form.ask); err != nil {
			return nil, nil, err
		}
	case f.Code == fault.InvalidParameter:
		form.reported = slices.Clone(f.Fields)
		if form.has("") { // no object at all: nothing can be said of its members
			return nil, nil, f
		}
		// The members of a wrong type, which are reported, stay empty.
		_ = json.Unmarshal(seen.Bytes(), &form.ask)
	default:
		return nil, nil, f
	}
	return form, raw, nil
}

// done is the fault of what was reported, or nil.
func (f *form) done() error {
	if len(f.reported) == 0 {
		return nil
	}
	slices.SortStableFunc(f.reported, func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return fault.Params(f.reported...)
}

// report notes a broken rule, unless the member is reported already.
func (f *form) report(pointer string, code fault.FieldCode, message string) {
	if !f.has(pointer) {
		f.reported = append(f.reported, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
}

func (f *form) has(pointer string) bool {
	return slices.ContainsFunc(f.reported, func(old fault.Field) bool { return old.Pointer == pointer })
}

// reportMissing notes that a parameter is missing, unless there is one whose
// type could not be read: that one may be meant.
func (f *form) reportMissing(message string) {
	for i := range f.Parameters {
		if f.has("/parameters/" + strconv.Itoa(i) + "/type") {
			return
		}
	}
	f.report("/parameters", fault.Required, message)
}

// find returns the parameter of a type and its pointer. Of several, of which
// all but the first are reported, the first.
func (f *form) find(kind string) (*parameter, string) {
	for i := range f.Parameters {
		if f.Parameters[i].Type == kind {
			return &f.Parameters[i], "/parameters/" + strconv.Itoa(i)
		}
	}
	return nil, ""
}

// checkCompany finds the company and its bank.
func (f *form) checkCompany() {
	found, known := f.h.Institutions.Find(f.Company)
	f.company = found.Company
	switch {
	case !known:
		f.report("/company", fault.Invalid, "is no known company")
	case !found.Company.PSD2:
		f.report("/company", fault.NotSupported, "cannot be used for PSD2 consents")
	default:
		f.bank = &found
	}
}

// checkMethod holds a login method against those the company offers.
func (f *form) checkMethod(pointer, method string) {
	if method != "" && f.company.ID != "" && !f.company.Offers(method) {
		f.report(pointer, fault.NotSupported, "is not offered by this company")
	}
}

// checkPerson asks for the personal number where the bank cannot do without.
func (f *form) checkPerson() {
	if f.bank == nil || !f.bank.Profile.NeedsPSUID {
		return
	}
	if p, _ := f.find(typeSwedishBankID); p == nil {
		f.reportMissing("must hold a parameter of type SWEDISH_BANKID for this company")
	}
}
