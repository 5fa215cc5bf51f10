package obie

import (
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"samla/internal/sandbox/obie/grant"
	"samla/internal/sandbox/obie/resource"
	"samla/internal/sandbox/persona"
)

// Headers of docs/reference/families.md 4.3.
const (
	headerInteraction = "x-fapi-interaction-id"
	headerCustomerIP  = "x-fapi-customer-ip-address"
	headerAuthDate    = "x-fapi-auth-date"
	headerFinancialID = "x-fapi-financial-id"
)

// call is one request for a resource.
type call struct {
	*Bank
	r         *http.Request
	w         http.ResponseWriter
	attended  bool
	id        string // the id in the path, if it has one
	token     grant.Token
	consent   grant.Consent  // of the token, as it was when the request came; not for tokens of a client
	person    persona.Person // who authorised the consent
	available persona.Day    // the first day of which the client may read transactions
}

// answer is a successful answer.
type answer struct {
	status int
	body   any // nil: none
}

// operation is one operation of the API.
type operation struct {
	serve    func(*call) (answer, *apiError)
	kind     grant.Kind // of the token
	requires []string   // one of these permissions
}

// operations by path and method; "*" stands for an id.
func (b *Bank) operations() map[string]map[string]operation {
	get := func(serve func(*call) (answer, *apiError), permissions ...string) map[string]operation {
		return map[string]operation{http.MethodGet: {serve, grant.Access, permissions}}
	}
	accounts := []string{resource.AccountsBasic, resource.AccountsDetail}
	transactions := []string{resource.TransactionsBasic, resource.TransactionsDetail}
	m := map[string]map[string]operation{
		"account-access-consents": {http.MethodPost: {(*call).createConsent, grant.Client, nil}},
		"account-access-consents/*": {
			http.MethodGet: {(*call).readConsent, grant.Client, nil}, http.MethodDelete: {(*call).deleteConsent, grant.Client, nil},
		},
		"accounts":                get((*call).listAccounts, accounts...),
		"accounts/*":              get((*call).readAccount, accounts...),
		"accounts/*/balances":     get((*call).readBalances, resource.Balances),
		"accounts/*/transactions": get((*call).readTransactions, transactions...),
		"accounts/*/party":        get((*call).readAccountParty, resource.AccountParty),
		"accounts/*/parties":      get((*call).readAccountParties, resource.AccountParty),
		"party":                   get((*call).readParty, resource.OwnParty),
	}
	for path, list := range emptyLists {
		m["accounts/*/"+path] = get(list.serve, list.permissions...)
	}
	if b.Bulk {
		m["balances"] = get((*call).listBalances, resource.Balances)
		m["transactions"] = get((*call).listTransactions, transactions...)
	}
	return m
}

// resourceExchange is a request for a resource. Its kind is the method and the path without
// ids.
func (b *Bank) resourceExchange(r *http.Request) exchange {
	c := &call{Bank: b, r: r}
	x := exchange{kind: "unknown", resource: true}
	op, e := c.operation(&x.kind)
	x.serve = func(w http.ResponseWriter, _ *http.Request) {
		c.w = w
		a, e := c.run(op, e)
		switch {
		case e != nil:
			b.writeError(w, e)
		case a.body == nil:
			w.WriteHeader(a.status)
		default:
			writeJSON(w, a.status, a.body)
		}
	}
	return x
}

// operation finds the operation of the request.
func (c *call) operation(kind *string) (operation, *apiError) {
	path, offered := strings.CutPrefix(c.r.URL.Path, c.base+c.Version.Base()+"/")
	if !offered {
		return operation{}, &apiError{status: http.StatusServiceUnavailable} // another version (docs/reference/families.md 4.6)
	}
	segments := strings.Split(path, "/")
	if len(segments) > 1 {
		c.id, segments[1] = segments[1], "*"
	}
	path = strings.Join(segments, "/")
	methods, known := c.operations()[path]
	if !known || len(segments) > 1 && c.id == "" {
		return operation{}, &apiError{status: http.StatusNotFound}
	}
	op, known := methods[c.r.Method]
	if !known {
		e := &apiError{status: http.StatusMethodNotAllowed}
		for m := range methods {
			e.allow = strings.TrimPrefix(e.allow+", "+m, ", ")
		}
		return operation{}, e
	}
	*kind = c.r.Method + " " + path
	return op, nil
}

