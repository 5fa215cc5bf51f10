// Package httperror makes errors of package institution of what happens to an HTTP
// exchange, whatever its protocol.
package httperror

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"samla/internal/httpclient"
	"samla/internal/institution"
)

// reasons are the reasons of the failures without a usable response. The kinds of
// httpclient that are not in it say nothing to an operator.
var reasons = map[httpclient.Kind]institution.Reason{
	httpclient.ConnectionRefused:          institution.ConnectionRefused,
	httpclient.ConnectionFailed:           institution.ConnectionFailed,
	httpclient.Timeout:                    institution.NoAnswerInTime,
	httpclient.ResponseTooLarge:           institution.AnswerTooLarge,
	httpclient.SigningFailed:              institution.NotSigned,
	httpclient.NoRoom:                     institution.NoRoom,
	httpclient.CircuitOpen:                institution.CircuitOpen,
	httpclient.Overloaded:                 institution.Overloaded,
	httpclient.ServerCertificateExpired:   institution.ServerCertificateExpired,
	httpclient.ServerCertificateOtherName: institution.ServerCertificateOtherName,
	httpclient.ServerCertificateUntrusted: institution.ServerCertificateUntrusted,
	httpclient.ServerCertificateInvalid:   institution.ServerCertificateInvalid,
	httpclient.CertificateExpired:         institution.OurCertificateExpired,
	httpclient.CertificateUntrusted:       institution.OurCertificateUntrusted,
	httpclient.CertificateRejected:        institution.OurCertificateRejected,
}

// Transport returns the *institution.Error for an exchange without a usable response.
func Transport(err error, requestID string) error {
	kind := httpclient.KindOf(err)
	e := &institution.Error{Kind: institution.Unreachable, Reason: reasons[kind], RequestID: requestID, Cause: err}
	var failed *httpclient.Error
	if errors.As(err, &failed) {
		e.NotSent, e.RetryAfter = failed.NotSent(), failed.RetryAfter
	}
	switch kind {
	case httpclient.Overloaded:
		e.Kind = institution.Busy
	case httpclient.CertificateRejected, httpclient.CertificateExpired, httpclient.CertificateUntrusted, httpclient.SigningFailed:
		e.Kind = institution.CertificateRejected
	case httpclient.OutsideBaseURL:
		e.Kind = institution.ForeignAddress
	case httpclient.ResponseTooLarge:
		e.Kind = institution.MalformedResponse
	}
	return e
}

const maxRetryAfter = 24 * time.Hour

// RetryAfter parses the two forms of the Retry-After header, seconds and HTTP date
// (RFC 9110 10.2.3). The result is between 0 and maxRetryAfter; 0 for a value that
// is malformed.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	var d time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxRetryAfter)
}

// NotSent returns the error with NotSent set, for one of an exchange before the request
// that matters, such as for metadata or a token: nothing has come of that request.
func NotSent(err error) error {
	var failed *institution.Error
	if !errors.As(err, &failed) {
		return err
	}
	before := *failed
	before.NotSent = true
	return &before
}

// RevocationAnswer returns the error for an answer to a revocation that has the status of a
// success and is a page for people: something before the institution has answered, which has
// revoked nothing. It returns nil for any other body, also an empty one.
func RevocationAnswer(status int, body []byte, requestID string) error {
	if !IsPage(body) {
		return nil
	}
	return &institution.Error{Kind: institution.Unreachable, HTTPStatus: status, RequestID: requestID}
}

// IsPage reports whether a body is a page for people. In place of an answer it comes from a
// gateway, during maintenance for example, and is not the bank's word.
func IsPage(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("<"))
}
