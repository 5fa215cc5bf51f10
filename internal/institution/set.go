package institution

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"samla/internal/company"
)

// Institution is one institution that this server can reach. Each verb is a small
// interface; nil means that the institution does not have it. Each can be decorated
// by itself. Safe for concurrent use.
type Institution struct {
	Company company.Company // as clients see it
	Family  string          // name of its family
	Entry   string          // company of the entry that opened it with others, such as a gateway; empty: it has one of its own
	Profile Profile

	Opener        Opener
	AccountLister AccountLister
	Authorizer    Authorizer
	ConsentReader ConsentReader
	Revoker       Revoker
	Collector     Collector
	Loginer       Loginer
	Completer     Completer
	Refresher     Refresher

	// Retired: it is not offered any more. What began before goes on: reads, revocations.
	Retired bool
	// Gone: it is retired because it is no more where it was. It is listed, as unavailable.
	Gone bool

	// Upkeep does what is due from time to time, such as the renewal of a list, and nothing
	// if nothing is due. It is called several times a day; nil = there is nothing.
	Upkeep func(ctx context.Context) error
	// Now returns the institutions of its entry if an Upkeep has changed them since the last
	// call, and none otherwise; nil = they stay as they were opened. They need not be closed.
	// Upkeep and Now are called by one at a time.
	Now func() []Institution

	// Certificates are ours at the institution. An operator must renew them in time.
	Certificates []Certificate
	// Reach opens a connection and says what it has shown; nil = its family cannot.
	Reach func(ctx context.Context) (Reached, error)
	// ReturnAddresses asks which addresses of return are registered there; nil = the
	// institution does not tell.
	ReturnAddresses func(ctx context.Context) ([]string, error)

	// Signatures says what signing its requests has taken; nil = they are not signed.
	Signatures func() SignatureFigures

	Close func() // releases what it holds, such as connections; nil = nothing
}

// Capabilities lists the verbs that the institution has, sorted by name.
func (i Institution) Capabilities() []Verb {
	var verbs []Verb
	for verb, has := range map[Verb]bool{
		VerbOpen: i.Opener != nil, VerbAuthorize: i.Authorizer != nil, VerbReadConsent: i.ConsentReader != nil,
		VerbRevoke: i.Revoker != nil, VerbCollect: i.Collector != nil, VerbLogin: i.Loginer != nil,
		VerbListAccounts: i.AccountLister != nil, VerbComplete: i.Completer != nil, VerbRefresh: i.Refresher != nil,
	} {
		if has {
			verbs = append(verbs, verb)
		}
	}
	slices.Sort(verbs)
	return verbs
}

// Set holds the institutions of a server by company id, as they were at the start. An
// institution that was removed from the configuration is not in it,
// although the store may still have its consents and collections.
type Set map[string]Institution

// Find returns the institution of a company and reports whether there is one.
func (s Set) Find(companyID string) (Institution, bool) {
	i, ok := s[companyID]
	return i, ok
}

// Of returns the institution of a company; the zero value, which has no verb, if there is
// none.
func (s Set) Of(companyID string) Institution { return s[companyID] }

// All returns the institutions sorted by company id.
func (s Set) All() []Institution {
	list := slices.Collect(maps.Values(s))
	slices.SortFunc(list, func(a, b Institution) int { return cmp.Compare(a.Company.ID, b.Company.ID) })
	return list
}

// Offered returns those of All that are not retired.
func (s Set) Offered() []Institution {
	return slices.DeleteFunc(s.All(), func(i Institution) bool { return i.Retired })
}

// Close closes every institution. None may be used any more.
func (s Set) Close() {
	for _, i := range s {
		if i.Close != nil {
			i.Close()
		}
	}
}
