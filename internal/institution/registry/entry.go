package registry

import (
	"fmt"
	"regexp"
	"strings"

	"samla/internal/company"
	"samla/internal/institution"
	"samla/internal/strictjson"
)

// Entry holds the members that every entry of a banks file has, whatever its
// family.
type Entry struct {
	Company      string   `json:"company,omitzero"`      // {market}-{slug}
	DisplayName  string   `json:"displayName,omitzero"`  // for people
	LoginMethods []string `json:"loginMethods,omitzero"` // docs/reference/api.md 6.3
	Family       string   `json:"family,omitzero"`       // name of a row of the registry; "" = the first
	Traceparent  bool     `json:"traceparent,omitzero"`  // requests carry the header of W3C Trace Context
}

var (
	companyRE = regexp.MustCompile(`^[a-z]{2}(-[a-z0-9]+)+$`)
	methodRE  = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
)

func (e Entry) check() (faults strictjson.Faults) {
	if !companyRE.MatchString(e.Company) {
		faults.Add("/company", `must be a market and a name in lower case, such as "se-mybank"`)
	}
	if strings.TrimSpace(e.DisplayName) == "" {
		faults.Add("/displayName", "is missing: write the bank's name as people know it")
	}
	if len(e.LoginMethods) == 0 {
		faults.Add("/loginMethods", `is missing: list at least one, such as "SWEDISH_MOBILE_BANKID_OTHER_DEVICE"`)
	}
	for i, m := range e.LoginMethods {
		if !methodRE.MatchString(m) {
			faults.Add(fmt.Sprintf("/loginMethods/%d", i), "must be in upper case with underscores")
		}
	}
	return faults
}

// company returns the company of an institution. It can be used for consents if it has the
// verb that makes them, or is retired and has that which reads them: those that began before.
func (e Entry) company(i institution.Institution) company.Company {
	c := i.Company
	c.ID, c.DisplayName, c.LoginMethods, c.PSD2 = e.Company, e.DisplayName, e.LoginMethods, i.Opener != nil || i.Retired && i.ConsentReader != nil
	return c
}
