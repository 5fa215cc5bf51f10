package collections

import (
	"samla/internal/authorize"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/psu"
)

// Renewal validates a request to renew the consent old by docs/reference/api.md 4.7 and
// returns it for the service. The company is that of the old consent, and so is what the
// request leaves out: the login method, the accounts and the kinds of data. The result is
// valid only if Err returns nil.
func (v *Validation) Renewal(old authorize.Old) authorize.Request {
	v.Company = old.Company
	v.checkCompany()
	v.checkOffered()
	v.checkLoginMethod("/loginMethod", v.Request.LoginMethod)
	if old.PersonalNumber == "" {
		v.checkSigner()
	}
	var r authorize.Request
	if p, at := v.find(PSD2Consent); p != nil {
		r = v.scope(p, at)
		if p.AccountIDs == nil {
			r.Scope.AccountIDs = old.Requested.AccountIDs
		}
		if p.Balances == nil {
			r.Scope.Balances = old.Requested.Balances
		}
		if p.Transactions == nil {
			r.Scope.Transactions = old.Requested.Transactions
		}
		if !r.Scope.Balances && !r.Scope.Transactions {
			v.report(at, fault.Invalid, "must ask for balances or for transactions: the consent that is renewed has only the other one")
		}
	}
	r.NumberAt = "/parameters"
	if p, at := v.find(SwedishBankID); p != nil {
		number, err := ident.ParsePersonalNumber12(p.PersonalNumber)
		r.PSU.PersonalNumber, r.NumberAt = v.personalNumber(at, number, err), at+"/personalNumber"
		v.checkSamePerson(at, r.PSU.PersonalNumber, old.PersonalNumber)
	}
	r.LoginMethod = v.Request.LoginMethod
	if r.LoginMethod == "" {
		r.LoginMethod = old.LoginMethod
	}
	return r
}

// checkSamePerson reports a number that is not the one of the person who signed the
// consent that is renewed, where that is known.
func (v *Validation) checkSamePerson(at string, given, kept psu.Number) {
	if given != "" && kept != "" && given != kept {
		v.report(at+"/personalNumber", fault.Invalid, "must be the number of the person who signed the consent that is renewed")
	}
}
