package xs2a_test

import (
	"net/http"
	"strings"
	"testing"

	"samla/internal/consent"
	"samla/internal/institution"
)

// Banks spell the statuses of the standard in many ways. A word that says nothing of an
// end ends nothing.
func TestConsent_UnderstandsSpellingsOfAStatus(t *testing.T) {
	for state, words := range map[institution.ConsentState]string{
		institution.ConsentValid:        "valid VALID Valid active authorised AUTHORIZED",
		institution.ConsentRevoked:      "revokedByPsu REVOKED_BY_PSU revoked REVOKED revoked-by-psu terminatedByTpp TERMINATED_BY_TPP TERMINATED terminatedByAspsp cancelled CANCELED withdrawn closed CLOSED deleted userRevoked consentRevoked deactivated noLongerValid ÅTERKALLAD återkallat Avslutad upphörd",
		institution.ConsentExpired:      "expired EXPIRED consent_expired timedOut TIMEOUT hasExpired UTGÅNGEN",
		institution.ConsentRejected:     "rejected REJECTED rejectedByPsu declined DENIED failed FAILED invalid INVALID refused Avvisad nekad",
		institution.ConsentPartlySigned: "partiallyAuthorised PARTIALLY_AUTHORISED partiallyValid",
		institution.ConsentPending: "received awaitingStars awaitingAuthorisation pending replacedByNewer suspended " +
			"underReview inProgress revocationPending cancellationRequested notRevoked expiresSoon extended x inactive notValid pågår",
	} {
		for status := range strings.FieldsSeq(words) {
			s := newScriptedBank(t, nil, responds(200, `{"consentStatus":"`+status+`"}`))
			if got, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"}); err != nil || got.State != state {
				t.Errorf("%s: state %d, want %d, %v", status, got.State, state, err)
			}
		}
	}
}

func TestAuthorizationStatus_UnderstandsSpellings(t *testing.T) {
	for body, want := range map[string]institution.Authorization{
		`{"status":"FINALISED"}`:                                           {State: institution.AuthorizationDone},
		`{"authorisationStatus":"completed"}`:                              {State: institution.AuthorizationDone},
		`{"sca_status":"SCA_FINALISED"}`:                                   {State: institution.AuthorizationDone},
		`{"consentStatus":"valid"}`:                                        {State: institution.AuthorizationDone},
		`{"data":{"scaStatus":"exempted"}}`:                                {State: institution.AuthorizationDone},
		`{"scaStatus":"psuAuthenticated"}`:                                 {},
		`{"scaStatus":"unsigned"}`:                                         {},
		`{"scaStatus":"started","status":"failed"}`:                        {},
		`{"status":"FAILED","hint_code":"USER_CANCEL"}`:                    {State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled},
		`{"scaStatus":"Avbruten"}`:                                         {State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled},
		`{"scaStatus":"MISSLYCKAD"}`:                                       {State: institution.AuthorizationFailed, Failure: consent.AuthenticationFailed},
		`{"status":"cancelled"}`:                                           {State: institution.AuthorizationFailed, Failure: consent.AuthenticationCancelled},
		`{"scaStatus":"EXPIRED"}`:                                          {State: institution.AuthorizationFailed, Failure: consent.AuthenticationTimeout},
		`{"scaStatus":"timeout"}`:                                          {State: institution.AuthorizationFailed, Failure: consent.AuthenticationTimeout},
		`{"consentStatus":"rejected"}`:                                     {State: institution.AuthorizationFailed, Failure: consent.Rejected},
		`{"scaStatus":"failed","hintCode":"startfailed"}`:                  {State: institution.AuthorizationFailed, Failure: consent.AuthenticationTimeout},
		`{"scaStatus":"failed","tppMessages":{"code":"RESOURCE_UNKNOWN"}}`: {State: institution.AuthorizationFailed, Failure: consent.Rejected},
		`{"scaStatus":"failed","tppMessages":[{"code":"SCA_TIMEOUT"}]}`:    {State: institution.AuthorizationFailed, Failure: consent.AuthenticationTimeout},
	} {
		got, err := status(t, body, nil)
		if err != nil || got.State != want.State || got.Failure != want.Failure {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{"", "<html>Underhåll</html>", `{"scaStatus":"fina`, `{}`, `[]`, `{"tppMessages":[{"category":"ERROR","code":"FORMAT_ERROR"}]}`} {
		if got, err := status(t, body, nil); institution.KindOf(err) != institution.MalformedResponse && !institution.KindOf(err).Transient() {
			t.Errorf("%q: got %+v, %v", body, got, err)
		}
	}
}

// The id of an authorisation, and the word for its status, are where a bank puts them.
func TestStartAuthorization_FindsTheID(t *testing.T) {
	for body, want := range map[string][2]string{
		`{"scaStatus":"received","authorisationId":"au1"}`:                                                    {"au1", ""},
		`{"scaStatus":"received","authorizationId":"au1"}`:                                                    {"au1", ""},
		`{"scaStatus":"received","authorisation_id":17}`:                                                      {"17", ""},
		`{"status":"received","id":"au1","chosenScaMethod":{"id":"mbid"}}`:                                    {"located", ""},
		`{"scaStatus":"received","chosenScaMethod":{"id":"mbid"}}`:                                            {"located", ""},
		`{"scaStatus":"received","_links":{"scaStatus":{"href":"/v1/consents/c1/authorisations/a%20b"}}}`:     {"a b", "/v1/consents/c1/authorisations/a%20b"},
		`{"scaStatus":"received","_links":{"self":{"href":"/v1/consents/c1/authorizations/au1"}}}`:            {"located", ""},
		`{"scaStatus":"received","links":[{"rel":"scaStatus","href":"/v1/consents/c1/authorisations/au1/"}]}`: {"au1", "/v1/consents/c1/authorisations/au1/"},
		``:   {"located", ""},
		`{}`: {"located", ""},
	} {
		s := newScriptedBank(t, nil, located("https://bank.example/psd2/v1/consents/c1/authorisations/located", 201, body))
		got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
		if err != nil || got.ID != want[0] || got.StatusLink != want[1] {
			t.Errorf("%s: got %q, %q, %v", body, got.ID, got.StatusLink, err)
		}
	}
	for body, want := range map[string]string{`{"status":"received","id":"au1"}`: "au1", `{"chosenScaMethod":{"id":"mbid"},"scaStatus":"received"}`: "",
		`{"scaStatus":"received","_links":{"self":{"href":"/v1/consents/c1/authorizations/au1"}}}`: "au1"} {
		s := newScriptedBank(t, nil, responds(201, body))
		got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
		if err != nil || got.ID != want {
			t.Errorf("%s: got %q, %v", body, got.ID, err)
		}
	}
	s := newScriptedBank(t, nil, responds(201, `{"scaStatus":"received"}`))
	got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
	if err != nil || got.ID != "" || got.StatusLink != "" {
		t.Errorf("a bank that tells nothing: %+v, %v", got, err)
	}
	s = newScriptedBank(t, nil, responds(200, `<html>`))
	if got, err = s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person}); err == nil {
		t.Errorf("a page is no authorisation: %+v", got)
	}
}

