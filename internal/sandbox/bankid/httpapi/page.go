package httpapi

import (
	"bytes"
	_ "embed" // go:embed of the page and its style
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

// pagePolicy allows only our own style sheet and forms.
const pagePolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// pageData is the data of the page template.
type pageData struct {
	Path, Style string
	Notice      string // result of the last form, if it succeeded
	Problem     string // reason why it failed
	Orders      []bankid.PendingOrder
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"kind":    kindText,
	"state":   stateText,
	"seconds": func(d time.Duration) int { return int(d / time.Second) },
}).Parse(pageSource))

func kindText(k bankid.Kind) string {
	if k == bankid.Sign || k == bankid.PhoneSign {
		return "Signature"
	}
	return "Identification"
}

func stateText(hintCode string) string {
	switch hintCode {
	case "outstandingTransaction":
		return "waiting for a phone to open it"
	case "started":
		return "opened"
	}
	return "waiting for approval"
}

// notice returns the result of a form as text. The URL contains only known values, so
// that a link cannot make the page show a text of its own.
func notice(q url.Values) string {
	switch [2]string{q.Get("did"), q.Get("status")} {
	case [2]string{"open", "pending"}:
		return "The order is open. Approve or cancel it below."
	case [2]string{"approve", "complete"}:
		return "The order is approved."
	case [2]string{"approve", "failed"}:
		return "This person's BankID is not valid, and the order has failed."
	case [2]string{"cancel", "failed"}:
		return "The order is cancelled."
	}
	return ""
}

func (h *Phone) page(w http.ResponseWriter, status int, v pageData) {
	v.Path, v.Style, v.Orders = PhonePath, stylePath, h.Service.Pending()
	var page bytes.Buffer
	if err := pageTemplate.Execute(&page, v); err != nil {
		writeError(w, err)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", pagePolicy)
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	if len(v.Orders) == 0 && v.Problem == "" {
		// The first order appears by itself. A page with orders stays as it is, because
		// somebody may be typing a number there. A notice is left time to be read.
		wait := "2"
		if v.Notice != "" {
			wait = "5"
		}
		head.Set("Refresh", wait+"; url="+PhonePath)
	}
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // an error means that the connection is closed
}

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(styleSource) // as in page
}
