package aspsp

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"samla/internal/clock"
	"samla/internal/sandbox/aspsp/tpp"
)

const maxBodyBytes = 64 << 10

// call is one request to the bank.
type call struct {
	*Bank
	r               *http.Request
	requestID       string
	tpp             string // organizationIdentifier
	person          string // who has logged in before any call; empty: this bank needs no login
	kind            string // for the log of calls
	attended        bool   // PSU-IP-Address is present: the PSU takes part in the request
	body            []byte
	consentID       string // path: consent id
	authorisationID string // path: authorisation id
	accountID       string // path: account id
	transactionID   string // path: transaction id
	cards           bool   // path: under card-accounts
}

// response is a successful response.
type response struct {
	status int
	header map[string]string
	body   any // JSON; nil: no body
}

type handler func(*call) (response, *apiError)

// routes are the operations of docs/reference/banks.md 1. "*" matches one id.
var routes = map[string]map[string]handler{
	"consents":                     {"POST": (*call).createConsent},
	"consents/*":                   {"GET": (*call).getConsent, "DELETE": (*call).deleteConsent},
	"consents/*/status":            {"GET": (*call).getConsentStatus},
	"consents/*/authorisations":    {"POST": (*call).startAuthorisation, "GET": (*call).listAuthorisations},
	"consents/*/authorisations/*":  {"GET": (*call).getAuthorisation, "PUT": (*call).updateAuthorisation},
	"accounts":                     {"GET": (*call).listAccounts},
	"accounts/*":                   {"GET": (*call).getAccount},
	"accounts/*/balances":          {"GET": (*call).getBalances},
	"accounts/*/transactions":      {"GET": (*call).listTransactions},
	"accounts/*/transactions/*":    {"GET": (*call).getTransaction},
	"card-accounts":                {"GET": (*call).listCards},
	"card-accounts/*":              {"GET": (*call).getCard},
	"card-accounts/*/balances":     {"GET": (*call).getCardBalances},
	"card-accounts/*/transactions": {"GET": (*call).listCardTransactions},
}