func TestOpenConsent_ReadsWhatTheBankDoesByItself(t *testing.T) {
	pending, link := &institution.Authorization{}, "/v1/consents/c1/authorisations/au1"
	for body, want := range map[string]struct {
		id      string
		started *institution.Authorization
	}{
		`{"consentStatus":"received","consentId":"c1","_links":{}}`:                          {"c1", nil},
		`{"status":"received","id":"c1"}`:                                                    {"located", nil},
		`{"consent_id":4711}`:                                                                {"4711", nil},
		`{"consentStatus":"received","_links":{"self":{"href":"/v1/consents/c1"}}}`:          {"c1", nil},
		`{"consentStatus":"received","_links":{"status":{"href":"/v1/consents/c1/status"}}}`: {"c1", nil},
		`{}`: {"located", nil},
		``:   {"located", nil},
		`{"consentStatus":"valid","consentId":"c1"}`:                                                                            {"c1", &institution.Authorization{State: institution.AuthorizationDone}},
		`{"consentStatus":"REJECTED","consentId":"c1"}`:                                                                         {"c1", &institution.Authorization{State: institution.AuthorizationFailed, Failure: consent.Rejected}},
		`{"consentStatus":"received","consentId":"c1","_links":{"scaStatus":"` + link + `"}}`:                                   {"c1", &institution.Authorization{ID: "au1", StatusLink: link}},
		`{"consentStatus":"received","consentId":"c1","_links":{"scaStatus":"` + link + `","startAuthorisation":{"href":"/"}}}`: {"c1", nil},
		`{"consentStatus":"received","consentId":"c1","authorisationId":"au1"}`:                                                 {"c1", &institution.Authorization{ID: "au1"}},
		`{"consentStatus":"received","consentId":"c1","challengeData":{"data":"` + token + `"}}`:                                {"c1", pending},
	} {
		s := newScriptedBank(t, nil, located("/v1/consents/located", 201, body))
		got, err := s.OpenConsent(t.Context(), openRequest(fullScope))
		if err != nil || string(got.ConsentID) != want.id || (got.Started == nil) != (want.started == nil) {
			t.Errorf("%s: got %q, %+v, %v", body, string(got.ConsentID), got.Started, err)
			continue
		}
		if a := got.Started; a != nil && (a.ID != want.started.ID || a.StatusLink != want.started.StatusLink || a.State != want.started.State || a.Failure != want.started.Failure) {
			t.Errorf("%s: started %+v", body, a)
		}
	}
	s := newScriptedBank(t, nil, responds(201, `<html>`))
	if _, err := s.OpenConsent(t.Context(), openRequest(fullScope)); err == nil {
		t.Error("a page without an id is a consent")
	}
}

// A bank that allows no more authorisations may have started one by itself.
func TestStartAuthorization_TakesTheOneThatTheBankHasStarted(t *testing.T) {
	refusal := `{"tppMessages":[{"category":"ERROR","code":"STATUS_INVALID"}]}`
	for list, want := range map[string]string{`{"authorisationIds":["old","au1"]}`: "au1", `{"authorisationIds":[]}`: "", `{}`: "", `[]`: "", `{"authorisationIds":[7]}`: ""} {
		s := newScriptedBank(t, nil, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				responds(200, list)(w, r)
				return
			}
			responds(409, refusal)(w, r)
		})
		got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
		if got.ID != want || (err == nil) != (want != "") || err != nil && institution.KindOf(err) != institution.Conflict {
			t.Errorf("%s: got %q, %v", list, got.ID, err)
		}
	}
}
