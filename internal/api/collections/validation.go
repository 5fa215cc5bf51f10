package collections

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/institution"
)

// Validation is a request while the rules are checked that a schema cannot express. It
// reports one rule for each field, so that the answer names what the contract refuses
// together with what these rules refuse (docs/reference/api.md 1.6).
type Validation struct {
	Request
	institutions institution.Institutions
	now          time.Time
	company      company.Company
	at           institution.Institution // the institution of the company; zero: unknown
	invalid      []fault.Field
}

// New begins the validation of a request in which no field is reported yet.
func New(institutions institution.Institutions, now time.Time, r Request) *Validation {
	return &Validation{Request: r, institutions: institutions, now: now}
}

// Err returns the InvalidParameter fault of what was reported, or nil.
func (v *Validation) Err() error {
	if len(v.invalid) == 0 {
		return nil
	}
	slices.SortStableFunc(v.invalid, func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return fault.Params(v.invalid...)
}

// report adds a field, unless it is reported already.
func (v *Validation) report(pointer string, code fault.FieldCode, message string) {
	if !v.reported(pointer) {
		v.invalid = append(v.invalid, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
}

func (v *Validation) reported(pointer string) bool {
	return slices.ContainsFunc(v.invalid, func(f fault.Field) bool { return f.Pointer == pointer })
}

// reportMissing reports that a parameter is missing, unless there is one of an invalid
// type: the client may mean that one.
func (v *Validation) reportMissing(message string) {
	for i := range v.Parameters {
		if v.reported("/parameters/" + strconv.Itoa(i) + "/type") {
			return
		}
	}
	v.report("/parameters", fault.Required, message)
}

// checkCompany finds the company, and reports one that is not known.
func (v *Validation) checkCompany() {
	found, known := v.institutions.Find(v.Company)
	if !known {
		v.report("/company", fault.Invalid, "is no known company")
		return
	}
	v.at, v.company = found, found.Company
}

// known reports whether the company is known. What depends on the company cannot be said
// of another one: an unknown company is reported alone.
func (v *Validation) known() bool { return v.company.ID != "" }

// checkLoginMethod validates that the company offers a login method.
func (v *Validation) checkLoginMethod(pointer, method string) {
	if method != "" && v.known() && !v.company.Offers(method) {
		v.report(pointer, fault.NotSupported, "is not offered by this company, which has "+strings.Join(v.company.LoginMethods, ", "))
	}
}

// checkSigner requires the personal number if the bank needs it to start an authorization.
func (v *Validation) checkSigner() {
	if v.known() && v.at.Profile.NeedsPSUID {
		v.require(SwedishBankID)
	}
}

// require reports the types of parameters that the company needs and that are missing.
func (v *Validation) require(kinds ...string) {
	missing := slices.DeleteFunc(kinds, func(kind string) bool {
		p, _ := v.find(kind)
		return p != nil
	})
	if len(missing) > 0 {
		v.reportMissing("must hold a parameter of type " + strings.Join(missing, " and one of type ") + " for this company")
	}
}
