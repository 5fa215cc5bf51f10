package xs2a_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

// verbs are the calls of the connector, one for each operation, in the order of the
// columns below.
var verbs = []struct {
	name string
	call func(*testing.T, *scriptedBank) error
}{
	{"open", func(t *testing.T, s *scriptedBank) error {
		_, err := s.OpenConsent(t.Context(), openRequest(fullScope))
		return err
	}},
	{"authorize", func(t *testing.T, s *scriptedBank) error {
		_, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
		return err
	}},
	{"consent", func(t *testing.T, s *scriptedBank) error {
		_, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"})
		return err
	}},
	{"accounts", fetching(institution.Question{Kind: "accounts"})},
	{"cards", fetching(institution.Question{Kind: "cards"})},
	{"transactions", fetching(institution.Question{Kind: "transactions", Account: "account/a1", From: since})},
}

func fetching(q institution.Question) func(*testing.T, *scriptedBank) error {
	return func(t *testing.T, s *scriptedBank) error {
		_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, q)
		return err
	}
}

const (
	refused       = institution.Refused
	gone          = institution.ConsentGone
	over          = institution.ConsentOver
	notCover      = institution.NotCovered
	sca           = institution.SCARequired
	certificate   = institution.CertificateRejected
	personRefused = institution.PersonRefused
	empty         = institution.ErrorKind("") // no error: the bank has no card accounts
)

func all(k institution.ErrorKind) [6]institution.ErrorKind {
	return [6]institution.ErrorKind{k, k, k, k, k, k}
}

// The table has every code of docs/reference/banks.md 7 with its documented status,
// and every status without a code. Its columns are the verbs. A bank without
// authorisations or cards has an empty answer.
func TestErrorResponse_HasKind(t *testing.T) {
	for name, want := range map[string][6]institution.ErrorKind{
		"400 FORMAT_ERROR":              all(refused),
		"400 PARAMETER_NOT_CONSISTENT":  all(refused),
		"400 PARAMETER_NOT_SUPPORTED":   all(refused),
		"400 SERVICE_INVALID":           {refused, refused, refused, notCover, empty, notCover},
		"400 RESOURCE_UNKNOWN":          {refused, gone, gone, notCover, notCover, notCover},
		"400 RESOURCE_EXPIRED":          {refused, over, over, notCover, notCover, notCover},
		"400 RESOURCE_BLOCKED":          {refused, refused, refused, notCover, notCover, notCover},
		"400 TIMESTAMP_INVALID":         all(refused),
		"400 PERIOD_INVALID":            all(refused),
		"400 SCA_METHOD_UNKNOWN":        all(refused),
		"400 SCA_INVALID":               all(refused),
		"400 CONSENT_UNKNOWN":           {refused, gone, gone, gone, notCover, gone},
		"400 SESSIONS_NOT_SUPPORTED":    all(refused),
		"400 ":                          all(refused),
		"400 OUR_OWN_CODE":              all(refused),
		"401 CERTIFICATE_INVALID":       all(certificate),
		"401 CERTIFICATE_EXPIRED":       all(certificate),
		"401 CERTIFICATE_BLOCKED":       all(certificate),
		"401 CERTIFICATE_REVOKE":        all(certificate),
		"401 CERTIFICATE_REVOKED":       all(certificate),
		"401 CERTIFICATE_MISSING":       all(certificate),
		"401 ROLE_INVALID":              all(certificate),
		"401 SIGNATURE_INVALID":         all(certificate),
		"401 SIGNATURE_MISSING":         all(certificate),
		"401 CORPORATE_ID_INVALID":      all(personRefused),
		"401 PSU_CREDENTIALS_INVALID":   {personRefused, personRefused, personRefused, sca, sca, sca},
		"401 CONSENT_INVALID":           {refused, gone, gone, gone, notCover, notCover},
		"401 CONSENT_EXPIRED":           {refused, over, over, over, notCover, over},
		"401 TOKEN_UNKNOWN":             {refused, refused, sca, sca, sca, sca},
		"401 TOKEN_INVALID":             {refused, refused, sca, sca, sca, sca},
		"401 TOKEN_EXPIRED":             {refused, refused, sca, sca, sca, sca},
		"401 ":                          {refused, refused, refused, institution.TokenRefused, sca, sca},
		"403 CONSENT_UNKNOWN":           {refused, gone, gone, gone, notCover, gone},
		"403 SERVICE_BLOCKED":           all(personRefused),
		"403 RESOURCE_UNKNOWN":          {refused, gone, gone, notCover, notCover, notCover},
		"403 RESOURCE_EXPIRED":          {refused, over, over, notCover, notCover, notCover},
		"403 SERVICE_INVALID":           {refused, refused, refused, notCover, empty, notCover},
		"403 ":                          {refused, refused, refused, notCover, notCover, notCover},
		"404 RESOURCE_UNKNOWN":          {refused, empty, gone, notCover, empty, notCover},
		"404 ":                          {refused, empty, refused, notCover, empty, notCover},
		"404 OUR_OWN_CODE":              {refused, empty, gone, notCover, empty, notCover},
		"405 SERVICE_INVALID":           {refused, empty, refused, notCover, empty, notCover},
		"405 ":                          {refused, empty, refused, notCover, empty, notCover},
		"406 REQUESTED_FORMATS_INVALID": all(refused),
		"406 ":                          all(refused),
		"408 ":                          all(institution.Unreachable),
		"409 STATUS_INVALID":            {institution.Conflict, institution.Conflict, refused, refused, refused, refused},
		"409 ":                          {institution.Conflict, institution.Conflict, refused, refused, refused, refused},
		"415 ":                          all(refused),
		// The person is present in the first two: it is not the daily limit.
		"429 ACCESS_EXCEEDED": {institution.Busy, institution.Busy, institution.AccessExceeded, institution.AccessExceeded, institution.AccessExceeded, institution.AccessExceeded},
		"429 FORMAT_ERROR":    all(institution.Busy),
		"429 ":                all(institution.Busy),
		"500 ":                all(institution.Unreachable),
		"500 CONSENT_EXPIRED": all(institution.Unreachable),
		"501 ":                {institution.Unreachable, empty, institution.Unreachable, institution.Refused, empty, institution.Refused},
		"302 ":                all(institution.ForeignAddress),
		"599 ":                all(institution.Unreachable),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var status int
			var code string
			_, _ = fmt.Sscanf(name, "%d %s", &status, &code)
			body := `{"tppMessages":[{"category":"ERROR","code":"` + code + `","text":"personal number 191212121212"}]}`
			if code == "" {
				body = "No, 191212121212"
			}
			s := newScriptedBank(t, nil, responds(status, body))
			for i, verb := range verbs {
				err := verb.call(t, s)
				if want[i] == empty {
					if err != nil {
						t.Errorf("%s: %v", verb.name, err)
					}
					continue
				}
				var failed *institution.Error
				if !errors.As(err, &failed) {
					t.Errorf("%s: got %v", verb.name, err)
					continue
				}
				if failed.Kind != want[i] || failed.HTTPStatus != status || failed.RequestID == "" {
					t.Errorf("%s: got %+v, want %s", verb.name, failed, want[i])
				}
				if known := code != "OUR_OWN_CODE"; known && failed.Code != code || !known && failed.Code != "" {
					t.Errorf("%s: code %q", verb.name, failed.Code)
				}
				if strings.Contains(err.Error(), "19121212") {
					t.Errorf("%s: the error repeats the text of the bank", verb.name)
				}
			}
		})
	}
}

