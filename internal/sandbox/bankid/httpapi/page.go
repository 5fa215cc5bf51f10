package httpapi

import (
	"bytes"
	_ "embed" // for the page and its style
	"html/template"
	"net/http"
	"net/url"
	"time"

	"samla/internal/sandbox/bankid"
)

//go:embed page.html
var pageSource string

//go:embed page.css
var styleSource []byte

const stylePath = PhonePath + "/style.css"

// pagePolicy allows what the page has: our own style and our own forms.
const pagePolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// view is what the page shows.
type view struct {
	Path, Style string
	Said        string // what the last press of a button did
	Problem     string // why it did nothing
	Orders      []bankid.PendingOrder
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"asks":    asks,
	"state":   state,
	"seconds": func(d time.Duration) int { return int(d / time.Second) },
}).Parse(pageSource))

func asks(k bankid.Kind) string {
	if k == bankid.Sign || k == bankid.PhoneSign {
		return "Signature"
	}
	return "Identification"
}

func state(hintCode string) string {
	switch hintCode {
	case "outstandingTransaction":
		return "waiting for a phone to open it"
	case "started":
		return "opened"
	}
	return "waiting for approval"
}

// saidAfter says in words what a form led to; the address holds only known
// values, never text to show.
func saidAfter(q url.Values) string {
	switch [2]string{q.Get("did"), q.Get("status")} {
	case [2]string{"open", "pending"}:
		return "The order is open. Approve or cancel it below."
	case [2]string{"approve", "complete"}:
		return "The order is approved."
	case [2]string{"approve", "failed"}:
		return "This person's BankID does not hold, and the order has failed."
	case [2]string{"cancel", "failed"}:
		return "The order is cancelled."
	}
	return ""
}

func (h *Phone) page(w http.ResponseWriter, status int, v view) {
	v.Path, v.Style, v.Orders = PhonePath, stylePath, h.Service.Pending()
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, v); err != nil {
		answerError(w, err)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", pagePolicy)
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the reader may be gone; there is nobody left to tell
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(styleSource) // as above
}
