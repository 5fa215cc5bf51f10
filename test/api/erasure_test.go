package api

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// While a user is erased, a session of the user gets 401 to everything, or the
// response of a moment before. Nothing fails with 500, and nothing created stays
// live.
func TestErasure_AnswersUnauthorizedToConcurrentRequests(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		var created, refused atomic.Int32
		for round := range 6 {
			u, session, c := w.authorizedConsent(t, w.acme)
			var waiting consentObject
			session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja)), &waiting)
			collection := requestBody(demoBank, "", attendedConsent(c.ConsentID))
			oneTime := requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja))
			requests := []struct {
				as           client
				method, path string
				body         any
				statuses     []int // besides 401
			}{
				{session, "POST", "/consents", oneTime, []int{201}},
				{session, "POST", "/collections", collection, []int{201, 409}},
				{session, "POST", "/collections", oneTime, []int{201}},
				{session, "GET", "/consents/" + waiting.ConsentID + "/status", nil, []int{200}},
				{session, "DELETE", "/consents/" + waiting.ConsentID, nil, []int{200}},
				{session, "GET", "/collections", nil, []int{200}},
				{session, "GET", "/users/" + u.UserUUID, nil, []int{200}},
				{w.acme, "POST", "/users/" + u.UserUUID + "/sessions", nil, []int{201, 409}},
				{w.acme, "GET", "/users/" + u.UserUUID + "/consents", nil, []int{200}},
			}
			var wg sync.WaitGroup
			var erased atomic.Bool
			for i := range 3 * len(requests) {
				r := requests[i%len(requests)]
				wg.Go(func() {
					for n := 0; n == 0 || !erased.Load(); n++ {
						as := r.as
						if n%2 == 0 && r.method == http.MethodPost {
							as = as.with("Idempotency-Key", fmt.Sprint(round, "-", i, "-", n))
						}
						got := as.Do(t, r.method, r.path, r.body)
						switch {
						case got.Status == http.StatusUnauthorized:
							refused.Add(1)
						case !slices.Contains(r.statuses, got.Status):
							t.Errorf("%s %s: %d %s", r.method, r.path, got.Status, got.Body)
						case got.Status == http.StatusCreated:
							created.Add(1)
						}
					}
				})
			}
			wg.Go(func() {
				defer erased.Store(true)
				w.acme.Do(t, "DELETE", "/users/"+u.UserUUID, nil).WantStatus(t, http.StatusNoContent, nil)
			})
			wg.Wait()

			var consents []consentObject
			w.acme.get(t, "/users/"+u.UserUUID+"/consents?limit=200", &consents)
			for _, c := range consents {
				if c.Status != "REVOKED" && c.Status != "FAILED" {
					t.Errorf("a consent of the erased user is %s", c.Status)
				}
			}
			var running []summary
			w.acme.get(t, "/users/"+u.UserUUID+"/collections?limit=200&statusIn=RUNNING,LOGIN,COLLECTING", &running)
			if len(running) > 0 {
				t.Errorf("%d collections of the erased user run", len(running))
			}
			session.Do(t, "POST", "/consents", oneTime).WantStatus(t, http.StatusUnauthorized, nil)
		}
		if created.Load() == 0 || refused.Load() == 0 {
			t.Errorf("%d created, %d refused: the requests did not meet the erasure", created.Load(), refused.Load())
		}
	})
}
