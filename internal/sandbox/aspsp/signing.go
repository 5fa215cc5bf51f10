package aspsp

import (
	"time"

	"samla/internal/sandbox/oauth"
)

// Approach is how a bank has its customers sign (docs/reference/families.md 2.1).
type Approach string

// The approaches.
const (
	Decoupled Approach = ""         // the TPP shows BankID's data
	Redirect  Approach = "redirect" // on the bank's page
	OAuth     Approach = "oauth"    // on the bank's page, with the consent as OAuth2 scope
)

// Signing is the part of a bank's configuration about signing.
type Signing struct {
	Approach Approach
	// Implicit: the bank starts the authorisation itself when a consent is created.
	// Otherwise the TPP does, by POST authorisations. With OAuth it is always implicit.
	Implicit bool
	// Methods are the SCA methods of which the TPP must choose one; empty: BankID only.
	Methods []Method
	// Push: BankID's order is found by the person's phone; the TPP gets no data of it.
	// PushFor is how long the bank renews it; 0: it does not.
	Push    bool
	PushFor time.Duration
	// NoAuthorisations: the bank has no operations for authorisations.
	NoAuthorisations bool
	// Confirmation: the TPP must confirm what the person approved on the bank's page.
	Confirmation bool
	// EchoState: state comes back with the browser although there is no confirmation.
	EchoState bool
	// LinkQuery: the link to the page has a query.
	LinkQuery bool
	// NokIgnored: the browser always returns to TPP-Redirect-URI.
	NokIgnored bool
	// OwnWord: authenticationStarted is the status between received and started.
	OwnWord bool
	// Signers is how many persons must sign; 0: one. The second one signs at the bank, on
	// another day (Bank.CoSign).
	Signers int
	// Server is the bank's authorization server; nil: none.
	Server *AuthorizationServer
}

// Method is an SCA method.
type Method struct {
	ID, Type, Name string
	Token          TokenKind // with Decoupled
	Redirect       bool      // on the bank's page, although the bank is Decoupled
}

// AuthorizationServer is the configuration of a bank's authorization server. Its paths are
// below the bank's base path.
type AuthorizationServer struct {
	// PreStep: the person logs in before any other call, and every call needs a token.
	// Otherwise the approach is OAuth, and the scope is AIS:<consent id>.
	PreStep bool
	Scope   string // of PreStep
	// Metadata is the path of the metadata; empty: none is published.
	Metadata, Authorize, Token string
	Revoke                     string // path of the revocation endpoint (RFC 7009); empty: there is none
	// ClientID and Secret are those of the client; an empty ClientID means the
	// organizationIdentifier of its certificate, and an empty Secret that the certificate
	// authenticates it.
	ClientID, Secret string
	// Query are the query parameters that the authorization request needs, with their
	// values; an empty value means any. TokenQuery is the same of the token request.
	Query, TokenQuery map[string]string
	// RedirectURIs are those that a client may use for PreStep; nil: any.
	RedirectURIs []string
	Policy       oauth.Policy
}

// paged reports whether customers sign or log in on a page of the bank.
func (s Signing) paged() bool {
	if s.Approach != Decoupled || s.Server != nil {
		return true
	}
	for _, m := range s.Methods {
		if m.Redirect {
			return true
		}
	}
	return false
}

// preStep reports whether the person logs in before any other call.
func (s Signing) preStep() bool { return s.Server != nil && s.Server.PreStep }

// implicit reports whether the bank starts the authorisation itself.
func (s Signing) implicit() bool { return s.Implicit || s.Approach == OAuth }

// method returns the method with this id.
func (s Signing) method(id string) (Method, bool) {
	for _, m := range s.Methods {
		if m.ID == id {
			return m, true
		}
	}
	return Method{}, false
}

