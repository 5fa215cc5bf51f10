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
// response of a moment before; the API key never gets 401. Nothing fails with 500,
// and nothing created stays live.
func TestErasure_AnswersUnauthorizedToConcurrentRequests(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		var created, refused atomic.Int32
		for round := range 3 {
			u, session, c := w.authorizedConsent(t, w.acme)
			var waiting consentObject
			// Another person's: an order of the same person would end it.
			session.post(t, "/consents", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)), &waiting)
			collection := requestBody(demoBank, "", attendedConsent(c.ConsentID))
			oneTime := requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(maja))
			requests := []struct {
				key          bool // the API key's request, not the session's
				method, path string
				body         any
				statuses     []int // a session also gets 401
			}{
				{false, "POST", "/consents", oneTime, []int{201}},
				{false, "POST", "/collections", collection, []int{201, 409}},
				{false, "POST", "/collections", oneTime, []int{201}},
				{false, "GET", "/consents/" + waiting.ConsentID + "/status", nil, []int{200}},
				{false, "DELETE", "/consents/" + waiting.ConsentID, nil, []int{200}},
				{false, "GET", "/collections", nil, []int{200}},
				{false, "GET", "/users/" + u.UserUUID, nil, []int{200}},
				{true, "POST", "/collections", collection, []int{201, 409}},
				{true, "POST", "/users/" + u.UserUUID + "/sessions", nil, []int{201, 409}},
				{true, "GET", "/users/" + u.UserUUID + "/consents", nil, []int{200}},
			}
			var wg, answered sync.WaitGroup
			var erased atomic.Bool
			for i := range 3 * len(requests) {
				r := requests[i%len(requests)]
				answered.Add(1)
				wg.Go(func() {
					first := sync.OnceFunc(answered.Done)
					for n, last := 0, false; !last; n++ {
						last = erased.Load() // one request begins after the erasure
						as := session
						if r.key {
							as = w.acme
						}
						if n%2 == 0 && r.method == http.MethodPost {
							as = as.with("Idempotency-Key", fmt.Sprint(round, "-", i, "-", n))
						}
						got := as.Do(t, r.method, r.path, r.body)
						first()
						switch {
						case got.Status == http.StatusUnauthorized && !r.key:
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
				answered.Wait() // something is created before the erasure
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
