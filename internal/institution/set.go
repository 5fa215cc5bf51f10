package institution

import (
	"slices"

	"samla/internal/company"
)

// Institution is one institution as this server reaches it. What it can do is a
// small interface each; a nil one means that it cannot. The interfaces may be
// decorated one by one. Safe for concurrent use.
type Institution struct {
	Company company.Company // entry of the directory
	Profile Profile

	Opener        Opener
	Authorizer    Authorizer
	ConsentReader ConsentReader
	Revoker       Revoker
	Collector     Collector
}

// Capabilities lists the verbs that the institution has, sorted by name.
func (i Institution) Capabilities() []Verb {
	var verbs []Verb
	for verb, has := range map[Verb]bool{
		VerbOpen: i.Opener != nil, VerbAuthorize: i.Authorizer != nil, VerbReadConsent: i.ConsentReader != nil,
		VerbRevoke: i.Revoker != nil, VerbCollect: i.Collector != nil,
	} {
		if has {
			verbs = append(verbs, verb)
		}
	}
	slices.Sort(verbs)
	return verbs
}

// Set holds the institutions of a server by company id. It is not changed after
// the start. An institution that was taken out of the configuration is not in it,
// while its consents and collections still are in the store.
type Set map[string]Institution

// Find returns the institution of a company and reports whether there is one.
func (s Set) Find(companyID string) (Institution, bool) {
	i, ok := s[companyID]
	return i, ok
}

// Companies lists the entries of the directory.
func (s Set) Companies() []company.Company {
	list := make([]company.Company, 0, len(s))
	for _, i := range s {
		list = append(list, i.Company)
	}
	return list
}
