package httpapi

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/sandbox/bankid"
)

// PhonePath is where the phone is: POST acts, GET shows the page.
const PhonePath = "/sandbox/bankid"

// maxPhone fits an action many times over.
const maxPhone = 16 << 10

// Phone lets a test or a person play the phone, without a client certificate:
//
//	POST /sandbox/bankid
//	{"action": "open"|"approve"|"cancel", "autoStartToken" or "qrData": "...", "personalNumber": optional}
//
// where qrData is the text of an animated code or of a static one, a link with
// the autostart token. It answers 200 {"status", "hintCode"}, the order as it is
// after the act, or an error body as the relying party API has it: 400 for what
// can never work, 404 for an order that is unknown, 409 for one that is not in
// the state for it or a QR text that is stale. A form with the same fields does
// the same and leads back to the page. Neither tells an orderRef or a QR secret.
type Phone struct {
	Service *bankid.Service
}

// Mount adds the phone's routes to mux.
func (h *Phone) Mount(mux *http.ServeMux) {
	mux.HandleFunc(PhonePath, h.serve)
	mux.HandleFunc("GET "+stylePath, style)
}

func (h *Phone) serve(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.page(w, http.StatusOK, view{Said: saidAfter(r.URL.Query())})
	case http.MethodPost:
		h.post(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		answerError(w, &bankid.Error{Code: methodNotAllowed, Details: "use POST to act, GET for the page"})
	}
}

// sameOrigin keeps other sites' pages from pressing our buttons in a person's
// browser. Programs, which send no Sec-Fetch-Site and no Origin, pass.
var sameOrigin = http.NewCrossOriginProtection()

func (h *Phone) post(w http.ResponseWriter, r *http.Request) {
	if sameOrigin.Check(r) != nil {
		answerError(w, &bankid.Error{Code: forbidden, Details: "another site's page asked for this; use the page here"})
		return
	}
	body, err := read(w, r, maxPhone)
	if err != nil {
		answerError(w, err)
		return
	}
	switch bodyKind(r.Header.Get("Content-Type"), body) {
	case "json":
		h.json(w, body)
	case "form":
		h.form(w, body)
	default:
		answerError(w, &bankid.Error{Code: unsupportedMediaType, Details: "send application/json, or a form"})
	}
}

// bodyKind is "json", "form" or "". A body that begins like a JSON object is
// one even if it is called a form: curl -d calls everything so.
func bodyKind(contentType string, body []byte) string {
	media, _, err := mime.ParseMediaType(contentType)
	switch {
	case contentType == "" || err == nil && media == "application/json":
		return "json"
	case err != nil || media != "application/x-www-form-urlencoded":
		return ""
	case bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")):
		return "json"
	}
	return "form"
}

func (h *Phone) json(w http.ResponseWriter, body []byte) {
	action, err := parseAction(body)
	if err != nil {
		answerError(w, err)
		return
	}
	result, err := h.Service.Act(action)
	if err != nil {
		answerError(w, err)
		return
	}
	answer(w, http.StatusOK, struct {
		Status   string `json:"status"`
		HintCode string `json:"hintCode"`
	}{result.Status, result.HintCode})
}

func parseAction(body []byte) (bankid.PhoneAction, error) {
	var a struct {
		Action         bankid.Action `json:"action"`
		AutoStartToken string        `json:"autoStartToken"`
		QRData         string        `json:"qrData"`
		PersonalNumber string        `json:"personalNumber"`
	}
	if err := decode(body, &a); err != nil {
		return bankid.PhoneAction{}, err
	}
	return bankid.PhoneAction(a), nil
}

func (h *Phone) form(w http.ResponseWriter, body []byte) {
	fields, err := url.ParseQuery(string(body))
	if err != nil {
		h.page(w, http.StatusBadRequest, view{Problem: "The form could not be read."})
		return
	}
	result, err := h.Service.Act(bankid.PhoneAction{
		Action:         bankid.Action(fields.Get("action")),
		AutoStartToken: fields.Get("autoStartToken"),
		QRData:         strings.TrimSpace(fields.Get("qrData")),
		// People write the number with a hyphen or spaces.
		PersonalNumber: strings.NewReplacer("-", "", " ", "").Replace(fields.Get("personalNumber")),
	})
	if err != nil {
		e, status := refusal(err)
		h.page(w, status, view{Problem: "That did not work: " + e.Details + "."})
		return
	}
	did := url.Values{"did": {fields.Get("action")}, "status": {result.Status}}
	w.Header().Set("Location", PhonePath+"?"+did.Encode())
	w.WriteHeader(http.StatusSeeOther)
}
