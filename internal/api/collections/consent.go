package collections

import (
	"net/netip"
	"strings"
	"time"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/listing"
	"samla/internal/psu"
)

// Consent validates a request by docs/reference/api.md 4.3 and returns it for the
// service. The result is valid only if Err returns nil.
func (v *Validation) Consent() authorize.Request {
	v.checkCompany()
	if v.known() && !v.company.PSD2 {
		v.report("/company", fault.NotSupported, "cannot be used for PSD2 consents")
	}
	v.checkOffered()
	v.checkLoginMethod("/loginMethod", v.Request.LoginMethod)
	v.checkSigner()
	var r authorize.Request
	if p, at := v.find(PSD2Consent); p != nil {
		r = v.scope(p, at)
	}
	r.Company, r.LoginMethod = v.Company, v.Request.LoginMethod
	if p, at := v.find(SwedishBankID); p != nil {
		number, err := ident.ParsePersonalNumber12(p.PersonalNumber)
		r.PSU.PersonalNumber = v.personalNumber(at, number, err)
	}
	return r
}

// checkOffered reports a company that is not offered any more: what began before goes on.
func (v *Validation) checkOffered() {
	if v.known() && v.at.Retired {
		v.report("/company", fault.NotSupported, "is not offered any more: no new consents can be given")
	}
}

// scope validates a parameter PSD2_AIS_CONSENT. Its rules are the same in a one-time
// collection.
func (v *Validation) scope(p *Parameter, at string) authorize.Request {
	v.checkAddress(at, p.PSUIPAddress)
	return authorize.Request{
		Scope: consent.Scope{
			AccountIDs: v.accounts(at, p.AccountIDs, false),
			Balances:   p.Balances == nil || *p.Balances, Transactions: p.Transactions == nil || *p.Transactions,
		},
		ValidUntil: v.day(at+"/validUntil", p.ValidUntil), ReturnTo: p.ReturnURL, ReturnToAt: at + "/returnUrl",
		PSU: psu.Context{IPAddress: p.PSUIPAddress, Locale: locale(p.PSULocale)},
	}
}

// checkAddress validates an IP address. A zone is refused: it has a meaning on the
// person's own device only.
func (v *Validation) checkAddress(at, text string) {
	if addr, err := netip.ParseAddr(text); err != nil || addr.Zone() != "" {
		v.report(at+"/psuIpAddress", fault.Invalid, "must be an IPv4 or IPv6 address")
	}
}

// accounts validates a list of accounts. It returns nil, which means all accounts, for
// an empty one. ours allows the ids of products, which a bank does not know
// (docs/reference/products.md 4).
func (v *Validation) accounts(at string, ids []string, ours bool) []string {
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		v.checkText(at+"/accountIds", id)
		if !ours && listing.IsID(strings.ToLower(strings.TrimSpace(id))) {
			v.report(at+"/accountIds", fault.Invalid, "must name the accounts by IBAN or number: the bank does not know the accountId of a product")
		}
	}
	return ids
}

// day parses a day, which must be today (in UTC) or later. An empty text is the zero
// time.
func (v *Validation) day(pointer, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		v.report(pointer, fault.Invalid, "must be a date, YYYY-MM-DD")
	} else if text < v.now.UTC().Format(time.DateOnly) {
		v.report(pointer, fault.Invalid, "must be today or later")
	}
	return day
}

// personalNumber returns a parsed number, or reports the error of parsing it.
func (v *Validation) personalNumber(at string, number ident.PersonalNumber, err error) psu.Number {
	if err != nil {
		v.report(at+"/personalNumber", fault.Invalid, "must be a Swedish personal or coordination number")
		return ""
	}
	return psu.Number(number.Digits())
}

// locale returns a language and a country in the usual case, such as sv-SE.
func locale(text string) string {
	language, country, _ := strings.Cut(text, "-")
	if country == "" {
		return ""
	}
	return strings.ToLower(language) + "-" + strings.ToUpper(country)
}
