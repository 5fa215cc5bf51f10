package v20260401

import (
	"encoding/json"
	"slices"
	"strconv"

	"samla/internal/api"
	"samla/internal/fault"
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

// request is the body of createConsent and of initiateCollection.
type request struct {
	Company     string      `json:"company"`
	LoginMethod string      `json:"loginMethod"`
	Parameters  []parameter `json:"parameters"`
}

// parameter has the members of all types. Those of other types are empty.
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

// find returns the first parameter of a type and its pointer, or nil. The contract
// refuses a second one.
func (r *request) find(kind string) (*parameter, string) {
	for i := range r.Parameters {
		if r.Parameters[i].Type == kind {
			return &r.Parameters[i], "/parameters/" + strconv.Itoa(i)
		}
	}
	return nil, ""
}

// readRequest reads the body of a call and begins its validation.
func (o *operations) readRequest(c *api.Call) (*validation, []byte, error) {
	body, f := c.Body()
	v, err := o.newValidation(body, f)
	return v, body, err
}

// newValidation begins the validation of a body. f is what the contract says of it; its
// fields are reported already. The error is one that makes further checks pointless.
func (o *operations) newValidation(body []byte, f *fault.Fault) (*validation, error) {
	v := &validation{institutions: o.Institutions, now: o.Clock.Now()}
	if f == nil {
		return v, json.Unmarshal(body, &v.request)
	}
	v.invalid = slices.Clone(f.Fields)
	if f.Code != fault.InvalidParameter || v.reported("") { // "": the body is no object
		return nil, f
	}
	// Members of a wrong type stay empty. They are reported already.
	_ = json.Unmarshal(body, &v.request)
	return v, nil
}
