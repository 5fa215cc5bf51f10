package oauth

import (
	"errors"
	"net/url"
	"strings"
)

// Outcome is what a callback says. The set is closed.
type Outcome string

// The outcomes of a callback.
const (
	Granted         Outcome = "GRANTED"           // there is a code to exchange
	RefusedByPerson Outcome = "REFUSED_BY_PERSON" // access_denied: the person cancelled at the bank
	Temporary       Outcome = "TEMPORARY"         // the bank could not; another try can succeed
	RefusedByBank   Outcome = "REFUSED_BY_BANK"   // any other error, known or not
	Enclosed        Outcome = "ENCLOSED"          // Response is a signed answer that has to be opened (JARM)
	Returned        Outcome = "RETURNED"          // neither a code nor an error: only the bank knows
	Malformed       Outcome = "MALFORMED"         // members twice, too long, of foreign bytes, or in contradiction
)

// Callback has the members with which the browser came back (RFC 6749 4.1.2, 4.1.2.1).
// A malformed one has none.
type Callback struct {
	Outcome Outcome
	State   Secret
	Code    Secret
	// Confirmation is confirmationCode (docs/reference/families.md 2.4).
	Confirmation Secret
	IDToken      Secret
	Response     Secret // JWT secured authorization response (JARM)
	Issuer       string // iss (RFC 9207)
	// Error is the error code if it is documented, else "other": what a browser brings
	// must not get into a log as it is.
	Error string
}

// limits of the members of a callback, in bytes. RFC 6749 has none; the tests of the
// foreign server give codes of 87 bytes and id_tokens of about 1000.
const (
	maxCallback = 64 << 10
	maxMembers  = 100
)

var memberLimits = map[string]int{
	"code": 4096, "state": 1024, "error": 128, "error_description": 4096, "error_uri": 4096, "iss": 1024,
	"id_token": 16 << 10, "response": 32 << 10, "confirmationCode": 4096,
}

// callbackErrors are the documented error codes of an authorization response
// (RFC 6749 4.1.2.1, OpenID Connect Core 3.1.2.6, RFC 9101 7).
var callbackErrors = map[string]Outcome{
	"access_denied":           RefusedByPerson,
	"server_error":            Temporary,
	"temporarily_unavailable": Temporary,

	"invalid_request": RefusedByBank, "unauthorized_client": RefusedByBank, "unsupported_response_type": RefusedByBank,
	"invalid_scope": RefusedByBank, "interaction_required": RefusedByBank, "login_required": RefusedByBank,
	"account_selection_required": RefusedByBank, "consent_required": RefusedByBank, "invalid_request_uri": RefusedByBank,
	"invalid_request_object": RefusedByBank, "request_not_supported": RefusedByBank, "request_uri_not_supported": RefusedByBank,
	"registration_not_supported": RefusedByBank, "unmet_authentication_requirements": RefusedByBank,
}

// ParseCallback reads the members from the query or from the fragment with which the
// browser came back; a "?" or "#" in front does not matter. Unknown members are ignored,
// as RFC 6749 4.1.2 demands. A member that is there twice, in one or in both of the forms,
// makes the callback malformed: two readers would see two different answers.
func ParseCallback(query, fragment string) Callback {
	all := url.Values{}
	for _, raw := range []string{strings.TrimPrefix(query, "?"), strings.TrimPrefix(fragment, "#")} {
		if len(raw) > maxCallback || strings.Count(raw, "&") > maxMembers {
			return Callback{Outcome: Malformed}
		}
		for part := range strings.SplitSeq(raw, "&") {
			name, value, _ := strings.Cut(part, "=")
			name, err := url.QueryUnescape(name)
			if err != nil || memberLimits[name] == 0 {
				continue
			}
			if value, err = url.QueryUnescape(value); err != nil {
				return Callback{Outcome: Malformed}
			}
			all.Add(name, value)
		}
	}
	return CallbackOf(all)
}

// CallbackOf is ParseCallback for members that are parsed already
// (institution.Completion.Brought).
func CallbackOf(all url.Values) Callback {
	m := map[string]string{}
	for name, limit := range memberLimits {
		values := all[name]
		if len(values) == 0 {
			continue
		}
		// RFC 6749 appendix A allows printable ASCII only. A description is for people, and
		// banks write it in their language; it is not read here.
		if len(values) > 1 || len(values[0]) > limit || name != "error_description" && strings.ContainsFunc(values[0], notPrintable) {
			return Callback{Outcome: Malformed}
		}
		m[name] = values[0]
	}
	return callbackOf(m)
}

func notPrintable(r rune) bool { return r < ' ' || r > '~' }

func callbackOf(m map[string]string) Callback {
	c := Callback{
		State: Secret(m["state"]), Code: Secret(m["code"]), Confirmation: Secret(m["confirmationCode"]),
		IDToken: Secret(m["id_token"]), Response: Secret(m["response"]), Issuer: m["iss"],
	}
	code := m["error"]
	switch {
	case code != "" && (c.Code != "" || c.IDToken != "" || c.Confirmation != ""),
		c.Response != "" && (code != "" || c.Code != "" || c.IDToken != ""):
		return Callback{Outcome: Malformed}
	case code != "":
		c.Outcome, c.Error = RefusedByBank, "other"
		if outcome, documented := callbackErrors[code]; documented {
			c.Outcome, c.Error = outcome, code
		}
	case c.Code != "":
		c.Outcome = Granted
	case c.Response != "":
		c.Outcome = Enclosed
	default:
		c.Outcome = Returned
	}
	return c
}

// The faults of a callback that came to us, but does not answer our request. No token
// request may follow.
var (
	ErrState  = errors.New("oauth: the callback has another state than our request")
	ErrIssuer = errors.New("oauth: the callback is from another issuer than the request was for")
)

// Expected is what we know of the request that a callback must answer.
type Expected struct {
	State Secret
	// NoState allows that the bank does not return the state. A state that is there must
	// be ours even then.
	NoState bool
	Issuer  string // the issuer that was asked; "" = it has none that we know
	// IssuerRequired is set if the server's metadata announces iss in its answers
	// (RFC 9207 3).
	IssuerRequired bool
}

// Check returns ErrState or ErrIssuer if the callback does not answer our request: a
// forged or replayed one, a code of another session, or a mix-up of two banks
// (RFC 6819 4.4.1.8, RFC 9207 2.4). It counts for errors, too.
func (c Callback) Check(e Expected) error {
	switch {
	case c.State == "" && !e.NoState, c.State != "" && !c.State.Is(e.State):
		return ErrState
	case c.Issuer != e.Issuer && (e.IssuerRequired || c.Issuer != "" && e.Issuer != ""):
		return ErrIssuer
	}
	return nil
}
