package nordea

import (
	"strings"
	"testing"

	"samla/internal/clock"
	"samla/internal/httpclient"
	"samla/internal/institution"
	"samla/internal/psu"
)

// An error shows only documented codes and ids of the bank's form: anything else could be
// a personal number on its way into a log.
func FuzzRefusal(f *testing.F) {
	for _, s := range []string{`{"group_header":{"message_identification":"m-7d4","http_code":401},"error":{"failures":[{"code":"error.token.expired","description":"x","path":"from_date"}]}}`,
		`{"httpCode":"429"}`, `{"error":{"failures":{}}}`, `{"error":null}`, `<html>"error"</html>`, `{"error":"invalid_grant"}`, `{"agreements":[{"id":"5"},{"id":"../6"},7]}`, ``} {
		f.Add(400, s)
		f.Add(409, s)
		f.Add(200, s)
	}
	b := &Bank{clock: clock.NewManual(clock.System().Now())}
	f.Fuzz(func(t *testing.T, status int, body string) {
		resp := &httpclient.Response{Status: status, Body: []byte(body)}
		failed := failureIn(resp)
		for o := opStart; o <= opAccount; o++ {
			e := b.refusal(call{operation: o}, resp, failed)
			if e.Kind == "" || e.Code != "" && !shownCodes[e.Code] || e.RequestID != "" && !messageRE.MatchString(e.RequestID) {
				t.Errorf("%+v", e)
			}
			if e.Kind == institution.ConsentGone && (status >= 500 || !o.reads()) {
				t.Errorf("%d ends a consent: %v", status, e)
			}
			if digits := strings.Trim(e.RequestID, "0123456789"); e.RequestID != "" && digits == "" && len(e.RequestID) < 16 {
				t.Errorf("an id that could be a number of a person: %v", e)
			}
		}
		for _, id := range agreementsIn(resp) {
			if !agreeRE.MatchString(id) {
				t.Errorf("an agreement %q", id)
			}
		}
	})
}

func FuzzAuthentication(f *testing.F) {
	for _, s := range []string{`{"session_id":"5c7a1a52-7b1e-4c36-9a3e-0d8a54a1f001","auto_start_token":"8d2f3f4e-3f0a-4b60-a7a2-3d1f0c9b7e11","qr_data":"bankid.x","status":"assignment_pending"}`,
		`{"status":"completed","code":"c"}`, `{"status":"completed"}`, `{"status":7}`, `{"status":"COMPLETED","code":{}}`, `[]`} {
		f.Add([]byte(s))
	}
	b := &Bank{clock: clock.NewManual(clock.System().Now())}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, _, err := b.authentication(body, psu.Context{}, true)
		if err != nil {
			if institution.KindOf(err) != institution.MalformedResponse {
				t.Error(err)
			}
			return
		}
		if done := a.State == institution.AuthorizationDone; done != (a.Brought.Get(broughtCode) != "") {
			t.Errorf("%+v", a)
		}
		if i := a.Instructions; i != nil && (i.AutoStartToken != "" && len(i.AutoStartToken) != 36 || i.QRData != "" && !strings.HasPrefix(i.QRData, "bankid.")) {
			t.Errorf("%+v", i)
		}
	})
}
