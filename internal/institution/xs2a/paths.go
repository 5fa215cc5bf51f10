package xs2a

import (
	"slices"
	"strings"

	"samla/internal/httpclient"
	"samla/internal/strictjson"
)

// Paths are the paths of the bank's resources below the base URL: banks serve other
// versions of one resource than of another, and some name them in their own way. The
// last three are below an entry of a list.
type Paths struct {
	Consents       string `json:"consents,omitzero"`       // ("v1/consents")
	Accounts       string `json:"accounts,omitzero"`       // ("v1/accounts")
	Cards          string `json:"cards,omitzero"`          // ("v1/" and the profile's cards)
	Authorisations string `json:"authorisations,omitzero"` // of a consent ("authorisations")
	Balances       string `json:"balances,omitzero"`       // of an account ("balances")
	Transactions   string `json:"transactions,omitzero"`   // of an account ("transactions")
}

func (p Paths) withDefaults(cards string) Paths {
	for _, path := range []struct {
		member *string
		value  string
	}{{&p.Consents, "v1/consents"}, {&p.Accounts, "v1/accounts"}, {&p.Cards, "v1/" + cards},
		{&p.Authorisations, "authorisations"}, {&p.Balances, "balances"}, {&p.Transactions, "transactions"}} {
		if *path.member == "" {
			*path.member = path.value
		}
	}
	return p
}

func (p Paths) check() (faults strictjson.Faults) {
	for _, path := range []struct{ name, value string }{{"consents", p.Consents}, {"accounts", p.Accounts}, {"cards", p.Cards},
		{"authorisations", p.Authorisations}, {"balances", p.Balances}, {"transactions", p.Transactions}} {
		if path.value == "" {
			continue
		}
		segments := strings.Split(path.value, "/")
		_, err := httpclient.EscapePath(segments...)
		if err != nil || slices.Contains(segments, "") || strings.ContainsAny(path.value, "?#%") {
			faults.Add("/"+path.name, `must be a path such as "v2/accounts", without a slash at its ends, a query or escapes`)
		}
	}
	return faults
}

// under returns the segments of a resource below others.
func under(path string, more ...string) []string {
	return slices.Concat(strings.Split(path, "/"), more)
}
