package api

import (
	"net/netip"
	"strings"
	"time"
	"unicode"

	"samla/internal/authorize"
	"samla/internal/consent"
	"samla/internal/fault"
	"samla/internal/ident"
	"samla/internal/psu"
)

// checkConsent holds a form against docs/reference/api.md 4.3 and returns what it asks for. The
// request means something only when nothing was reported.
func (f *form) checkConsent() authorize.Request {
	f.checkCompany()
	f.checkMethod("/loginMethod", f.LoginMethod)
	f.checkPerson()
	var r authorize.Request
	if p, at := f.find(typePSD2Consent); p != nil {
		r = f.checkScope(p, at)
	}
	r.Company, r.LoginMethod = f.Company, f.LoginMethod
	if p, at := f.find(typeSwedishBankID); p != nil {
		number, err := ident.ParsePersonalNumber12(p.PersonalNumber)
		r.PSU.PersonalNumber = f.checkNumber(at, number, err)
	}
	return r
}

// checkScope holds a parameter PSD2_AIS_CONSENT against its rules, which are the
// same inside a one-time collection.
func (f *form) checkScope(p *parameter, at string) authorize.Request {
	f.checkAddress(at, p.PSUIPAddress)
	return authorize.Request{
		Scope: consent.Scope{
			AccountIDs: f.checkAccounts(at, p.AccountIDs),
			Balances:   p.Balances == nil || *p.Balances, Transactions: p.Transactions == nil || *p.Transactions,
		},
		ValidUntil: f.checkDay(at+"/validUntil", p.ValidUntil),
		PSU:        psu.Context{IPAddress: p.PSUIPAddress, Locale: locale(p.PSULocale)},
	}
}

// checkAddress asks for an address without a zone: a zone means something on the
// person's own device only.
func (f *form) checkAddress(at, text string) {
	if addr, err := netip.ParseAddr(text); err != nil || addr.Zone() != "" {
		f.report(at+"/psuIpAddress", fault.Invalid, "must be an IPv4 or IPv6 address")
	}
}

// checkAccounts returns the accounts asked for, nil for all: an empty list is
// the same as none.
func (f *form) checkAccounts(at string, ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		if strings.ContainsFunc(id, unicode.IsControl) {
			f.report(at+"/accountIds", fault.Invalid, "must not contain control characters")
		}
	}
	return ids
}

// checkDay reads the day asked for; it must not be over (in UTC) already.
func (f *form) checkDay(pointer, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		f.report(pointer, fault.Invalid, "must be a date, YYYY-MM-DD")
	} else if text < f.h.Clock.Now().UTC().Format(time.DateOnly) {
		f.report(pointer, fault.Invalid, "must be today or later")
	}
	return day
}

func (f *form) checkNumber(at string, number ident.PersonalNumber, err error) psu.Number {
	if err != nil {
		f.report(at+"/personalNumber", fault.Invalid, "must be a Swedish personal or coordination number")
		return ""
	}
	return psu.Number(number.Digits())
}

// locale brings a language and a country into the usual form, sv-SE.
func locale(text string) string {
	language, country, _ := strings.Cut(text, "-")
	if country == "" {
		return ""
	}
	return strings.ToLower(language) + "-" + strings.ToUpper(country)
}
