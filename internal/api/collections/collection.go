package collections

import (
	"cmp"
	"strings"

	"samla/internal/authorize"
	"samla/internal/collect"
	"samla/internal/company"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/psu"
)

// Collection validates a request by docs/reference/api.md 5.2 and 5.3 and returns it
// for the service. The result is valid only if Err returns nil. A company with a Loginer
// is logged in to, unless the request has a parameter for a consent; any other company is
// read under a consent. Where a bank takes our own address, the personal number alone asks
// for a consent to everything that the person signs at once.
func (v *Validation) Collection() collect.Request {
	v.checkCompany()
	r := collect.Request{Company: v.Company, LoginMethod: v.loginMethod()}
	v.checkUse()
	if p, at := v.find(Filter); p != nil {
		r.Filter = v.accounts(at, p.AccountIDs, true)
	}
	v.checkRefresh()
	number := v.signer()
	scope, scopeAt := v.find(PSD2Consent)
	stored, storedAt := v.find(StoredConsent)
	switch {
	case stored != nil:
		r.ConsentID, r.PSU = consent.ID(stored.ConsentID), v.presence(stored, storedAt)
		r.WhenAllowed = v.Refresh == WhenAllowed
	case scope != nil:
		v.checkSigner()
		oneTime := v.scope(scope, scopeAt)
		oneTime.PSU.PersonalNumber = number
		r.OneTime = &oneTime
	case !v.known():
	case v.at.Loginer != nil:
		r.Login = v.login(r.LoginMethod, number)
	case v.at.Profile.OpensWithoutAddress && number != "" && !v.at.Retired:
		r.OneTime = &authorize.Request{Scope: consent.Scope{Balances: true, Transactions: true}, PSU: psu.Context{PersonalNumber: number}}
	case v.company.PSD2:
		v.reportMissing("must hold a parameter of type STORED_CONSENT or PSD2_AIS_CONSENT for this company")
	default:
		v.report("/company", fault.NotSupported, "cannot be used for collections")
	}
	return r
}

// checkRefresh validates refresh: a collection is queued only if it reads everything that a
// stored consent covers, without the person.
func (v *Validation) checkRefresh() {
	stored, _ := v.find(StoredConsent)
	filter, _ := v.find(Filter)
	switch {
	case v.Refresh == "":
	case v.Refresh != WhenAllowed:
		v.report("/refresh", fault.Invalid, "must be "+WhenAllowed)
	case stored == nil || stored.PSUIPAddress != "" || filter != nil:
		v.report("/refresh", fault.NotAllowed, "needs a STORED_CONSENT without psuIpAddress, and no FILTER")
	}
}

// checkUse reports the parameters that the company cannot use. Data of a person that
// nobody needs is refused, not dropped.
func (v *Validation) checkUse() {
	if !v.known() {
		return
	}
	logsIn := v.at.Loginer != nil
	offers := func(word string) bool {
		for _, method := range v.company.LoginMethods {
			if strings.Contains(method, word) {
				return true
			}
		}
		return false
	}
	for _, use := range []struct {
		kind string
		used bool
	}{
		{PSD2Consent, v.company.PSD2 && !v.at.Retired}, {StoredConsent, v.company.PSD2},
		{Email, logsIn && (v.company.NeedsToKnow(company.NeedsEmail) || offers("EMAIL"))},
		{MitID, logsIn && (v.company.NeedsToKnow(company.NeedsUserID) || offers("MITID"))},
	} {
		if p, at := v.find(use.kind); p != nil && !use.used {
			v.report(at+"/type", fault.NotSupported, "is not used by this company")
		}
	}
}

// byEmail is the login method that needs no parameter: the institution asks for what it
// lacks (docs/reference/api.md 5.2, 5.3).
const byEmail = "EMAIL"

// login returns what the institution is told of the person, and reports what it needs to
// know and is not told.
func (v *Validation) login(method string, number psu.Number) *collect.Login {
	l := &collect.Login{PersonalNumber: number}
	if p, at := v.find(Email); p != nil {
		l.Email = p.Email
		v.checkText(at+"/email", p.Email)
	}
	if p, at := v.find(MitID); p != nil {
		l.UserID = p.UserID
		v.checkText(at+"/userId", p.UserID)
	}
	if method == byEmail {
		return l
	}
	var kinds []string
	for _, need := range []struct{ what, kind string }{
		{company.NeedsPersonalNumber, SwedishBankID}, {company.NeedsEmail, Email}, {company.NeedsUserID, MitID},
	} {
		if v.company.NeedsToKnow(need.what) {
			kinds = append(kinds, need.kind)
		}
	}
	v.require(kinds...)
	return l
}

// signer returns the personal number, which may have ten digits here. A company with
// invented test persons gets any digits.
func (v *Validation) signer() psu.Number {
	p, at := v.find(SwedishBankID)
	if p == nil {
		return ""
	}
	var options []ident.Option
	if v.company.AnyPersonalNumber {
		options = append(options, ident.AnyDigits())
	}
	parsed, err := ident.ParsePersonalNumber(p.PersonalNumber, v.now, options...)
	return v.personalNumber(at, parsed, err)
}

// loginMethod returns the login method, which is in the body or in a parameter.
func (v *Validation) loginMethod() string {
	own := v.Request.LoginMethod
	v.checkLoginMethod("/loginMethod", own)
	p, at := v.find(LoginMethod)
	if p == nil {
		return own
	}
	if own != "" && p.LoginMethod != "" && own != p.LoginMethod {
		v.report(at+"/loginMethod", fault.NotAllowed, "must agree with loginMethod of the body")
	}
	v.checkLoginMethod(at+"/loginMethod", p.LoginMethod)
	return cmp.Or(own, p.LoginMethod)
}

// presence returns the context of a person who is present: one with an address.
// Without an address, a User-Agent means nothing (docs/reference/api.md 5.3, 5.6).
func (v *Validation) presence(p *Parameter, at string) psu.Context {
	v.checkText(at+"/psuUserAgent", p.PSUUserAgent)
	if p.PSUIPAddress == "" {
		return psu.Context{}
	}
	v.checkAddress(at, p.PSUIPAddress)
	return psu.Context{IPAddress: p.PSUIPAddress, UserAgent: p.PSUUserAgent}
}
