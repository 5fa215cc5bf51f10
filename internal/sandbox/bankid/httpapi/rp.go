package httpapi

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strings"

	"samla/internal/sandbox/bankid"
)

// RPPrefix is the path of the relying party API, version 6.0.
const RPPrefix = "/rp/v6.0/"

// maxRPBytes is the maximum size of a body. The longest texts of a signature fit.
const maxRPBytes = 256 << 10

// RP serves the relying party API (docs/reference/banks.md 12.1): auth, sign, phone/auth,
// phone/sign, collect and cancel. Any relying party that has an orderRef can use its
// order. The call payment returns notFound, because we do not know its parameters.
type RP struct {
	Service *bankid.Service
	// Verify returns an error if it does not accept the certificate chain of a TLS
	// client, leaf first. If Verify is nil, no client is accepted.
	Verify func([]*x509.Certificate) error
	Log    *slog.Logger // for internal errors, which responses do not contain; may be nil
}

// Mount adds the API's routes to mux. A request is checked in this order: certificate,
// path, method, content type, body.
func (h *RP) Mount(mux *http.ServeMux) {
	for path, c := range startCalls {
		mux.HandleFunc(RPPrefix+path, h.handler(func(body []byte) (any, error) { return h.start(c, body) }))
	}
	mux.HandleFunc(RPPrefix+"collect", h.handler(h.collect))
	mux.HandleFunc(RPPrefix+"cancel", h.handler(h.cancel))
	mux.HandleFunc(RPPrefix, func(w http.ResponseWriter, r *http.Request) {
		err := h.checkCertificate(r)
		if err == nil {
			err = &bankid.Error{Code: notFound, Details: "no such call"}
		}
		writeError(w, err)
	})
}

// handler checks everything about a request except its body, then writes the result of
// call.
func (h *RP) handler(call func(body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h.checkRequest(r); err != nil {
			if r.Method != http.MethodPost {
				w.Header().Set("Allow", http.MethodPost)
			}
			writeError(w, err)
			return
		}
		body, err := readBody(w, r, maxRPBytes)
		if err != nil {
			writeError(w, err)
			return
		}
		v, err := call(body)
		if err != nil {
			if e, _ := apiError(err); e.Code == internalError && h.Log != nil {
				h.Log.ErrorContext(r.Context(), "simulated BankID", "error", err)
			}
			writeError(w, err)
			return
		}
		writeJSON(w, http.StatusOK, v)
	}
}

func (h *RP) checkRequest(r *http.Request) error {
	if err := h.checkCertificate(r); err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return &bankid.Error{Code: methodNotAllowed, Details: "use POST"}
	}
	// BankID does not accept a charset here.
	if types := r.Header.Values("Content-Type"); len(types) != 1 || !strings.EqualFold(types[0], "application/json") {
		return &bankid.Error{Code: unsupportedMediaType, Details: "the content type is application/json, without charset"}
	}
	return nil
}

func (h *RP) checkCertificate(r *http.Request) error {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || h.Verify == nil || h.Verify(r.TLS.PeerCertificates) != nil {
		return &bankid.Error{Code: unauthorized, Details: "a relying party's client certificate is required"}
	}
	return nil
}

type reference struct {
	OrderRef string `json:"orderRef"`
}

func (h *RP) start(c startCall, body []byte) (any, error) {
	request, err := c.parse(body)
	if err != nil {
		return nil, err
	}
	o, err := h.Service.Auth(request)
	if err != nil {
		return nil, err
	}
	if c.phone {
		return reference{o.OrderRef}, nil
	}
	return struct {
		OrderRef       string `json:"orderRef"`
		AutoStartToken string `json:"autoStartToken"`
		QRStartToken   string `json:"qrStartToken"`
		QRStartSecret  string `json:"qrStartSecret"`
	}{o.OrderRef, o.AutoStartToken, o.QRStartToken, o.QRStartSecret}, nil
}

func (h *RP) cancel(body []byte) (any, error) {
	ref, err := parseReference(body)
	if err != nil {
		return nil, err
	}
	return struct{}{}, h.Service.Cancel(ref)
}

func (h *RP) collect(body []byte) (any, error) {
	ref, err := parseReference(body)
	if err != nil {
		return nil, err
	}
	c, err := h.Service.Collect(ref)
	if err != nil {
		return nil, err
	}
	return collected{c.OrderRef, c.Status, c.HintCode, completionData(c)}, nil
}

func parseReference(body []byte) (string, error) {
	var ref reference
	if err := decode(body, &ref); err != nil {
		return "", err
	}
	if ref.OrderRef == "" {
		return "", invalid("orderRef is missing")
	}
	return ref.OrderRef, nil
}

type collected struct {
	OrderRef       string      `json:"orderRef"`
	Status         string      `json:"status"`
	HintCode       string      `json:"hintCode,omitempty"`
	CompletionData *completion `json:"completionData,omitempty"`
}

type completion struct {
	User struct {
		PersonalNumber string `json:"personalNumber"`
		Name           string `json:"name"`
		GivenName      string `json:"givenName"`
		Surname        string `json:"surname"`
	} `json:"user"`
	Device struct {
		IPAddress string `json:"ipAddress"`
		UHI       string `json:"uhi"`
	} `json:"device"`
	BankIDIssueDate string `json:"bankIdIssueDate"`
	Signature       string `json:"signature"`
	OCSPResponse    string `json:"ocspResponse"`
	Risk            string `json:"risk,omitempty"`
}

// completionData returns the completionData of a complete order, or nil. Signature and
// OCSP response are placeholders: nothing is signed here.
func completionData(c bankid.Collected) *completion {
	if c.User == nil {
		return nil
	}
	var d completion
	d.User.PersonalNumber, d.User.Name = c.User.PersonalNumber, c.User.Name
	d.User.GivenName, d.User.Surname = c.User.GivenName, c.User.Surname
	d.Device.IPAddress = c.Request.EndUserIP
	uhi := sha256.Sum256([]byte("simulated device of " + c.User.PersonalNumber))
	d.Device.UHI = base64.StdEncoding.EncodeToString(uhi[:20])
	// BankID writes the date in two forms; relying parties must accept both.
	d.BankIDIssueDate = "2025-06-01Z"
	if c.Request.Kind == bankid.Sign || c.Request.Kind == bankid.PhoneSign {
		d.BankIDIssueDate = "2025-06-01+00:00"
	}
	d.Signature = base64.StdEncoding.EncodeToString([]byte("<simulatedSignature/>"))
	d.OCSPResponse = base64.StdEncoding.EncodeToString([]byte("simulated OCSP response"))
	if c.Request.ReturnRisk {
		d.Risk = "low"
	}
	return &d
}