// ServeHTTP handles all paths under the bank's base path.
func (b *Bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if b.Delay > 0 && clock.Sleep(r.Context(), b.Clock, b.Delay) != nil {
		return
	}
	if b.pages != nil && b.serveBrowser(w, r) {
		return
	}
	c := &call{Bank: b, r: r, kind: "unknown"}
	id := r.Header.Get("X-Request-ID")
	if isUUID(id) {
		c.requestID = id
	} else {
		id, _ = b.newID() // every response has an id
	}
	w.Header().Set("X-Request-ID", id)
	a, f := c.serve()
	if f != nil {
		b.calls.Add(c.kind, f.status)
		b.count(func(s *counters) { s.Errors++ })
		f.write(w, b.ProblemErrors)
		return
	}
	b.calls.Add(c.kind, a.status)
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	body, err := json.Marshal(a.body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if path, isRead := strings.CutPrefix(c.kind, "GET "); isRead && !strings.HasPrefix(path, "consents") {
		b.writeRead(w, r, path, a.status, body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // an error means that the connection is closed
}

// serveBrowser serves what browsers and clients of the authorization server ask for. It
// reports false for the operations of the standard. The kinds of these calls are page, link,
// metadata and authorize; those of token requests are in package oauth.
func (b *Bank) serveBrowser(w http.ResponseWriter, r *http.Request) bool {
	path := strings.TrimPrefix(r.URL.Path, b.base)
	s := b.Signing.Server
	visit, isLink := strings.CutPrefix(path, linkPath)
	if path == linkQuery {
		visit, isLink = r.URL.Query().Get("id"), true
	}
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case strings.HasPrefix(path, pagePath):
		b.calls.Add("page", http.StatusOK)
		b.pages.ServeHTTP(w, r)
	case isLink && get:
		b.calls.Add("link", b.arrive(w, r, visit))
	case s == nil:
		return false
	case s.Metadata != "" && path == s.Metadata && get:
		b.calls.Add("metadata", b.metadata(w, r))
	case path == s.Authorize && get:
		b.calls.Add("authorize", b.authorize(w, r))
	case path == s.Token:
		b.server.Token(w, r)
	case s.Revoke != "" && path == s.Revoke:
		b.server.Revoke(w, r)
	default:
		return false
	}
	return true
}

// serve checks the request in the order of docs/reference/banks.md 8 (client
// certificate, signature, headers, token), then runs the operation.
func (c *call) serve() (response, *apiError) {
	var refused *tpp.Error
	if c.tpp, refused = c.tpps.Identify(c.r.TLS); refused != nil {
		return response{}, refusal(refused)
	}
	op, f := c.route()
	if f != nil {
		return response{}, f
	}
	if f := c.readBody(); f != nil {
		return response{}, f
	}
	if refused := c.tpps.CheckSignature(c.r, c.body, c.tpp); refused != nil {
		return response{}, refusal(refused)
	}
	if f := c.checkHeaders(); f != nil {
		return response{}, f
	}
	if c.preStep() {
		g, f := c.bearer()
		if f != nil {
			return response{}, f
		}
		c.person = g.Subject
	}
	return op(c)
}

// checkCreateHeaders checks the headers that only POST consents needs.
func (c *call) checkCreateHeaders() *apiError {
	for _, name := range c.CreateHeaders {
		if c.r.Header.Get(name) == "" {
			return formatError("a header that this bank needs is missing")
		}
	}
	if c.Approach != Decoupled && c.implicit() {
		_, _, f := c.checkRedirect(Consent{})
		return f
	}
	return nil
}

func (c *call) route() (handler, *apiError) {
	path, ok := strings.CutPrefix(c.r.URL.Path, c.base+c.AccountsPath()+"/")
	if rest, isConsent := strings.CutPrefix(c.r.URL.Path, c.base+c.ConsentsPath()+"/consents"); isConsent {
		path, ok = "consents"+rest, true
	} else if strings.HasPrefix(path, "consents") {
		ok = false
	}
	segments := strings.Split(path, "/")
	ids := [2]string{}
	for i := 1; i < len(segments) && i < 4; i += 2 {
		if segments[i] == "" {
			return nil, resourceUnknown("no such resource")
		}
		ids[i/2] = segments[i]
		// Every second segment is an id, as in "consents/<id>/status".
		segments[i] = "*"
	}
	methods, known := routes[strings.Join(segments, "/")]
	if !ok || !known || c.NoAuthorisations && strings.Contains(path, "/authorisations") {
		return nil, resourceUnknown("no such resource")
	}
	c.kind = c.r.Method + " " + strings.Join(segments, "/")
	if segments[0] == "consents" {
		c.consentID, c.authorisationID = ids[0], ids[1]
	} else {
		c.accountID, c.transactionID, c.cards = ids[0], ids[1], segments[0] == "card-accounts"
	}
	op, ok := methods[c.r.Method]
	if !ok {
		f := newError(http.StatusMethodNotAllowed, "SERVICE_INVALID", "this method is not supported here")
		for m := range methods {
			f.allow = strings.TrimPrefix(f.allow+", "+m, ", ")
		}
		return nil, f
	}
	return op, nil
}

func (c *call) readBody() *apiError {
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, maxBodyBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return formatError("the body is too large")
	} else if err != nil {
		return formatError("the body ends early")
	}
	c.body = body
	return nil
}

func (c *call) checkHeaders() *apiError {
	h := c.r.Header
	if c.requestID == "" {
		return formatError("X-Request-ID must be a UUID")
	}
	if ip := h.Get("PSU-IP-Address"); ip != "" {
		if net.ParseIP(ip) == nil {
			return formatError("PSU-IP-Address is not an IP address")
		}
		c.attended = true
	}
	if id := h.Get("PSU-Device-ID"); id != "" && !isUUID(id) {
		return formatError("PSU-Device-ID must be a UUID")
	}
	switch h.Get("PSU-Http-Method") {
	case "", "GET", "POST", "PUT", "PATCH", "DELETE":
	default:
		return formatError("PSU-Http-Method is not an allowed method")
	}
	if geo := h.Get("PSU-Geo-Location"); geo != "" && !isGeo(geo) {
		return formatError("PSU-Geo-Location is malformed")
	}
	if !matches(c.Behaviour.Query, c.r.URL.Query()) {
		return formatError("a query parameter that this bank needs is missing")
	}
	for _, name := range c.Headers {
		if h.Get(name) == "" {
			return formatError("a header that this bank needs is missing")
		}
	}
	if !acceptsJSON(h.Values("Accept")) {
		return newError(http.StatusNotAcceptable, "REQUESTED_FORMATS_INVALID", "this bank returns application/json")
	}
	if c.r.Method == http.MethodPost || c.r.Method == http.MethodPut && len(c.body) > 0 {
		if kind, _, _ := strings.Cut(h.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
			return &apiError{status: http.StatusUnsupportedMediaType}
		}
	}
	return nil
}

func acceptsJSON(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	for item := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ := strings.Cut(item, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !isHex(c) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isGeo reports whether s is GEO:<latitude>;<longitude> with six decimals each.
func isGeo(s string) bool {
	rest, ok := strings.CutPrefix(s, "GEO:")
	lat, long, both := strings.Cut(rest, ";")
	return ok && both && isDegree(lat, 2) && isDegree(long, 3)
}

func isDegree(s string, whole int) bool {
	before, after, ok := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	return ok && len(before) >= 1 && len(before) <= whole && len(after) == 6 && isDigits(before) && isDigits(after)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
