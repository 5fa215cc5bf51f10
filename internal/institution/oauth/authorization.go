package oauth

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// maxAddress bounds an address that a bank gives, in bytes. A request object in an
// address of ours can be longer.
const maxAddress = 4096

var (
	errAddress = errors.New("oauth: not an absolute https address without user and fragment")
	errTwice   = errors.New("oauth: the address has a query member that we have to add")
)

// Authorization describes an authorization request (RFC 6749 4.1.1), which the browser
// of the person carries to the bank. Members that are empty are left out.
type Authorization struct {
	Endpoint     string // the bank's authorization endpoint; its query is kept as it is
	ClientID     string
	ResponseType string // "" = "code"; as the bank writes it, such as "CODE" or "code id_token"
	RedirectURI  string
	Scope        string
	State        Secret
	Nonce        Secret
	Challenge    string // the S256 challenge of the verifier; "" = no PKCE
	// NoMethod leaves out code_challenge_method, for a bank that documents none (N26,
	// docs/reference/families.md 2.6).
	NoMethod bool
	Request  Secret            // the signed request object
	Extra    map[string]string // more members, such as brandid; they replace ours of the same name
}

// URL returns the address for the browser. Errors: the endpoint is not an https address,
// or its query has a member already that has to be added.
func (a Authorization) URL() (string, error) {
	members := map[string]string{
		"client_id": a.ClientID, "response_type": cmp.Or(a.ResponseType, "code"), "redirect_uri": a.RedirectURI,
		"scope": a.Scope, "state": a.State.Reveal(), "nonce": a.Nonce.Reveal(), "code_challenge": a.Challenge,
		"request": a.Request.Reveal(),
	}
	if a.Challenge != "" && !a.NoMethod {
		members["code_challenge_method"] = "S256"
	}
	for name, value := range a.Extra {
		members[name] = value
	}
	return AddQuery(a.Endpoint, members)
}

// AddQuery returns an address of the bank with members behind its query, such as the
// state behind scaRedirect (docs/reference/families.md 2.2). The query is kept as it is;
// empty members are left out. Blanks are written as %20, which every server reads. Errors:
// as of Authorization.URL.
func AddQuery(address string, members map[string]string) (string, error) {
	if err := checkAddress(address); err != nil {
		return "", err
	}
	base, query, _ := strings.Cut(strings.TrimSuffix(address, "#"), "?")
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name, err := url.QueryUnescape(name); err != nil || members[name] != "" {
			return "", errTwice
		}
	}
	var added []string
	for name, value := range members {
		if value != "" {
			added = append(added, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(added)
	if query = joinQuery(strings.TrimSuffix(query, "&"), strings.Join(added, "&")); query == "" {
		return base, nil
	}
	return base + "?" + query, nil
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
