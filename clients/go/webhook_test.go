package samla

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	secret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newSecret = "whsec_bmV3IHNlY3JldCBvZiB0aGUgZW5kcG9pbnQ="
	eventID   = "6f1c2e9a-3b1d-4a77-9b2e-2c0a8f3d4e55"
	body      = `{"collectionId":"c0ffee00-1234-5678-9abc-def012345678","status":"COMPLETED","eventId":"` + eventID + `","timestamp":"2026-06-11T09:21:44.512Z"}`
)

// headers are those of a delivery, signed by the library of Standard Webhooks.
func headers(t testing.TB, at time.Time, secrets ...string) http.Header {
	t.Helper()
	var signatures []string
	for _, s := range secrets {
		signer, err := standard.NewWebhook(s)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := signer.Sign(eventID, at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, signature)
	}
	h := http.Header{}
	h.Set("webhook-id", eventID)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("webhook-signature", strings.Join(signatures, " "))
	return h
}

func TestVerifyWebhook_TakesSignedOnes(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for name, h := range map[string]http.Header{
		"one secret":    headers(t, now, secret),
		"rotation":      headers(t, now, newSecret, secret),
		"early, late":   headers(t, now.Add(-WebhookTolerance), secret),
		"a future hour": headers(t, now.Add(WebhookTolerance), secret),
	} {
		e, err := VerifyWebhook(h, []byte(body), now, "whsec_", secret)
		if err != nil || e.EventId.String() != eventID || e.Status == nil || *e.Status != "COMPLETED" {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

func TestVerifyWebhook_RefusesOthers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	change := func(name, value string) http.Header {
		h := headers(t, now, secret)
		h.Set(name, value)
		return h
	}
	for name, tc := range map[string]struct {
		h       http.Header
		body    string
		secrets []string
	}{
		"another secret":    {headers(t, now, newSecret), body, []string{secret}},
		"no secret":         {headers(t, now, secret), body, nil},
		"an empty secret":   {headers(t, now, secret), body, []string{"whsec_"}},
		"another body":      {headers(t, now, secret), body + " ", []string{secret}},
		"another id":        {change("webhook-id", "x"), body, []string{secret}},
		"no id":             {change("webhook-id", ""), body, []string{secret}},
		"another time":      {change("webhook-timestamp", "1800000001"), body, []string{secret}},
		"no time":           {change("webhook-timestamp", ""), body, []string{secret}},
		"no signature":      {change("webhook-signature", ""), body, []string{secret}},
		"an empty one":      {change("webhook-signature", "v1,"), body, []string{secret}},
		"of another kind":   {change("webhook-signature", strings.Replace(headers(t, now, secret).Get("webhook-signature"), "v1,", "v2,", 1)), body, []string{secret}},
		"too old":           {headers(t, now.Add(-WebhookTolerance-time.Second), secret), body, []string{secret}},
		"too far in future": {headers(t, now.Add(WebhookTolerance+time.Second), secret), body, []string{secret}},
	} {
		if _, err := VerifyWebhook(tc.h, []byte(tc.body), now, tc.secrets...); !errors.Is(err, ErrWebhook) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The handler answers by what became of the event.
func TestWebhookHandler_AnswersByOutcome(t *testing.T) {
	fail := false
	handler := WebhookHandler(func(_ context.Context, e EventBody) error {
		if fail {
			return errors.New("the disk is full")
		}
		return nil
	}, secret)
	send := func(key string) int {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header = headers(t, time.Now(), key)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	if got := send(secret); got != http.StatusNoContent {
		t.Errorf("a signed one: %d", got)
	}
	if got := send(newSecret); got != http.StatusBadRequest {
		t.Errorf("one of another secret: %d", got)
	}
	fail = true
	if got := send(secret); got != http.StatusInternalServerError {
		t.Errorf("one that is not taken: %d", got)
	}
}