// run does what the operation does, unless e says what is wrong with it.
func (c *call) run(op operation, e *apiError) (answer, *apiError) {
	if wrong := c.playBack(); wrong != nil {
		e = wrong
	}
	if e == nil {
		e = c.check(op)
	}
	if e != nil {
		return answer{}, e
	}
	return op.serve(c)
}

// playBack sets x-fapi-interaction-id of the answer: that of the request, or a new one.
func (c *call) playBack() *apiError {
	id := c.r.Header.Get(headerInteraction)
	malformed := id != "" && !isUUID(id)
	if id == "" || malformed {
		var err error
		if id, err = c.newID(); err != nil {
			return &apiError{status: http.StatusInternalServerError}
		}
	}
	c.w.Header().Set(headerInteraction, id)
	if malformed {
		return badRequest(resource.HeaderInvalid, "x-fapi-interaction-id must be a UUID", headerInteraction)
	}
	return nil
}

// check checks the token, then the headers, then whether the consent allows the operation.
func (c *call) check(op operation) *apiError {
	if e := c.authenticate(op.kind); e != nil {
		return e
	}
	if e := c.checkHeaders(); e != nil {
		return e
	}
	if op.kind != grant.Access {
		return nil
	}
	now := c.Clock.Now()
	switch {
	case c.consent.Asked, c.ReadableSCADays > 0 && now.Sub(c.consent.SCA) > time.Duration(c.ReadableSCADays)*dayLength:
		return forbidden(resource.MustReauthenticate, "the person must log in again")
	case !c.consent.Has(op.requires...):
		return forbidden(resource.ConsentMismatch, "the consent does not have the permission")
	}
	c.person, _ = c.customers.Person(c.consent.Signer) // known since the authorisation
	if c.person.Status != 0 {
		return unexpected()
	}
	c.available = c.firstDay(now)
	return nil
}

// authenticate finds the token and its consent. A token works only with the certificate
// to which it is bound (RFC 8705 3).
func (c *call) authenticate(kind grant.Kind) *apiError {
	cert, text := c.certificate(c.r)
	bearer, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if text != "" || !ok {
		return notAuthorised()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tokens[grant.Hash(bearer)]
	if t == nil || t.Kind != kind || t.Thumbprint != thumbprint(cert) {
		return notAuthorised()
	}
	if t.Consent != "" {
		c.consent = *c.Bank.consent(t.Consent)
	}
	if !t.Lives(c.consent, 0, c.Clock.Now()) {
		return notAuthorised()
	}
	c.token = *t
	return nil
}

func (c *call) checkHeaders() *apiError {
	h := c.r.Header
	if want := c.FinancialID; want != "" && h.Get(headerFinancialID) != want {
		if h.Get(headerFinancialID) == "" {
			return badRequest(resource.HeaderMissing, "x-fapi-financial-id is required", headerFinancialID)
		}
		return badRequest(resource.HeaderInvalid, "x-fapi-financial-id is not that of this bank", headerFinancialID)
	}
	if ip := h.Get(headerCustomerIP); ip != "" {
		if net.ParseIP(ip) == nil {
			return badRequest(resource.HeaderInvalid, "x-fapi-customer-ip-address is not an IP address", headerCustomerIP)
		}
		c.attended = true
	}
	if date := h.Get(headerAuthDate); date != "" {
		if _, err := http.ParseTime(strings.Replace(date, "UTC", "GMT", 1)); err != nil {
			return badRequest(resource.HeaderInvalid, "x-fapi-auth-date is not a date of RFC 7231", headerAuthDate)
		}
	}
	if !acceptsJSON(h.Values("Accept")) {
		return &apiError{status: http.StatusNotAcceptable}
	}
	if c.r.Method == http.MethodPost {
		if kind, _, err := mime.ParseMediaType(h.Get("Content-Type")); err != nil || kind != "application/json" {
			return &apiError{status: http.StatusUnsupportedMediaType}
		}
	}
	return nil
}

func acceptsJSON(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	return slices.ContainsFunc(strings.Split(strings.Join(accept, ","), ","), func(item string) bool {
		kind, _, _ := strings.Cut(item, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
		return kind == "application/json" || kind == "application/*" || kind == "*/*"
	})
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, r := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return false
		}
	}
	return true
}

// document is an answer of status 200 under the address of the request.
func (c *call) document(data any) answer {
	one := 1
	d := resource.Document{Data: data, Links: resource.Links{Self: c.Origin() + c.r.URL.RequestURI()}}
	if !c.NoTotalPages {
		d.Meta.TotalPages = &one
	}
	return answer{http.StatusOK, d}
}
