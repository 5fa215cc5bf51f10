package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"samla/internal/devserver"
	"samla/internal/fault"
	"samla/internal/webhook"
)

// endpointObject is a webhook endpoint.
type endpointObject struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Secret string   `json:"secret"`
	State  string   `json:"state"`
	Reason string   `json:"reason"`
	Events []string `json:"events"`
}

type attemptObject struct {
	EventID        string  `json:"eventId"`
	Attempt        int     `json:"attempt"`
	ResponseStatus int     `json:"responseStatus"`
	Error          string  `json:"error"`
	NextAttemptAt  *string `json:"nextAttemptAt"`
}

func init() {
	url := object{"url": "https://receiver.example.com/hook"}
	bodies["createWebhookEndpoint"] = func(*testing.T) any { return url }
	bodies["updateWebhookEndpoint"] = func(*testing.T) any { return url }
	bodies["rotateWebhookSecret"] = func(*testing.T) any { return object{"immediate": true} }
	bodies["replayWebhookEvents"] = func(*testing.T) any { return object{"eventId": unknownID} }
}

// hooks is a receiver on this machine. It passes on the requests that it got.
func hooks(t *testing.T, status func() int) (url string, got chan *http.Request, bodies chan []byte) {
	t.Helper()
	got, bodies = make(chan *http.Request, 100), make(chan []byte, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(status())
		got <- r
		bodies <- body
	}))
	t.Cleanup(s.Close)
	return s.URL + "/hook", got, bodies
}

func ok() int { return http.StatusOK }

func rowWebhooks(t *testing.T, w *walk, database func(*testing.T) string) {
	url, got, _ := hooks(t, ok) // ends after the server, which sends to it
	w = w.start(t, devserver.Config{Database: database(t)})
	var e endpointObject
	w.acme.post(t, "/webhook-endpoints", object{"url": url}, &e)
	path := "/webhook-endpoints/" + e.ID
	w.acme.get(t, "/webhook-endpoints", nil)
	w.acme.Do(t, "POST", path+"/test", nil).WantStatus(t, http.StatusAccepted, nil)
	<-got
	w.acme.get(t, path+"/deliveries", nil)
	w.acme.Do(t, "PATCH", path, object{"events": []string{"COLLECTION"}}).WantStatus(t, http.StatusOK, nil)
	w.acme.Do(t, "GET", path+"/replay", nil).WantProblem(t, fault.WebhookReplayNotFound)
	w.acme.Do(t, "POST", path+"/replay", object{"eventId": unknownID}).WantProblem(t, fault.EventNotFound)
	w.acme.Do(t, "POST", path+"/pause", nil).WantStatus(t, http.StatusOK, nil)
	between := object{"from": time.Now().Add(-time.Hour), "to": time.Now()}
	w.acme.Do(t, "POST", path+"/replay", between).WantStatus(t, http.StatusAccepted, nil)
	w.acme.Do(t, "POST", path+"/replay", between).WantProblem(t, fault.WebhookReplayRunning)
	w.acme.get(t, path+"/replay", nil)
	w.acme.Do(t, "POST", path+"/resume", nil).WantStatus(t, http.StatusOK, nil)
	w.acme.Do(t, "POST", path+"/rotate-secret", nil).WantStatus(t, http.StatusOK, nil)
	w.acme.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
	for range webhook.MaxEndpoints {
		w.acme.post(t, "/webhook-endpoints", object{"url": url}, nil)
	}
	w.acme.Do(t, "POST", "/webhook-endpoints", object{"url": url}).WantProblem(t, fault.WebhookEndpointLimit)
}

