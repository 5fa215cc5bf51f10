package sourcecheck

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"samla/internal/company"
	"samla/internal/institution/source"
	"samla/internal/product"
)

// institution is an institution that the source lists.
type institution struct {
	ID           string   `json:"id"`
	DisplayName  string   `json:"displayName"`
	Market       string   `json:"market"`
	LoginMethods []string `json:"loginMethods"`
	Parameters   []string `json:"parameters"`
	Products     []string `json:"products"`
	DeviceHosts  []string `json:"deviceHosts"`
}

const listPath = "/v1/institutions"

// reachable reports whether anything answers at the address. Without an answer nothing can be checked.
func (r *run) reachable() bool {
	ctx, cancel := context.WithTimeout(r.ctx, source.MaxCallTime)
	defer cancel()
	if _, _, err := r.send(ctx, call{method: http.MethodGet, path: listPath}, source.MaxBody); err != nil {
		return r.fail("institutions", "GET %s: no answer: %s", listPath, withoutURL(err))
	}
	return true
}

// credentials: who does not know the secret gets nothing.
func (r *run) credentials() {
	none, wrong := "", "wrong-"+newID()
	tries := map[string]call{}
	if r.Secret != "" {
		tries["without a secret"] = call{secret: &none}
		tries["with another secret"] = call{secret: &wrong}
	}
	if r.Anonymous != nil {
		tries["without a certificate"] = call{client: r.Anonymous}
	}
	for name, c := range tries {
		for _, path := range []string{listPath, "/v1/sessions"} {
			c.method, c.path = http.MethodGet, path
			if path != listPath {
				c.method, c.requestID, c.body = http.MethodPost, newID(), map[string]any{}
			}
			if _, _, err := r.send(r.ctx, c, source.MaxBody); err != nil && c.client != nil {
				r.pass("credentials") // TLS does not let it in
				continue
			}
			r.want("credentials", name+", "+c.method+" "+path, r.do(c), http.StatusUnauthorized, "UNAUTHORIZED")
		}
	}
}

var (
	marketRE = regexp.MustCompile(`^[a-z]{2}$`)
	wordRE   = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
)

// institutions reads the list and chooses the institution. It reports whether there is one.
func (r *run) institutions() bool {
	a := r.do(call{method: http.MethodGet, path: listPath})
	if !r.want("institutions", "GET "+listPath, a, http.StatusOK, "") {
		return false
	}
	var in struct {
		Protocol     int           `json:"protocol"`
		Institutions []institution `json:"institutions"`
	}
	if faults := source.Decode(a.body, &in); len(faults) > 0 {
		return r.fail("institutions", "GET %s: %s", listPath, faults.Error())
	}
	r.report.Protocol = in.Protocol
	if in.Protocol != 1 {
		r.fail("institutions", "/protocol must be 1")
	}
	found := false
	for i, offer := range in.Institutions {
		r.checkOffer(fmt.Sprintf("/institutions/%d", i), offer)
		if !found && (r.Institution == "" || r.Institution == offer.ID) {
			r.offer, found = offer, true
		}
	}
	if !found {
		return r.fail("institutions", "%q is not listed: the source has %q", r.Institution, ids(in.Institutions))
	}
	r.report.Institution = r.shown(r.offer.ID)
	if r.LoginMethod == "" && len(r.offer.LoginMethods) > 0 {
		r.LoginMethod = r.offer.LoginMethods[0]
	}
	if r.report.LoginMethod = r.shown(r.LoginMethod); !slices.Contains(r.offer.LoginMethods, r.LoginMethod) {
		return r.fail("institutions", "%q does not list the login method %q: it has %q", r.offer.ID, r.LoginMethod, r.offer.LoginMethods)
	}
	return r.parametersGiven()
}

// ids returns the ids of the first ten institutions.
func ids(list []institution) []string {
	out := []string{}
	for _, i := range list[:min(len(list), 10)] {
		out = append(out, i.ID)
	}
	return out
}

func (r *run) checkOffer(at string, offer institution) {
	for _, m := range []struct {
		member string
		ok     bool
		rule   string
	}{
		{"/id", source.IsInstitution(offer.ID), "must be of letters, digits and - _ ."},
		{"/displayName", offer.DisplayName != "", "is missing"},
		{"/market", marketRE.MatchString(offer.Market), "must be two letters in lower case"},
		{"/loginMethods", len(offer.LoginMethods) > 0 && all(offer.LoginMethods, wordRE.MatchString), "must be words in upper case, at least one"},
		{"/parameters", all(offer.Parameters, func(p string) bool {
			return slices.Contains(source.Parameters(), p)
		}), "can be personalNumber, email and userId"},
		{"/products", all(offer.Products, isProduct), "must be types of docs/reference/products.md 2"},
		{"/deviceHosts", all(offer.DeviceHosts, source.IsHost), "must be hosts in lower case, with a port if it is not 443"},
	} {
		if !m.ok {
			r.fail("institutions", "%s%s %s", at, m.member, m.rule)
		}
	}
}

func all(list []string, ok func(string) bool) bool {
	return !slices.ContainsFunc(list, func(s string) bool { return !ok(s) })
}

// isProduct reports whether a type is one that products can have.
func isProduct(kind string) bool { return product.IsType(product.Type(kind)) }

// flags are the flags of samla source check that give the parameters.
var flags = map[string]string{company.NeedsPersonalNumber: "--personal-number", company.NeedsEmail: "--email", company.NeedsUserID: "--user-id"}

// parametersGiven reports whether the run has what a login needs.
func (r *run) parametersGiven() bool {
	given := map[string]string{company.NeedsPersonalNumber: r.Parameters.PersonalNumber, company.NeedsEmail: r.Parameters.Email, company.NeedsUserID: r.Parameters.UserID}
	for _, p := range r.offer.Parameters {
		if given[p] == "" {
			return r.fail("login", "%q needs %s: give the test person's with %s", r.offer.ID, p, flags[p])
		}
	}
	return true
}
