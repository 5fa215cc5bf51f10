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
	Source        Source
}

// Capabilities names the verbs that the institution has, sorted.
func (i Institution) Capabilities() []string {
	var names []string
	for name, has := range map[string]bool{
		"open": i.Opener != nil, "authorize": i.Authorizer != nil, "read-consent": i.ConsentReader != nil,
		"revoke": i.Revoker != nil, "collect": i.Source != nil,
	} {
		if has {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Set holds the institutions of a server by company id. It is not changed after
// the start. An institution that was taken out of the configuration is not in it,
// while its consents and collections still are in the store.
type Set map[string]Institution

// NewSet makes a set; of two institutions with one company id the later wins.
func NewSet(list ...Institution) Set {
	s := make(Set, len(list))
	for _, i := range list {
		s[i.Company.ID] = i
	}
	return s
}

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
