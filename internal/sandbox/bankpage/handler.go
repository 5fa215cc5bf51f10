package bankpage

import (
	"bytes"
	_ "embed" // go:embed of the page, its style and its script
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"samla/internal/sandbox/bankid"
	"samla/internal/sandbox/bankid/httpapi"
	"samla/internal/sandbox/persona"

	goqr "github.com/piglig/go-qr"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var styleSource []byte

//go:embed page.js
var scriptSource []byte

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// pagePolicy allows only what the page itself serves. It has no form-action: browsers
// apply that to the redirects after a form too, and this one ends at the third party.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

const (
	cookieName   = "bank-login"
	maxFormBytes = 64 << 10
	styleName    = "style.css"
	scriptName   = "page.js"
)

// ServeHTTP serves, under the prefix:
//
//	GET  {id}        the page, or a redirect to the return address once the login has ended
//	POST {id}        a form: action is start (with personalNumber), cancel, approve (with
//	                 account, once for each), or refuse; the answer is a redirect to the page
//	GET  {id}/state  the step as JSON, for the page's script
//	GET  {id}/qr     the QR code of this second, as a PNG
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, part, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, p.Prefix), "/")
	switch {
	case id == styleName && part == "":
		asset(w, "text/css; charset=utf-8", styleSource)
		return
	case id == scriptName && part == "":
		asset(w, "text/javascript; charset=utf-8", scriptSource)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ip, _, _ := net.SplitHostPort(r.RemoteAddr)
	v, err := p.open(id, ip)
	if err != nil {
		p.fail(w, err)
		return
	}
	get := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case part == "" && get:
		v.show(w, r, http.StatusOK, "")
	case part == "" && r.Method == http.MethodPost:
		v.post(w, r)
	case part == "state" && get:
		v.state(w, r)
	case part == "qr" && get:
		v.qr(w, r)
	case part == "" || part == "state" || part == "qr":
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		p.fail(w, ErrNoVisit)
	}
}

func asset(w http.ResponseWriter, contentType string, content []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content) // an error means that the connection is closed
}

// fail answers with a page that says what is wrong.
func (p *Pages) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrNoVisit) {
		p.write(w, http.StatusNotFound, view{View: "unknown"})
		return
	}
	p.Log.Error("sandbox bank: page", "prefix", p.Prefix, "err", err)
	p.write(w, http.StatusInternalServerError, view{View: "error"})
}

// mine reports whether the request comes from the browser that logs in.
func (w *visit) mine(r *http.Request) bool {
	c, err := r.Cookie(cookieName)
	return err == nil && w.Browser != "" && hashOf(c.Value) == w.Browser
}

// view is the data of the page template.
type view struct {
	Prefix, Path string
	View         string // start, sign, choose, done, other, unknown, error
	Visit        Visit
	Problem      string
	Named        string
	Name         string // of the person who logged in
	Opened       bool   // the BankID app is open
	AutoStart    template.URL
	Phone        string
	Accounts     []Account
}

var problems = map[problem]string{
	busy:          "You had another BankID order in progress. It is cancelled too. Try again.",
	interrupted:   "The login was interrupted. Try again.",
	invalidNumber: "This is not a personal number. It has 12 digits.",
}

// show answers with the page, or with a redirect to the return address.
func (w *visit) show(out http.ResponseWriter, r *http.Request, status int, problem string) {
	if w.Step == Ended && w.ReturnTo != "" && !w.Leaves && (w.Browser == "" || w.mine(r)) {
		out.Header().Set("Cache-Control", "no-store")
		out.Header().Set("Referrer-Policy", "no-referrer")
		out.Header().Set("Location", w.ReturnTo)
		out.WriteHeader(http.StatusFound)
		return
	}
	v := view{View: "start", Visit: w.Visit, Problem: problem, Named: w.PersonalNumber}
	switch {
	case w.Step == Ended && (w.Browser == "" || w.mine(r)):
		v.View = "done"
	case w.Step == Ended:
		v.View = "other"
	case w.mine(r) && w.Step == Sign:
		v.View, v.Opened = "sign", w.Hint != "outstandingTransaction"
		v.AutoStart = template.URL(bankid.AutoStartURL(w.Order.AutoStartToken)) // #nosec G203 -- our own token
	case w.mine(r) && w.Step == Choose:
		v.View = "choose"
		accounts, err := w.Host.Accounts(w.ID, w.Person)
		if err != nil {
			w.fail(out, err)
			return
		}
		v.Accounts = accounts
		if p, ok := persona.NewCustomers("").Person(w.Person); ok {
			v.Name = p.Name()
		}
	case w.mine(r) && v.Problem == "":
		v.Problem = problems[w.Problem]
	}
	v.Path = w.Path(w.ID)
	w.write(out, status, v)
}