// RedirectBanks returns the banks of the sandbox that differ in how their customers sign
// (docs/reference/families.md 2).
func RedirectBanks() []Behaviour {
	like := func(company, name, bic, id string, change func(*Behaviour)) Behaviour {
		b := DefaultBanks()[0]
		b.Company, b.DisplayName, b.BIC, b.BankID = company, name, bic, id
		change(&b)
		return b
	}
	return []Behaviour{
		like("se-demo-redirect", "Demo bank (redirect)", "DEMRSESS", "510", func(b *Behaviour) {
			b.Approach, b.Implicit, b.LinkQuery = Redirect, true, true
		}),
		like("se-demo-redirect-explicit", "Demo bank (redirect, explicit)", "DEMXSESS", "511", func(b *Behaviour) {
			b.Approach, b.Confirmation, b.NokIgnored = Redirect, true, true
		}),
		like("se-demo-oauth", "Demo bank (OAuth2)", "DEMOSES2", "512", func(b *Behaviour) {
			b.Approach = OAuth
			b.Server = &AuthorizationServer{
				Metadata: "/oauth/configuration.json", Authorize: "/oauth/authorize", Token: "/oauth/token", Revoke: "/oauth/revoke",
				Policy: oauth.Policy{Refresh: oauth.Rotating, AccessLife: 10 * time.Minute, Issuer: true},
			}
		}),
		like("se-demo-prestep", "Demo bank (login, then redirect)", "DEMPSESS", "513", preStepRedirect),
		like("se-demo-prestep-decoupled", "Demo bank (login, then app)", "DEMNSESS", "514", preStepPush),
		like("se-sandbox-confirm", "Kvittobanken", "KVITSESS", "515", func(b *Behaviour) {
			b.Approach, b.Confirmation = OAuth, true
			b.Server = &AuthorizationServer{
				Metadata: "/.well-known/oauth-authorization-server", Authorize: "/authorize", Token: "/token",
				Policy: oauth.Policy{Plain: true, NoExpiry: true, NoScope: true, AccessLife: 5 * time.Minute},
			}
		}),
		like("se-sandbox-methods", "Valbanken", "VALBSESS", "516", func(b *Behaviour) {
			b.Methods = []Method{
				{ID: "mbid-other", Type: "PUSH_OTP", Name: "Mobilt BankID on another device", Token: QRText},
				{ID: "mbid-same", Type: "PUSH_OTP", Name: "BankID on this device", Token: AutostartOnly},
				{ID: "web", Type: "CHIP_OTP", Name: "The bank's page", Redirect: true},
			}
		}),
		like("se-sandbox-implicit", "Självstartsbanken", "SJALSESS", "517", func(b *Behaviour) {
			b.Implicit, b.ConsentsAt, b.AccountsAt = true, "/psd2/v2/ais", "/psd2/v3"
		}),
		like("se-sandbox-cosign", "Tvåbanken", "TVABSESS", "518", func(b *Behaviour) {
			b.Approach, b.Implicit, b.EchoState, b.NoAuthorisations, b.Signers = Redirect, true, true, true, 2
		}),
	}
}

// preStepRedirect is a bank like that of docs/reference/families.md 2.6, first table.
func preStepRedirect(b *Behaviour) {
	b.Approach, b.Implicit, b.OwnWord, b.EchoState = Redirect, true, true, true
	b.Server = &AuthorizationServer{
		PreStep: true, Scope: "PSD2", Authorize: "/psd2/authorize", Token: "/psd2/token", Revoke: "/psd2/revoke",
		ClientID: "samla-app", Secret: "samla-app-secret", Query: map[string]string{"bic": b.BIC},
		Policy: oauth.Policy{Refresh: oauth.Reusable, AccessLife: time.Hour, BareRefresh: true, NoPKCE: true},
	}
	b.ConsentsAt, b.AccountsAt = "/v5", "/v5"
	b.Query = map[string]string{"bic": b.BIC, "app-id": "samla-app"}
	b.Headers, b.CreateHeaders = []string{"Date", "X-AffiliatedASPSP-ID"}, []string{"PSU-User-Agent"}
	b.NamedOnly, b.ListAtOnce, b.OneConsent, b.RejectLate, b.FreshFor = true, true, true, true, 15*time.Minute
}

// preStepPush is a bank like that of docs/reference/families.md 2.6, last table.
func preStepPush(b *Behaviour) {
	b.Implicit, b.Push, b.PushFor = true, true, 5*time.Minute
	b.Server = &AuthorizationServer{
		PreStep: true, Scope: "DEDICATED_AISP", Authorize: "/oauth2/authorize", Token: "/oauth2/token",
		TokenQuery: map[string]string{"role": "DEDICATED_AISP"},
		Policy: oauth.Policy{
			Refresh: oauth.Rotating, AccessLife: 15 * time.Minute, ResponseType: "CODE", NoMethod: true, InvalidRequest: true, LowerBearer: true,
		},
	}
	b.ConsentsAt, b.AccountsAt = "/v1/berlin-group/v1", "/v1/berlin-group/v1"
	b.Unsigned, b.NoList, b.FreshFor, b.Headers = true, true, 15*time.Minute, []string{"User-Agent"}
	b.WithBalance, b.NoCards, b.Spaces, b.ExpectedOnly = false, true, true, true
	b.BookingStatuses = []string{"booked", "information"}
}
