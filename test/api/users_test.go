package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"samla/internal/fault"
)

func TestUser_CreateReadDelete(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		var made userObject
		first := w.acme.post(t, "/users", `{"externalId":"customer-4711","unknown":[1]}`, &made)
		if made.ExternalID == nil || *made.ExternalID != "customer-4711" || made.Anonymized {
			t.Errorf("created %s", first.Body)
		}
		if got := first.Header.Get("Location"); got != "/users/"+made.UserUUID {
			t.Errorf("Location %q", got)
		}
		if p := w.acme.Do(t, "POST", "/users", `{"externalId":"customer-4711"}`).WantProblem(t, fault.UserExists); p.UserUUID != made.UserUUID {
			t.Errorf("USER_EXISTS has userUuid %q", p.UserUUID)
		}
		w.other.post(t, "/users", `{"externalId":"customer-4711"}`, nil) // unique per client only

		for _, path := range []string{"/users?externalId=customer-4711", "/users/" + made.UserUUID} {
			if got := w.acme.get(t, path, nil); string(got.Body) != string(first.Body) {
				t.Errorf("%s returns %s, want %s", path, got.Body, first.Body)
			}
		}
		w.acme.Do(t, "GET", "/users?externalId=nobody", nil).WantProblem(t, fault.UserNotFound)
		w.acme.Do(t, "GET", "/users/"+strings.Repeat("0", 36), nil).WantProblem(t, fault.UserNotFound)

		session := w.acme.session(t, made)
		if got := session.get(t, "/users/"+made.UserUUID, nil); string(got.Body) != string(first.Body) {
			t.Errorf("with a session: %s", got.Body)
		}
		session.Do(t, "GET", "/users/"+w.acme.newUser(t).UserUUID, nil).WantProblem(t, fault.UserNotFound)

		for range 2 { // idempotent
			w.acme.Do(t, "DELETE", "/users/"+made.UserUUID, nil).WantStatus(t, http.StatusNoContent, nil)
		}
		var deleted userObject
		w.acme.get(t, "/users/"+made.UserUUID, &deleted)
		if deleted.ExternalID != nil || !deleted.Anonymized {
			t.Errorf("after deletion %+v", deleted)
		}
		session.Do(t, "GET", "/users/"+made.UserUUID, nil).WantProblem(t, fault.Unauthorized)
		session.Do(t, "GET", "/consents", nil).WantProblem(t, fault.Unauthorized)
		w.acme.Do(t, "POST", "/users/"+made.UserUUID+"/sessions", nil).WantProblem(t, fault.UserAnonymized)
		w.acme.Do(t, "GET", "/users?externalId=customer-4711", nil).WantProblem(t, fault.UserNotFound)
		w.acme.post(t, "/users", `{"externalId":"customer-4711"}`, nil) // the external id can be used again
	})
}

func TestUser_ValidatesExternalID(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		for _, external := range []string{"a", strings.Repeat("å", 255), `quote"back\slash`, "snow ☃ and 𝄞", "a&b=c%20<d>", " "} {
			var made, found userObject
			w.acme.post(t, "/users", map[string]string{"externalId": external}, &made)
			w.acme.get(t, "/users?externalId="+url.QueryEscape(external), &found)
			if found.UserUUID != made.UserUUID || *found.ExternalID != external {
				t.Errorf("%q is found as %+v", external, found)
			}
		}
		for body, want := range map[string]fault.FieldCode{
			`{}`:                       fault.Required,
			`{"externalId":null}`:      fault.Required,
			`{"ExternalID":"a"}`:       fault.Required,
			`{"externalId":""}`:        fault.Required,
			`{"externalId":7}`:         fault.Invalid,
			`{"externalId":["a"]}`:     fault.Invalid,
			`{"externalId":"a\u0000"}`: fault.Invalid,
			`{"externalId":"a\n"}`:     fault.Invalid,
			`{"externalId":"\u0085"}`:  fault.Invalid,
			`{"externalId":"` + strings.Repeat("x", 256) + `"}`: fault.TooLong,
		} {
			p := w.acme.Do(t, "POST", "/users", body).WantProblem(t, fault.InvalidParameter)
			if len(p.Errors) != 1 || p.Errors[0].Pointer != "/externalId" || p.Errors[0].Code != want {
				t.Errorf("%.40s: %+v, want %s", body, p.Errors, want)
			}
		}
		for query, want := range map[string]string{
			"": "?externalId", "?externalId=": "?externalId", "?externalId=a&externalId=b": "?externalId", "?externalId=%00": "?externalId",
			"?externalId=%ff": "?externalId", "?externalId=" + strings.Repeat("x", 256): "?externalId", "?externalId=%zz": "?externalId",
		} {
			p := w.acme.Do(t, "GET", "/users"+query, nil).WantProblem(t, fault.InvalidParameter)
			if len(p.Errors) != 1 || p.Errors[0].Pointer != want {
				t.Errorf("%.40s: %+v", query, p.Errors)
			}
		}
	})
}