// What a client sees of an endpoint, from its creation to its end (docs/reference/api.md 7.3).
func TestWebhooks_OfTheirClientOnly(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		url, got, bodies := hooks(t, ok)
		w.Log.Secret("a URL of an endpoint", url)
		for _, refused := range []string{"http://receiver.example.com/", "https://10.0.0.1/", "https://user:pass@receiver.example.com/", "https://169.254.169.254/", "x"} {
			w.acme.Do(t, "POST", "/webhook-endpoints", object{"url": refused}).WantProblem(t, fault.InvalidParameter)
		}
		w.acme.Do(t, "POST", "/webhook-endpoints", object{"url": url, "events": []string{"TEST"}}).WantProblem(t, fault.InvalidParameter)
		var e, again endpointObject
		keyed := w.acme.with("Idempotency-Key", "first")
		keyed.post(t, "/webhook-endpoints", object{"url": url}, &e)
		keyed.post(t, "/webhook-endpoints", object{"url": url}, &again)
		if again.ID != e.ID || again.Secret != e.Secret || e.Secret == "" || e.State != "ACTIVE" || e.URL != url {
			t.Errorf("%+v, repeated %+v", e, again)
		}
		w.Log.Secret("a secret of an endpoint", e.Secret)
		path := "/webhook-endpoints/" + e.ID
		for _, call := range []struct {
			method, path string
			body         any
		}{{"PATCH", "", object{"url": url}}, {"DELETE", "", nil}, {"POST", "/rotate-secret", nil}, {"POST", "/pause", nil}, {"POST", "/resume", nil},
			{"POST", "/test", nil}, {"GET", "/deliveries", nil}, {"GET", "/replay", nil}, {"POST", "/replay", object{"eventId": unknownID}}} {
			w.other.Do(t, call.method, path+call.path, call.body).WantProblem(t, fault.WebhookEndpointNotFound)
		}
		var list []endpointObject
		w.other.get(t, "/webhook-endpoints", &list)
		if len(list) != 0 {
			t.Errorf("another client sees %+v", list)
		}
		w.acme.get(t, "/webhook-endpoints", &list)
		if len(list) != 1 || list[0].ID != e.ID || list[0].Secret != "" {
			t.Errorf("%+v", list)
		}

		verified := func(secret string) {
			t.Helper()
			s, err := webhook.ParseSecret(secret)
			if err != nil {
				t.Fatal(err)
			}
			r, body := <-got, <-bodies
			if err := webhook.Verify(r.Header, s, time.Now(), body); err != nil {
				t.Errorf("%v: %s", err, body)
			}
		}
		var test struct {
			EventID string `json:"eventId"`
		}
		w.acme.Do(t, "POST", path+"/test", nil).WantStatus(t, http.StatusAccepted, &test)
		verified(e.Secret)
		// A collection that ends tells of it.
		_, session := w.acme.person(t)
		var begun collectionStatus
		session.post(t, "/collections", requestBody(demoBank, sameDevice, scopeParameter(), bankIDParameter(gun)), &begun)
		session.delete(t, "/collections/"+begun.ID).WantStatus(t, http.StatusNoContent, nil)
		verified(e.Secret)
		var rotated endpointObject
		rotate := w.acme.with("Idempotency-Key", "rotate")
		for range 2 { // a repeated request does not rotate again
			rotate.Do(t, "POST", path+"/rotate-secret", object{"immediate": true}).WantStatus(t, http.StatusOK, &rotated)
		}
		w.Log.Secret("a new secret of an endpoint", rotated.Secret)
		w.acme.Do(t, "POST", path+"/replay", object{"eventId": test.EventID}).WantStatus(t, http.StatusAccepted, nil)
		verified(rotated.Secret)

		var attempts []attemptObject
		poll := time.Now().Add(pollTimeout)
		for w.acme.get(t, path+"/deliveries", &attempts); len(attempts) < 3 && time.Now().Before(poll); w.acme.get(t, path+"/deliveries", &attempts) {
			time.Sleep(10 * time.Millisecond)
		}
		if len(attempts) != 3 || attempts[0].EventID != test.EventID || attempts[0].Attempt != 2 || attempts[0].ResponseStatus != 200 || attempts[2].Attempt != 1 {
			t.Errorf("%+v", attempts)
		}
		w.acme.delete(t, path).WantStatus(t, http.StatusNoContent, nil)
		w.acme.Do(t, "GET", path+"/deliveries", nil).WantProblem(t, fault.WebhookEndpointNotFound)
	})
}
