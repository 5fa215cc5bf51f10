package v20260401

import (
	"cmp"
	"strings"
	"unicode"

	"samla/internal/collect"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/psu"
)

// collection validates a request by docs/reference/api.md 5.2 and 5.3 and returns it
// for the service. The result is valid only if nothing was reported.
func (v *validation) collection() collect.Request {
	v.checkCompany()
	r := collect.Request{Company: v.Company, LoginMethod: v.loginMethod()}
	for _, kind := range []string{typeEmail, typeMitID} {
		if p, at := v.find(kind); p != nil && v.known() {
			v.report(at+"/type", fault.NotSupported, "is not used by this company")
		}
	}
	if p, at := v.find(typeFilter); p != nil {
		r.Filter = v.accounts(at, p.AccountIDs, true)
	}
	var number psu.Number
	if p, at := v.find(typeSwedishBankID); p != nil {
		parsed, err := ident.ParsePersonalNumber(p.PersonalNumber, v.now)
		number = v.personalNumber(at, parsed, err)
	}
	scope, scopeAt := v.find(typePSD2Consent)
	if p, at := v.find(typeStoredConsent); p != nil {
		r.ConsentID, r.PSU = consent.ID(p.ConsentID), v.presence(p, at)
		return r
	}
	if scope == nil && !v.known() {
		return r
	}
	if scope == nil {
		v.reportMissing("must hold a parameter of type STORED_CONSENT or PSD2_AIS_CONSENT for this company")
		return r
	}
	v.checkPerson()
	oneTime := v.scope(scope, scopeAt)
	oneTime.PSU.PersonalNumber = number
	r.OneTime = &oneTime
	return r
}

// loginMethod returns the login method, which is in the body or in a parameter.
func (v *validation) loginMethod() string {
	v.checkLoginMethod("/loginMethod", v.LoginMethod)
	p, at := v.find(typeLoginMethod)
	if p == nil {
		return v.LoginMethod
	}
	if v.LoginMethod != "" && p.LoginMethod != "" && v.LoginMethod != p.LoginMethod {
		v.report(at+"/loginMethod", fault.NotAllowed, "must agree with loginMethod of the body")
	}
	v.checkLoginMethod(at+"/loginMethod", p.LoginMethod)
	return cmp.Or(v.LoginMethod, p.LoginMethod)
}

// presence returns the context of a person who is present: one with an address.
// Without an address, a User-Agent means nothing (docs/reference/api.md 5.3, 5.6).
func (v *validation) presence(p *parameter, at string) psu.Context {
	if strings.ContainsFunc(p.PSUUserAgent, unicode.IsControl) {
		v.report(at+"/psuUserAgent", fault.Invalid, "must not contain control characters")
	}
	if p.PSUIPAddress == "" {
		return psu.Context{}
	}
	v.checkAddress(at, p.PSUIPAddress)
	return psu.Context{IPAddress: p.PSUIPAddress, UserAgent: p.PSUUserAgent}
}
