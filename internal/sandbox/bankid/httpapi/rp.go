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

// maxRP fits the longest texts of a signature and some more.
const maxRP = 256 << 10

// RP is the relying party API (docs/reference/banks.md 12.1): auth, sign, phone/auth,
// phone/sign, collect and cancel. An order belongs to whoever knows its
// orderRef. The call payment answers notFound: its parameters are not known to
// us, and a guess would teach its users wrong ones.
type RP struct {
	Service *bankid.Service
	// Verify judges the certificates of a TLS client, its own first; none is let in
	// without it.
	Verify func([]*x509.Certificate) error
	Log    *slog.Logger // hears of internal errors, which the caller is not told; nil is nobody
}

// Mount adds the API's routes to mux. Refusals come in this order: certificate,
// path, method, content type, body.
func (h *RP) Mount(mux *http.ServeMux) {
	for path, rules := range starts {
		mux.HandleFunc(RPPrefix+path, h.guard(func(body []byte) (any, error) { return h.start(rules, body) }))
	}
	mux.HandleFunc(RPPrefix+"collect", h.guard(h.collect))
	mux.HandleFunc(RPPrefix+"cancel", h.guard(h.cancel))
	mux.HandleFunc(RPPrefix, func(w http.ResponseWriter, r *http.Request) {
		err := h.certificate(r)
		if err == nil {
			err = &bankid.Error{Code: notFound, Details: "no such call"}
		}
		answerError(w, err)
	})
}

// guard checks everything about a request that is not its body, and answers
// what call makes of that.
func (h *RP) guard(call func(body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h.admit(r); err != nil {
			if r.Method != http.MethodPost {
				w.Header().Set("Allow", http.MethodPost)
			}
			answerError(w, err)
			return
		}
		body, err := read(w, r, maxRP)
		if err != nil {
			answerError(w, err)
			return
		}
		v, err := call(body)
		if err != nil {
			if e, _ := refusal(err); e.Code == internalError && h.Log != nil {
				h.Log.ErrorContext(r.Context(), "simulated BankID", "error", err)
			}
			answerError(w, err)
			return
		}
		answer(w, http.StatusOK, v)
	}
}

func (h *RP) admit(r *http.Request) error {
	if err := h.certificate(r); err != nil {
		return err
	}
	if r.Method != http.MethodPost {
		return &bankid.Error{Code: methodNotAllowed, Details: "use POST"}
	}
	// BankID refuses even a charset here.
	if types := r.Header.Values("Content-Type"); len(types) != 1 || !strings.EqualFold(types[0], "application/json") {
		return &bankid.Error{Code: unsupportedMediaType, Details: "the content type is application/json, without charset"}
	}
	return nil
}

func (h *RP) certificate(r *http.Request) error {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || h.Verify == nil || h.Verify(r.TLS.PeerCertificates) != nil {
		return &bankid.Error{Code: unauthorized, Details: "a relying party's client certificate is needed"}
	}
	return nil
}

type reference struct {
	OrderRef string `json:"orderRef"`
}

func (h *RP) start(rules startRules, body []byte) (any, error) {
	request, err := rules.parse(body)
	if err != nil {
		return nil, err
	}
	o, err := h.Service.Auth(request)
	if err != nil {
		return nil, err
	}
	if rules.phone {
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
	return collected{c.OrderRef, c.Status, c.HintCode, complete(c)}, nil
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

// complete is the completionData of a complete order, else nil. Signature and
// OCSP response are marked stand-ins: nothing is signed here.
func complete(c bankid.Collected) *completion {
	if c.User == nil {
		return nil
	}
	var d completion
	d.User.PersonalNumber, d.User.Name = c.User.PersonalNumber, c.User.Name
	d.User.GivenName, d.User.Surname = c.User.GivenName, c.User.Surname
	d.Device.IPAddress = c.Request.EndUserIP
	uhi := sha256.Sum256([]byte("simulated device of " + c.User.PersonalNumber))
	d.Device.UHI = base64.StdEncoding.EncodeToString(uhi[:20])
	// BankID writes the date in two ways, and relying parties must read both.
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
