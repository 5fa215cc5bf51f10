package httpapi

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"samla/internal/sandbox/bankid"
)

// PhonePath is the path of the phone: POST performs an action, GET returns the page.
const PhonePath = "/sandbox/bankid"

// maxPhoneBytes is the maximum size of a body. An action is much smaller.
const maxPhoneBytes = 16 << 10

// Phone lets a test or a person act as the phone, without a client certificate:
//
//	POST /sandbox/bankid
//	{"action": "open"|"approve"|"cancel", "autoStartToken" or "qrData": "...", "personalNumber": optional}
//
// qrData is the text of an animated QR code or of a static one, which is a link with the
// autostart token. The response is 200 {"status", "hintCode"}, the state of the order
// after the action, or an error in the form of the relying party API: 400 for an invalid
// request, 404 for an unknown order, 409 for an order in the wrong state or a stale QR
// text. A form with the same fields does the same and redirects to the page. No response
// contains an orderRef or a QR secret.
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
		h.page(w, http.StatusOK, pageData{Notice: notice(r.URL.Query())})
	case http.MethodPost:
		h.post(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		writeError(w, &bankid.Error{Code: methodNotAllowed, Details: "use POST to act, GET for the page"})
	}
}

// sameOrigin rejects cross-site form posts. Programs are accepted, because they send
// neither Sec-Fetch-Site nor Origin.
var sameOrigin = http.NewCrossOriginProtection()

func (h *Phone) post(w http.ResponseWriter, r *http.Request) {
	if sameOrigin.Check(r) != nil {
		writeError(w, &bankid.Error{Code: forbidden, Details: "the request comes from another site's page; use the page here"})
		return
	}
	body, err := readBody(w, r, maxPhoneBytes)
	if err != nil {
		writeError(w, err)
		return
	}
	switch bodyKind(r.Header.Get("Content-Type"), body) {
	case "json":
		h.json(w, body)
	case "form":
		h.form(w, body)
	default:
		writeError(w, &bankid.Error{Code: unsupportedMediaType, Details: "send application/json, or a form"})
	}
}

// bodyKind returns "json", "form" or "". A body that begins like a JSON object is "json"
// even if its content type is a form, because that is the default of curl -d.
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
		writeError(w, err)
		return
	}
	result, err := h.Service.Act(action)
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
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
		h.page(w, http.StatusBadRequest, pageData{Problem: "The form could not be read."})
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
		e, status := apiError(err)
		h.page(w, status, pageData{Problem: "That did not work: " + e.Details + "."})
		return
	}
	did := url.Values{"did": {fields.Get("action")}, "status": {result.Status}}
	w.Header().Set("Location", PhonePath+"?"+did.Encode())
	w.WriteHeader(http.StatusSeeOther)
}
