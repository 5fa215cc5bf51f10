package xs2a

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/institution/httperror"
)

// operation is the kind of a request: the same error code means different things
// for different operations.
type operation int

const (
	opCreateConsent operation = iota // POST consents
	opAuthorize                      // authorisations of a consent
	opConsent                        // GET or DELETE a consent
	opAccountList
	opCardList
	opAccount  // balances or transactions of one account
	opCard     // balances or transactions of one card account
	operations // their number
)

// tppMessage is a message of the first error form.
type tppMessage struct {
	Category text `json:"category"`
	Code     text `json:"code"`
}

type tppMessages = list[tppMessage]

// errorBody has the members of both error forms of docs/reference/banks.md 7.
type errorBody struct {
	TPPMessages tppMessages `json:"tppMessages"`
	Type        text        `json:"type"` // a member of the second form, required beside its code
	Code        text        `json:"code"`
	Additional  tppMessages `json:"additionalErrors"`
}

// failure is what an error body says.
type failure struct {
	// code is the first documented code that does not belong to a warning, or "". Codes that
	// are not documented are dropped, because they could contain anything, such as a personal
	// number.
	code string
	// own: the body has one of the error forms, with a code, documented or not. Without it
	// something before the bank may have answered, such as a proxy or a gateway.
	own bool
}

func failureIn(body []byte) (f failure) {
	var decoded errorBody
	if decode(response{body: body}, &decoded) != nil {
		return failure{}
	}
	list := append(decoded.TPPMessages, tppMessage{Code: decoded.Code})
	for _, m := range append(list, decoded.Additional...) {
		code := strings.ToUpper(strings.TrimSpace(string(m.Code)))
		if _, known := kindsByCode[code]; known && !strings.EqualFold(string(m.Category), "WARNING") {
			return failure{code, true}
		}
	}
	f.own = decoded.Type != "" && isName(decoded.Code)
	for _, m := range decoded.TPPMessages {
		f.own = f.own || isName(m.Code) && !strings.EqualFold(string(m.Category), "WARNING")
	}
	return f
}

// isName reports whether a code is more than a number: gateways write the status there.
func isName(code text) bool { return strings.ContainsFunc(string(code), unicode.IsLetter) }

// errorResponse returns the error for a response that is not a success. The daily
// limit of a consent counts only reads without the person
// (docs/reference/banks.md 8), so ACCESS_EXCEEDED in the person's presence means that
// we send requests too fast.
func errorResponse(c call, resp *httpclient.Response, now time.Time) *institution.Error {
	f := failureIn(resp.Body)
	code := f.code
	e := &institution.Error{
		Kind: kindOf(c.operation, resp.Status, f), HTTPStatus: resp.Status, Code: code, RequestID: c.requestID,
		RetryAfter: httperror.RetryAfter(resp.Header.Get("Retry-After"), now),
	}
	switch {
	case httperror.IsPage(resp.Body) && c.isOfGateway(resp.Status):
		e.Kind = institution.Unreachable
	case c.token != "" && isAboutToken(resp.Status, code):
		e.Kind = institution.TokenRefused
	case c.operation == opAccountList && resp.Status == http.StatusUnauthorized && !f.own:
		// Whether the person has to sign again, nobody has said: something before the bank may
		// refuse everybody. So it is not believed at once, as with a token (consent.Denial).
		e.Kind = institution.TokenRefused
	}
	if e.Kind == institution.CertificateRejected {
		e.Reason = reasonsByCode[code]
	}
	if c.operation >= opAccountList && e.Kind == institution.Refused {
		e.Parameter = parameterNamed(resp.Body)
		e.NotCounted = formCodes[code] || e.Parameter != ""
	}
	if e.Kind == institution.AccessExceeded && c.psu.IPAddress != "" {
		e.Kind = institution.Busy
	}
	return e
}

// tokenCodes are the documented codes about a bearer token. With one they, and 401
// without a code, are about the token and not about the consent: a new token may be accepted.
var tokenCodes = map[string]bool{"TOKEN_UNKNOWN": true, "TOKEN_INVALID": true, "TOKEN_EXPIRED": true}

// isOfGateway reports whether a page for people in place of an answer with this status is not
// the bank's word. A page may say that a bank does not have an address (404), but not that it
// does not have a consent.
func (c call) isOfGateway(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return true
	}
	return c.operation == opConsent || c.operation == opAuthorize && c.method == http.MethodGet
}

// reasonsByCode are the reasons of the documented codes about our certificate and
// signature (docs/reference/banks.md 7).
var reasonsByCode = map[string]institution.Reason{
	"CERTIFICATE_INVALID": institution.OurCertificateRejected,
	"CERTIFICATE_EXPIRED": institution.OurCertificateExpired,
	"CERTIFICATE_BLOCKED": institution.OurCertificateRejected,
	"CERTIFICATE_REVOKE":  institution.OurCertificateRejected,
	"CERTIFICATE_REVOKED": institution.OurCertificateRejected,
	"CERTIFICATE_MISSING": institution.OurCertificateRejected,
	"ROLE_INVALID":        institution.OurRoleRejected,
	"SIGNATURE_INVALID":   institution.OurSignatureRejected,
	"SIGNATURE_MISSING":   institution.OurSignatureRejected,
}