// What the system of the cards says about the consent costs the cards only.
func TestErrorResponse_OfCardsDoesNotEndTheConsent(t *testing.T) {
	for _, code := range []string{"CONSENT_UNKNOWN", "CONSENT_INVALID", "CONSENT_EXPIRED", "RESOURCE_EXPIRED"} {
		s := newScriptedBank(t, nil, responds(401, `{"tppMessages":[{"category":"ERROR","code":"`+code+`"}]}`))
		for _, q := range []institution.Question{{Kind: "cards"}, {Kind: "balances", Account: "card/1"}, {Kind: "transactions", Account: "card/1"}} {
			if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, q); institution.KindOf(err) != institution.NotCovered {
				t.Errorf("%s: %s: got %v", code, q.Kind, err)
			}
		}
	}
}

// A page in place of a status comes from a gateway. It says nothing of the consent.
func TestErrorResponse_TakesNoPageForTheBanksWord(t *testing.T) {
	page := "\ufeff\n<!DOCTYPE html><html><body>Not here</body></html>"
	for _, status := range []int{400, 401, 403, 404, 410, 500} {
		s := newScriptedBank(t, nil, responds(status, page))
		_, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"})
		if institution.KindOf(err) != institution.Unreachable {
			t.Errorf("consent, %d: %v", status, err)
		}
		for _, link := range []string{"", "/v1/consents/c1/authorisations/au1"} {
			_, err = s.AuthorizationStatus(t.Context(), institution.Access{ConsentID: "c1"}, "au1", link, true)
			if institution.KindOf(err) != institution.Unreachable {
				t.Errorf("authorisation, %d: %v", status, err)
			}
		}
		if err := s.Revoke(t.Context(), institution.Access{ConsentID: "c1"}); institution.KindOf(err) != institution.Unreachable {
			t.Errorf("revoked, %d: %v", status, err)
		}
	}
}

// The page of a gateway that lets nobody in says nothing of a token, nor of the cards.
func TestErrorResponse_TakesNoPageForARefusedToken(t *testing.T) {
	for _, status := range []int{401, 403} {
		for _, token := range []string{"", "at-1"} {
			s := newScriptedBank(t, nil, responds(status, "<html><body>Access denied</body></html>"))
			access := institution.Access{ConsentID: "c1", Token: token}
			for _, q := range []institution.Question{{Kind: "accounts"}, {Kind: "cards"}, {Kind: "transactions", Account: "account/a1", From: since}} {
				if _, err := s.Fetch(t.Context(), access, q); err == nil || institution.KindOf(err) != institution.Unreachable {
					t.Errorf("%s, %d, token %q: %v", q.Kind, status, token, err)
				}
			}
			request := openRequest(fullScope)
			request.Token = token
			if _, err := s.OpenConsent(t.Context(), request); err == nil || institution.KindOf(err) != institution.Unreachable {
				t.Errorf("open, %d, token %q: %v", status, token, err)
			}
		}
	}
}

