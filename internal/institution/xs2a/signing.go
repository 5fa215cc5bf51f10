package xs2a

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"samla/internal/institution"
	"samla/internal/strictjson"
)

// How the person signs: the values of Profile.SCA (docs/reference/families.md 2.1).
const (
	scaDecoupled           = "decoupled"               // in an app, which the bank asks by itself
	scaRedirect            = "redirect"                // on a page of the bank
	scaOAuth               = "oauth"                   // on a page that gives a code of OAuth 2.0 ("integrated")
	scaDecoupledAfterLogin = scaDecoupled + afterLogin // after a login by OAuth 2.0 ("pre-step")
	scaRedirectAfterLogin  = scaRedirect + afterLogin

	afterLogin = "-after-login"
)

// Redirect says how the bank sends persons to its page and back
// (docs/reference/families.md 2.2). Members that are left out have the defaults in
// parentheses.
type Redirect struct {
	ExplicitStart *bool `json:"explicitStart,omitempty"` // TPP-Explicit-Authorisation-Preferred (true for decoupled, else false)
	AppendState   *bool `json:"appendState,omitempty"`   // state is added to scaRedirect (true)
	// FixedReturn: persons come back to one address, which the bank may have in a register.
	// Otherwise each has an address of their own. (With oauth true, else false.)
	FixedReturn  *bool  `json:"fixedReturn,omitempty"`
	Nok          *bool  `json:"nok,omitempty"`         // TPP-Nok-Redirect-URI is sent (unless fixedReturn)
	Confirmation string `json:"confirmation,omitzero"` // link, always or never (link: where the bank links to it)
}

// When the confirmation call is made (docs/reference/families.md 2.4).
const (
	confirmLinked = "link"
	confirmAlways = "always"
	confirmNever  = "never"
)

func (r Redirect) withDefaults(sca string) Redirect {
	orPointer(&r.ExplicitStart, sca == scaDecoupled || sca == scaDecoupledAfterLogin)
	orPointer(&r.AppendState, true)
	orPointer(&r.FixedReturn, sca == scaOAuth)
	orPointer(&r.Nok, !*r.FixedReturn)
	r.Confirmation = cmp.Or(r.Confirmation, confirmLinked)
	return r
}

func (r Redirect) check() (faults strictjson.Faults) {
	if allowed := []string{confirmLinked, confirmAlways, confirmNever}; !slices.Contains(allowed, r.Confirmation) {
		faults.Add("/confirmation", fmt.Sprintf("must be one of %q", allowed))
	}
	return faults
}

// signing is how the person signs a consent, on the wire.
type signing struct {
	onPage      bool // on a page of the bank
	byCode      bool // the bank gives a code of OAuth 2.0 for it
	loginFirst  bool
	explicit    bool
	appendState bool
	fixedReturn bool
	nok         bool
	confirm     string
}

func (p Profile) signing() signing {
	return signing{
		onPage: !strings.HasPrefix(p.SCA, scaDecoupled), byCode: p.SCA == scaOAuth, loginFirst: strings.HasSuffix(p.SCA, afterLogin),
		explicit: *p.Redirect.ExplicitStart, appendState: *p.Redirect.AppendState,
		fixedReturn: *p.Redirect.FixedReturn, nok: *p.Redirect.Nok, confirm: p.Redirect.Confirmation,
	}
}

// returnTo returns the address where the person comes back from signing. It is the same
// in all requests about one consent, as the standard demands.
func (s signing) returnTo(w institution.Way) string {
	if s.fixedReturn {
		return w.Return
	}
	return cmp.Or(w.OnceReturn, w.Return)
}
