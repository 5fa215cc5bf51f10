package nordea

import (
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"

	"samla/internal/sandbox/faults"
)

const maxBodyBytes = 64 << 10

// The roots below the company id.
const (
	personal = "personal"
	business = "business"
)

// call is one request to the bank.
type call struct {
	*Bank
	r         *http.Request
	messageID string
	root      string // personal or business
	path      string // below the root, without the first slash
	kind      string // method and path with * for ids
	id        string // what * stands for
	version   string // v4 or v5
	app       Application
	body      []byte
	attended  bool // the person takes part
}

// response is a successful answer.
type response struct {
	status int
	header map[string]string
	body   any // JSON; nil: no body
}

type handler func(*call) (response, *apiError)

// route is an operation. "*" matches one id. The first match counts.
type route struct {
	roots        []string
	method, path string
	handle       handler
}

var (
	both         = []string{personal, business}
	onlyPersonal = []string{personal}
	onlyBusiness = []string{business}
)

// routes are the operations of docs/reference/families.md 3. Businesses have accounts of
// version 4 only, and no cards.
var routes = []route{
	{both, "POST", "v5/authorize", (*call).startRedirect},
	{both, "POST", "v5/authorize/token", (*call).redirectToken},
	{both, "POST", "v5/authorize/token/revoke", (*call).revokeToken},
	{both, "POST", "v5/decoupled/authentications", (*call).startLogin},
	{both, "GET", "v5/decoupled/authentications/*", (*call).pollLogin},
	{both, "POST", "v5/decoupled/authorizations", (*call).authorize},
	{onlyBusiness, "POST", "v5/decoupled/authorizations/*", (*call).authorizeAgreement},
	{both, "POST", "v5/decoupled/token", (*call).decoupledToken},
	{both, "GET", "v4/assets", (*call).assets},
	{onlyPersonal, "GET", "v5/assets", (*call).assets},
	{onlyPersonal, "GET", "v5/accounts/id-v4-to-v5/*", (*call).convertToV5},
	{onlyPersonal, "GET", "v5/accounts/id-v5-to-v4/*", (*call).convertToV4},
	{both, "GET", "v4/accounts", (*call).listAccounts},
	{both, "GET", "v4/accounts/*", (*call).getAccount},
	{both, "GET", "v4/accounts/*/transactions", (*call).listTransactions},
	{onlyPersonal, "GET", "v5/accounts", (*call).listAccounts},
	{onlyPersonal, "GET", "v5/accounts/*", (*call).getAccount},
	{onlyPersonal, "GET", "v5/accounts/*/transactions", (*call).listTransactions},
	{onlyPersonal, "GET", "v4/cards", (*call).listCards},
	{onlyPersonal, "GET", "v4/cards/*", (*call).getCard},
	{onlyPersonal, "GET", "v4/cards/*/transactions", (*call).listCardTransactions},
	{onlyPersonal, "GET", "v5/cards", (*call).listCards},
	{onlyPersonal, "GET", "v5/cards/*", (*call).getCard},
	{onlyPersonal, "GET", "v5/cards/*/transactions", (*call).listCardTransactions},
}

// match reports whether a path is that of the route, and what "*" stands for.
func (r route) match(path string) (id string, ok bool) {
	want, got := strings.Split(r.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return "", false
	}
	for i := range want {
		switch {
		case want[i] == "*" && got[i] != "":
			id = got[i]
		case want[i] != got[i]:
			return "", false
		}
	}
	return id, true
}

// ServeHTTP handles all paths under the company id: the page and the operations.
func (b *Bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, b.PagePath("")) {
		b.pages.ServeHTTP(w, r)
		return
	}
	c := &call{Bank: b, r: r}
	c.messageID, _ = b.newID()
	handle, f := c.route()
	if instead := b.Before(c.kind, true); instead.Deviation != "" {
		b.calls.Add(c.callKind(), c.refuse(w, instead))
		return
	}
	var a response
	if f == nil {
		a, f = c.serve(handle)
	}
	status, header, body := a.status, a.header, encode(a.body)
	if f != nil {
		status, header, body = f.answer(c)
	}
	b.calls.Add(c.callKind(), status)
	var late faults.Fault
	if status < 300 {
		late = b.After(c.kind, true)
	}
	setHeaders(w, header, body)
	late.Write(w, r, b.Clock, status, body)
}

