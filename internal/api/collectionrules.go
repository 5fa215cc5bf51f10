package api

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

// checkCollection holds a form against docs/reference/api.md 5.2 and 5.3 and returns what it
// asks for. The request means something only when nothing was reported.
func (f *form) checkCollection() collect.Request {
	f.checkCompany()
	r := collect.Request{Company: f.Company, LoginMethod: f.checkMethods()}
	for _, kind := range []string{typeEmail, typeMitID} {
		if p, at := f.find(kind); p != nil {
			f.report(at+"/type", fault.NotSupported, "is not used by this company")
		}
	}
	if p, at := f.find(typeFilter); p != nil {
		r.Filter = f.checkAccounts(at, p.AccountIDs)
	}
	var number psu.Number
	if p, at := f.find(typeSwedishBankID); p != nil {
		parsed, err := ident.ParsePersonalNumber(p.PersonalNumber, f.h.Clock.Now())
		number = f.checkNumber(at, parsed, err)
	}
	scope, scopeAt := f.find(typePSD2Consent)
	if p, at := f.find(typeStoredConsent); p != nil {
		r.ConsentID, r.PSU = consent.ID(p.ConsentID), f.checkPresence(p, at)
		return r
	}
	if scope == nil {
		f.reportMissing("must hold a parameter of type STORED_CONSENT or PSD2_AIS_CONSENT for this company")
		return r
	}
	f.checkPerson()
	inner := f.checkScope(scope, scopeAt)
	inner.PSU.PersonalNumber = number
	r.OneTime = &inner
	return r
}

// checkMethods reads the login method from the body, or from its parameter.
func (f *form) checkMethods() string {
	f.checkMethod("/loginMethod", f.LoginMethod)
	p, at := f.find(typeLoginMethod)
	if p == nil {
		return f.LoginMethod
	}
	if f.LoginMethod != "" && p.LoginMethod != "" && f.LoginMethod != p.LoginMethod {
		f.report(at+"/loginMethod", fault.NotAllowed, "must agree with loginMethod of the body")
	}
	f.checkMethod(at+"/loginMethod", p.LoginMethod)
	return cmp.Or(f.LoginMethod, p.LoginMethod)
}

// checkPresence reads whether the person is there: the address decides, and
// without it the User-Agent means nothing (docs/reference/api.md 5.3, 5.6).
func (f *form) checkPresence(p *parameter, at string) psu.Context {
	if strings.ContainsFunc(p.PSUUserAgent, unicode.IsControl) {
		f.report(at+"/psuUserAgent", fault.Invalid, "must not contain control characters")
	}
	if p.PSUIPAddress == "" {
		return psu.Context{}
	}
	f.checkAddress(at, p.PSUIPAddress)
	return psu.Context{IPAddress: p.PSUIPAddress, UserAgent: p.PSUUserAgent}
}