// The table has both forms of docs/reference/banks.md 7, and variants of banks.
func TestErrorResponse_HasDocumentedCode(t *testing.T) {
	for body, want := range map[string]string{
		`{"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED","path":"x","text":"y"}],"_links":{}}`:     "CONSENT_EXPIRED",
		`{"type":"https://x","title":"t","detail":"d","code":"CONSENT_EXPIRED","_links":{}}`:                    "CONSENT_EXPIRED",
		`{"type":"x","code":"NO_SUCH","additionalErrors":[{"title":"","code":"CONSENT_EXPIRED"}]}`:              "CONSENT_EXPIRED",
		`{"tppMessages":[{"category":"WARNING","code":"FORMAT_ERROR"},{"code":"consent_expired "}]}`:            "CONSENT_EXPIRED",
		`{"tppMessages":[{"category":"ERROR","code":"STRANGE"},{"category":"ERROR","code":"CONSENT_EXPIRED"}]}`: "CONSENT_EXPIRED",
		`{"tppMessages":{"category":"ERROR","code":"CONSENT_EXPIRED"}}`:                                         "CONSENT_EXPIRED",
		`{"tppMessages":[17,null,{"code":"CONSENT_EXPIRED"}],"code":{}}`:                                        "CONSENT_EXPIRED",
		"\ufeff" + `{"code":"CONSENT_EXPIRED"}`:                                                                 "CONSENT_EXPIRED",
		`{"tppMessages":[{"category":"WARNING","code":"CONSENT_EXPIRED"}]}`:                                     "",
		`{"error":"invalid_token"}`: "", `[]`: "", ``: "", `{`: "", `<html>CONSENT_EXPIRED</html>`: "", `"CONSENT_EXPIRED"`: "",
	} {
		s := newScriptedBank(t, nil, responds(401, body))
		_, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"})
		var failed *institution.Error
		if !errors.As(err, &failed) || failed.Code != want {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
}

func TestErrorResponse_HasRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		" 0 ":                           0,
		"-5":                            0,
		"1.5":                           0,
		"soon":                          0,
		"9999999999999999999":           0,
		"999999999":                     24 * time.Hour,
		"Sun, 22 Nov 2026 12:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 11:00:00 GMT": 0,
		"Fri, 22 Nov 2030 12:00:00 GMT": 24 * time.Hour,
	} {
		s := newScriptedBank(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(429)
			_, _ = io.WriteString(w, `{"tppMessages":[{"category":"ERROR","code":"ACCESS_EXCEEDED"}]}`)
		})
		_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank))
		var failed *institution.Error
		if !errors.As(err, &failed) || failed.Kind != institution.AccessExceeded || failed.RetryAfter != want {
			t.Errorf("%q: got %+v, want %s", value, failed, want)
		}
	}
}

func TestBank_ReportsUnusableResponses(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, "<html>Welcome</html>"))
	for _, verb := range verbs[:3] {
		if err := verb.call(t, s); institution.KindOf(err) != institution.MalformedResponse {
			t.Errorf("%s: HTML page: got %v", verb.name, err)
		}
		for _, body := range []string{"", "{", "[]", "null", `"x"`, "{}"} {
			s.answer = responds(200, body)
			if err := verb.call(t, s); institution.KindOf(err) != institution.MalformedResponse {
				t.Errorf("%s: %q: got %v", verb.name, body, err)
			}
		}
	}
	s.answer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, verb := range verbs {
		err := verb.call(t, s)
		var failed *institution.Error
		if !errors.As(err, &failed) || failed.Kind != institution.Unreachable || failed.HTTPStatus != 0 || failed.RequestID == "" || failed.NotSent {
			t.Errorf("%s: connection closed: got %v, NotSent %t", verb.name, err, failed != nil && failed.NotSent)
		}
	}
	s.server.Close()
	for _, verb := range verbs {
		err := verb.call(t, s)
		var failed *institution.Error
		if !errors.As(err, &failed) || failed.Kind != institution.Unreachable || !failed.NotSent {
			t.Errorf("%s: no server: got %v, NotSent %t", verb.name, err, failed != nil && failed.NotSent)
		}
	}
}

// The callers retry: they know whether the bank counts the request and whether it
// recognises a retry.
func TestBank_SendsEachRequestOnce(t *testing.T) {
	for _, replaySafe := range []bool{false, true} {
		s := newScriptedBank(t, func(c *xs2a.Config) { c.Profile.ReplaySafe = replaySafe }, responds(503, ""))
		for _, verb := range verbs {
			before := len(s.requests())
			_ = verb.call(t, s)
			if n := len(s.requests()) - before; n != 1 {
				t.Errorf("%s: %d requests", verb.name, n)
			}
		}
	}
}
