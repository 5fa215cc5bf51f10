package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"samla/internal/devserver"
	"samla/internal/fault"
)

// supplements are one valid body of each type (docs/reference/api.md 5.8).
func supplements() []object {
	return []object{
		{"type": "TWO_FACTOR_CODE", "value": "A12345"},
		{"type": "TWO_FACTOR_CHOICE", "value": "1", "questionId": "q1"},
		{"type": "COLLECTION_INPUT", "values": object{"EMAIL": "anna@example.com", "MOBILE_PHONE_NUMBER": "+46701740605"}},
		{"type": "RESPONSE_OBJECT", "headers": object{"Set-Cookie": []string{"a=b"}, "x": "y"}, "response": object{}},
	}
}

// A collection with a consent asks nothing: it refuses each answer, and goes on.
func TestSupplement_IsRefusedByCollectionWithConsent(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		w.Log.Secret("a code", "A12345")
		_, session := w.acme.person(t)
		var begun collectionStatus
		session.post(t, "/collections", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(gun)), &begun)
		path := "/collections/" + begun.ID + "/supplement-info"
		for _, body := range supplements() {
			session.Do(t, http.MethodPost, path, body).WantProblem(t, fault.SupplementNotExpected)
			w.acme.Do(t, http.MethodPost, path, body).WantProblem(t, fault.SupplementNotExpected)
			_, neighbour := w.acme.person(t)
			neighbour.Do(t, http.MethodPost, path, body).WantProblem(t, fault.CollectionNotFound)
			w.other.Do(t, http.MethodPost, path, body).WantProblem(t, fault.CollectionNotFound)
			session.Do(t, http.MethodPost, "/collections/"+unknownID+"/supplement-info", body).WantProblem(t, fault.CollectionNotFound)
		}
		var still collectionStatus
		if session.get(t, "/collections/"+begun.ID+"/status", &still); still.PollingInterval == nil {
			t.Errorf("after the answers: %+v", still)
		}
		session.Do(t, http.MethodPost, "/collections/"+begun.ID+"/cancel", nil).WantStatus(t, http.StatusOK, nil)
		session.Do(t, http.MethodPost, path, supplements()[0]).WantProblem(t, fault.SupplementNotExpected)
	})
}

func TestSupplement_ReportsInvalidBodies(t *testing.T) {
	w := newEnv(t, devserver.Config{})
	_, session := w.acme.person(t)
	path := "/collections/" + unknownID + "/supplement-info"
	for _, c := range []struct {
		body any
		code fault.Code
		want []string
	}{
		{`{`, fault.MalformedJSON, nil},
		{`{"type":"TWO_FACTOR_CODE","value":"1","value":"2"}`, fault.MalformedJSON, nil},
		{`[]`, fault.InvalidParameter, []string{" INVALID"}},
		{object{}, fault.InvalidParameter, []string{"/type REQUIRED"}},
		{object{"type": "two_factor_code"}, fault.InvalidParameter, []string{"/type UNKNOWN_TYPE"}},
		{object{"type": "TWO_FACTOR_CODE", "value": 123456}, fault.InvalidParameter, []string{"/value INVALID"}},
		{object{"type": "TWO_FACTOR_CODE", "value": "1\n", "questionId": ""}, fault.InvalidParameter, []string{"/questionId REQUIRED"}},
		{object{"type": "COLLECTION_INPUT", "values": object{"EMAIL": "a\u0000", "anna@example.com": "x"}}, fault.InvalidParameter, []string{"/values INVALID", "/values/EMAIL INVALID"}},
		{object{"type": "RESPONSE_OBJECT", "headers": object{"a": 1}}, fault.InvalidParameter, []string{"/headers/a INVALID"}},
		{object{"type": "TWO_FACTOR_CODE", "value": "1", "x": strings.Repeat("y", 64<<10)}, fault.BodyTooLarge, nil},
		{object{"type": "RESPONSE_OBJECT", "response": strings.Repeat("y", 1<<20)}, fault.BodyTooLarge, nil},
		{object{"type": "RESPONSE_OBJECT", "response": strings.Repeat("y", 1023<<10-100)}, fault.CollectionNotFound, nil},
	} {
		p := session.Do(t, http.MethodPost, path, c.body).WantProblem(t, c.code)
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Pointer+" "+string(e.Code))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%.100v: %q, want %q", c.body, got, c.want)
		}
	}
	session.with("Content-Type", "text/plain").Do(t, http.MethodPost, path, `{}`).WantProblem(t, fault.UnsupportedMediaType)
}
