// Package collections has what the versions of the API have in common about
// collections: how a request becomes one for the services, how a supplement becomes the
// answer to a question, and what a status shows. A version reads the bodies and writes the
// answers; package collect runs the collections.
package collections

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"samla/internal/fault"
	"samla/internal/institution"
)

// The types of parameters (docs/reference/api.md 4.3, 5.3).
const (
	PSD2Consent   = "PSD2_AIS_CONSENT"
	SwedishBankID = "SWEDISH_BANKID"
	StoredConsent = "STORED_CONSENT"
	Email         = "EMAIL"
	MitID         = "DANISH_MITID"
	LoginMethod   = "LOGIN_METHOD"
	Filter        = "FILTER"
)

// Request is the body of createConsent and of initiateCollection in version 2026-04-01.
// An older version converts its own bodies to it.
type Request struct {
	Company     string      `json:"company"`
	LoginMethod string      `json:"loginMethod"`
	Parameters  []Parameter `json:"parameters"`
	Refresh     string      `json:"refresh"` // WhenAllowed, or empty
}

// WhenAllowed is the value of refresh that queues a collection (docs/reference/api.md 5.11).
const WhenAllowed = "WHEN_ALLOWED"

// Parameter has the members of all types. Those of other types are empty.
type Parameter struct {
	Type           string   `json:"type"`
	AccountIDs     []string `json:"accountIds"`
	Balances       *bool    `json:"balances"`
	Transactions   *bool    `json:"transactions"`
	PSUIPAddress   string   `json:"psuIpAddress"`
	PSULocale      string   `json:"psuLocale"`
	PSUUserAgent   string   `json:"psuUserAgent"`
	ReturnURL      string   `json:"returnUrl"`
	ValidUntil     string   `json:"validUntil"`
	PersonalNumber string   `json:"personalNumber"`
	ConsentID      string   `json:"consentId"`
	LoginMethod    string   `json:"loginMethod"`
	Email          string   `json:"email"`
	UserID         string   `json:"userId"`
}

// find returns the first parameter of a type and its pointer, or nil. The contract
// refuses a second one.
func (r *Request) find(kind string) (*Parameter, string) {
	for i := range r.Parameters {
		if r.Parameters[i].Type == kind {
			return &r.Parameters[i], "/parameters/" + strconv.Itoa(i)
		}
	}
	return nil, ""
}

// Read begins the validation of a body. f is what the contract says of it; its fields are
// reported already. The error is one that makes further checks pointless.
func Read(institutions institution.Institutions, now time.Time, body []byte, f *fault.Fault) (*Validation, error) {
	v := New(institutions, now, Request{})
	if f == nil {
		return v, decode(body, &v.Request)
	}
	v.invalid = slices.Clone(f.Fields)
	if f.Code != fault.InvalidParameter || v.reported("") { // "": the body is no object
		return nil, f
	}
	// Members of a wrong type stay empty. They are reported already.
	_ = json.Unmarshal(body, &v.Request)
	return v, nil
}

// decode decodes a body that the contract accepts. A member that has another type than its
// field is one that its object does not have, such as an email of SWEDISH_BANKID: it stays
// empty, because members that are not known are ignored (docs/reference/api.md 1.5).
func decode(body []byte, to any) error {
	var another *json.UnmarshalTypeError
	if err := json.Unmarshal(body, to); !errors.As(err, &another) {
		return err
	}
	return nil
}