// write answers with a page.
func (p *Pages) write(w http.ResponseWriter, status int, v view) {
	v.Prefix, v.Phone = p.Prefix, httpapi.PhonePath
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, v); err != nil {
		p.Log.Error("sandbox bank: page", "prefix", p.Prefix, "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", pagePolicy)
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // as in asset
}

// sameOrigin rejects forms of other sites. Programs are accepted, because they send neither
// Sec-Fetch-Site nor Origin.
var sameOrigin = http.NewCrossOriginProtection()

// post does what a form says. A form that does not fit the step changes nothing: it was
// sent twice, or from a page that the browser has gone back to.
func (w *visit) post(out http.ResponseWriter, r *http.Request) {
	if sameOrigin.Check(r) != nil {
		out.WriteHeader(http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(out, r.Body, maxFormBytes)
	if r.ParseForm() != nil {
		out.WriteHeader(http.StatusBadRequest)
		return
	}
	mine := w.mine(r)
	var err error
	switch action := r.PostForm.Get("action"); {
	case w.Step == Ended:
	case action == "start" && (w.Step == Start || !mine):
		if done := w.start(out, r); done {
			return
		}
	case action == "cancel" && (mine || w.Step == Start), action == "refuse" && mine && w.Step == Choose:
		err = w.end(w.login, Refused, nil)
	case action == "approve" && mine && w.Step == Choose:
		chosen := r.PostForm["account"]
		if !w.Choose {
			chosen = nil
		} else if len(chosen) == 0 {
			w.show(out, r, http.StatusUnprocessableEntity, "Choose at least one account, or refuse.")
			return
		}
		err = w.end(w.login, Approved, chosen)
	}
	if err != nil {
		w.fail(out, err)
		return
	}
	out.Header().Set("Location", w.Path(w.ID))
	out.WriteHeader(http.StatusSeeOther)
}

// start begins a BankID order for this browser. It reports whether it has answered.
func (w *visit) start(out http.ResponseWriter, r *http.Request) bool {
	// People write the number with a hyphen or spaces.
	named := strings.NewReplacer("-", "", " ", "").Replace(r.PostForm.Get("personalNumber"))
	if named == "" {
		named = w.PersonalNumber
	}
	if named != "" && !persona.Valid(named) {
		w.show(out, r, http.StatusUnprocessableEntity, problems[invalidNumber])
		return true
	}
	cookie, err := w.newCookie()
	if c, cookieErr := r.Cookie(cookieName); cookieErr == nil && w.mine(r) {
		cookie = c.Value
	}
	if err == nil {
		err = w.begin(hashOf(cookie), named)
	}
	if err != nil {
		w.fail(out, err)
		return true
	}
	http.SetCookie(out, &http.Cookie{
		Name: cookieName, Value: cookie, Path: w.Path(w.ID), Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return false
}

// state answers with the step. The page's script loads the page again when it changes.
func (w *visit) state(out http.ResponseWriter, r *http.Request) {
	step, opened := w.Step, w.Hint != "outstandingTransaction"
	if !w.mine(r) && step != Ended {
		step, opened = Start, false
	}
	out.Header().Set("Content-Type", "application/json")
	out.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(out).Encode(map[string]any{"step": step, "opened": step == Sign && opened, "order": w.Tries}) // as in asset
}

// qr answers with the QR code of this second.
func (w *visit) qr(out http.ResponseWriter, r *http.Request) {
	if w.Step != Sign || !w.mine(r) {
		out.WriteHeader(http.StatusNotFound)
		return
	}
	seconds := int(w.Clock.Now().Sub(w.Order.StartedAt) / time.Second)
	code, err := goqr.EncodeText(bankid.QRData(w.Order.QRStartToken, w.Order.QRStartSecret, seconds), goqr.Low)
	if err != nil {
		w.fail(out, err)
		return
	}
	png, err := code.ToPNGBytes(goqr.NewQrCodeImgConfig(6, 4))
	if err != nil {
		w.fail(out, err)
		return
	}
	out.Header().Set("Cache-Control", "no-store")
	asset(out, "image/png", png)
}

// Arrive answers with a redirect of the browser to the page of a visit.
func (p *Pages) Arrive(w http.ResponseWriter, id string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", (&url.URL{Path: p.Path(id)}).String())
	w.WriteHeader(http.StatusFound)
}