func setHeaders(w http.ResponseWriter, header map[string]string, body []byte) {
	if len(body) > 0 {
		w.Header().Set("Content-Type", jsonType)
	}
	for name, value := range header {
		w.Header().Set(name, value)
	}
}

// callKind is the kind of the call in the log, such as "GET personal/v5/accounts/*", with
// " attended" behind it if the person takes part.
func (c *call) callKind() string {
	kind := c.r.Method + " " + c.root + "/" + c.kind
	if c.attended {
		kind += " attended"
	}
	return kind
}

// serve checks the request and runs the operation.
func (c *call) serve(handle handler) (response, *apiError) {
	for _, check := range []func() *apiError{c.checkCertificate, c.checkApplication, c.checkBurst, c.readBody} {
		if f := check(); f != nil {
			return response{}, f
		}
	}
	if f := c.checkSignature(c.app); f != nil {
		return response{}, f
	}
	if f := c.checkAttended(); f != nil {
		return response{}, f
	}
	return handle(c)
}

func (c *call) route() (handler, *apiError) {
	rest, ok := strings.CutPrefix(c.r.URL.Path, "/"+c.Company+"/")
	c.root, c.path, _ = strings.Cut(rest, "/")
	if !ok || !slices.Contains(both, c.root) {
		c.path, c.kind = rest, "other"
		return nil, notFound()
	}
	c.kind = "other"
	var allowed []string
	for _, r := range routes {
		id, ok := r.match(c.path)
		if !ok || !slices.Contains(r.roots, c.root) {
			continue
		}
		c.kind, c.id, c.version = r.path, id, r.path[:2]
		if r.method == c.r.Method {
			return r.handle, nil
		}
		allowed = append(allowed, r.method)
	}
	if allowed == nil {
		return nil, notFound()
	}
	f := newError(http.StatusMethodNotAllowed, codeMethod, "The method is not offered here.")
	f.header = map[string]string{"Allow": strings.Join(allowed, ", ")}
	return nil, f
}

// checkCertificate checks the client certificate. Nordea requires one in production; how it
// answers without is not documented.
func (c *call) checkCertificate() *apiError {
	if c.r.TLS == nil || len(c.r.TLS.PeerCertificates) == 0 {
		if c.RequireCertificate {
			return unauthorized(codeCertificate, "A client certificate is required.")
		}
		return nil
	}
	if c.Verify == nil || c.Verify(c.r.TLS.PeerCertificates) != nil {
		return unauthorized(codeCertificate, "The client certificate is not valid here.")
	}
	return nil
}

func (c *call) checkApplication() *apiError {
	h := c.r.Header
	c.mu.Lock()
	app, ok := c.apps[h.Get("X-IBM-Client-Id")]
	c.mu.Unlock()
	if !ok || subtle.ConstantTimeCompare([]byte(app.Secret), []byte(h.Get("X-IBM-Client-Secret"))) != 1 {
		return unauthorized(codeApplication, "Missing API key. This operation requires API key, but it was missing.")
	}
	c.app = app
	return nil
}

func (c *call) readBody() *apiError {
	body, err := io.ReadAll(http.MaxBytesReader(nil, c.r.Body, maxBodyBytes))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return invalid("", "Size", "The body is too large.")
	}
	if err != nil {
		return invalid("", "Size", "The body ends early.")
	}
	if c.body = body; len(body) == 0 && c.r.Method == http.MethodPost {
		return invalid("", "NotNull", "The body is missing.")
	}
	return nil
}

func parseIP(s string) net.IP { return net.ParseIP(s) }

func isIP(s string) bool { return parseIP(s) != nil }
