package oauth

import (
	"net/http"
	"slices"

	"samla/internal/institution"
)

// tokenErrors are the documented error codes of a token endpoint (RFC 6749 5.2, RFC 8628
// 3.5, RFC 8705, OpenID CIBA 11). invalid_grant and the errors of a code depend on the
// grant, see failure. A code that is not in the list is not shown: it could be anything.
var tokenErrors = map[string]institution.ErrorKind{
	"invalid_grant":          institution.Refused,
	"invalid_request":        institution.Refused,
	"invalid_scope":          institution.Refused,
	"unauthorized_client":    institution.Refused,
	"unsupported_grant_type": institution.Refused,
	"invalid_target":         institution.Refused,

	"invalid_client": institution.CertificateRejected,
	// RFC 6749 does not have these two for the token endpoint; banks send them.
	"server_error":            institution.Unreachable,
	"temporarily_unavailable": institution.Unreachable,

	"authorization_pending": institution.Preparing,
	"slow_down":             institution.Busy,
	"expired_token":         institution.SCARequired,
	"access_denied":         institution.PersonRefused,
}

// failure returns the error for an answer that has no tokens.
func (a Answer) failure(g GrantType, code string, isJSON bool, r Reading) *institution.Error {
	e := &institution.Error{HTTPStatus: a.Status, RequestID: a.RequestID, RetryAfter: a.RetryAfter}
	kind, documented := tokenErrors[code]
	if documented {
		e.Code = code
	}
	switch {
	// What a gateway says of itself precedes the code, which it may have made up.
	case a.Status >= http.StatusInternalServerError, a.Status == http.StatusRequestTimeout:
		e.Kind = institution.Unreachable
	case a.Status == http.StatusTooManyRequests:
		e.Kind = institution.Busy
	case a.Status >= 300 && a.Status < 400:
		e.Kind = institution.ForeignAddress
	case a.Status == http.StatusUnauthorized && code == "" && (isJSON || len(a.Body) == 0):
		e.Kind = institution.CertificateRejected // RFC 6749 5.2: 401 is for invalid_client
	case !isJSON:
		e.Kind = institution.Unreachable // a page, or half an answer
	case code == "invalid_grant" && g == RefreshToken:
		e.Kind = institution.ConsentGone
	case g == AuthorizationCode && (code == "invalid_grant" || slices.Contains(r.CodeErrors, code)):
		e.Kind = institution.SCARequired
	case documented:
		e.Kind = kind
	default:
		e.Kind = institution.Refused
	}
	if e.Kind == institution.CertificateRejected {
		e.Reason = r.Rejected
	}
	return e
}
