package v20260401

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"samla/internal/company"
	"samla/internal/fault"
	"samla/internal/institution"
)

// validation is a request while the rules are checked that a schema cannot express. It
// reports one rule for each field, so that the answer names what the contract refuses
// together with what these rules refuse (docs/reference/api.md 1.6).
type validation struct {
	request
	institutions institution.Set
	now          time.Time
	company      company.Company
	bank         *institution.Institution // nil: unknown, or unusable for consents
	invalid      []fault.Field
}

// err returns the InvalidParameter fault of what was reported, or nil.
func (v *validation) err() error {
	if len(v.invalid) == 0 {
		return nil
	}
	slices.SortStableFunc(v.invalid, func(a, b fault.Field) int { return cmp.Compare(a.Pointer, b.Pointer) })
	return fault.Params(v.invalid...)
}

// report adds a field, unless it is reported already.
func (v *validation) report(pointer string, code fault.FieldCode, message string) {
	if !v.reported(pointer) {
		v.invalid = append(v.invalid, fault.Field{Pointer: pointer, Code: code, Message: message})
	}
}

func (v *validation) reported(pointer string) bool {
	return slices.ContainsFunc(v.invalid, func(f fault.Field) bool { return f.Pointer == pointer })
}

// reportMissing reports that a parameter is missing, unless there is one of an invalid
// type: the client may mean that one.
func (v *validation) reportMissing(message string) {
	for i := range v.Parameters {
		if v.reported("/parameters/" + strconv.Itoa(i) + "/type") {
			return
		}
	}
	v.report("/parameters", fault.Required, message)
}

// checkCompany finds the company and its bank.
func (v *validation) checkCompany() {
	found, known := v.institutions.Find(v.Company)
	v.company = found.Company
	switch {
	case !known:
		v.report("/company", fault.Invalid, "is no known company")
	case !found.Company.PSD2:
		v.report("/company", fault.NotSupported, "cannot be used for PSD2 consents")
	default:
		v.bank = &found
	}
}

// known reports whether the company is known. What depends on the company cannot be said
// of another one: an unknown company is reported alone.
func (v *validation) known() bool { return v.company.ID != "" }

// checkLoginMethod validates that the company offers a login method.
func (v *validation) checkLoginMethod(pointer, method string) {
	if method != "" && v.known() && !v.company.Offers(method) {
		v.report(pointer, fault.NotSupported, "is not offered by this company")
	}
}

// checkPerson requires the personal number if the bank does.
func (v *validation) checkPerson() {
	if v.bank == nil || !v.bank.Profile.NeedsPSUID {
		return
	}
	if p, _ := v.find(typeSwedishBankID); p == nil {
		v.reportMissing("must hold a parameter of type SWEDISH_BANKID for this company")
	}
}
