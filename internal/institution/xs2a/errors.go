package xs2a

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
)

// subject is what a call is about: the same code means different things about
// different resources.
type subject int

const (
	aboutOpening     subject = iota // POST consents
	aboutAuthorising                // authorisations
	aboutConsent                    // a consent that exists
	aboutList                       // the list of accounts
	aboutCards                      // the list of card accounts
	aboutAccount                    // one account, its balances or transactions
	subjects
)

// tppMessage is a message of the first error form; tppMessages also reads one
// that is not in a list.
type tppMessage struct {
	Category text `json:"category"`
	Code     text `json:"code"`
}

type tppMessages []tppMessage

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (m *tppMessages) UnmarshalJSON(data []byte) error {
	*m = nil
	if data[0] == '{' {
		data = append(append([]byte{'['}, data...), ']')
	}
	var list []tppMessage
	_ = json.Unmarshal(data, &list) // what is of another type is left out
	*m = list
	return nil
}

// errorBody is both error forms of docs/reference/banks.md 7 at once.
type errorBody struct {
	TPPMessages tppMessages `json:"tppMessages"`
	Code        text        `json:"code"`
	Additional  tppMessages `json:"additionalErrors"`
}

// errorCode finds the documented code in an error body: the first that is known
// and not just a warning. HTML pages and the like have none. A code that is not
// documented is not passed on, for it could be anything.
func errorCode(body []byte) string {
	var said errorBody
	if decode(answer{body: body}, &said) != nil {
		return ""
	}
	list := append(said.TPPMessages, tppMessage{Code: said.Code})
	for _, m := range append(list, said.Additional...) {
		code := strings.ToUpper(strings.TrimSpace(string(m.Code)))
		if _, known := meanings[code]; known && !strings.EqualFold(string(m.Category), "WARNING") {
			return code
		}
	}
	return ""
}

// refusal makes an answer that is no success an error. A consent's daily limit
// counts reads without the person only (docs/reference/banks.md 8), so that ACCESS_EXCEEDED
// while the person is there means that we are too fast.
func refusal(c call, resp *httpclient.Response, now time.Time) error {
	code := errorCode(resp.Body)
	e := &institution.Error{
		Kind: kindOf(c.about, resp.Status, code), HTTPStatus: resp.Status, Code: code, RequestID: c.requestID,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now),
	}
	if e.Kind == institution.AccessExceeded && c.psu.IPAddress != "" {
		e.Kind = institution.Busy
	}
	return e
}

// unanswered makes an exchange that was not answered an error.
func unanswered(err error, requestID string) error {
	e := &institution.Error{Kind: institution.Unreachable, RequestID: requestID, Cause: err}
	var failed *httpclient.Error
	e.NotSent = errors.As(err, &failed) && failed.NotSent()
	switch httpclient.KindOf(err) {
	case httpclient.CertificateRejected, httpclient.SigningFailed:
		e.Kind = institution.CertificateRejected
	case httpclient.OutsideBaseURL:
		e.Kind = institution.ForeignAddress
	case httpclient.ResponseTooLarge:
		e.Kind = institution.MalformedResponse
	}
	return e
}

const longestWait = 24 * time.Hour

// retryAfter reads the header's two forms, seconds and HTTP date (RFC 9110
// 10.2.3), clipped to a day.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	var d time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestWait)
}
