package samla

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WebhookTolerance is how far a webhook's time may be from the receiver's clock.
const WebhookTolerance = 5 * time.Minute

// maxWebhook is the size of a body that is read, in bytes; Samla's are much smaller.
const maxWebhook = 64 << 10

// ErrWebhook is that of a request that is no webhook of the endpoint.
var ErrWebhook = errors.New("the webhook is not signed with the endpoint's secret, or is too old")

// VerifyWebhook checks the signature (Standard Webhooks) of a webhook and returns its event.
// body is the request's, byte by byte; secrets are those of the endpoint, two while it is
// rotated. The event's EventId is the key against duplicates: a webhook may come twice.
func VerifyWebhook(h http.Header, body []byte, now time.Time, secrets ...string) (EventBody, error) {
	id, at := h.Get("webhook-id"), h.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" || now.Sub(time.Unix(seconds, 0)).Abs() > WebhookTolerance {
		return EventBody{}, ErrWebhook
	}
	if !signed(h.Get("webhook-signature"), id+"."+at+"."+string(body), secrets) {
		return EventBody{}, ErrWebhook
	}
	var e EventBody
	return e, json.Unmarshal(body, &e)
}

// signed reports whether one of the signatures is that of one of the secrets.
func signed(signatures, text string, secrets []string) bool {
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(key) == 0 {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		want := mac.Sum(nil)
		for _, s := range strings.Fields(signatures) {
			got, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "v1,"))
			if err == nil && strings.HasPrefix(s, "v1,") && hmac.Equal(got, want) {
				return true
			}
		}
	}
	return false
}

// WebhookHandler receives webhooks: it answers 400 to what VerifyWebhook refuses, 2xx to
// what handle takes, and 500 to what it does not, which is then sent again. handle has ten
// seconds: keep the event, and do the work afterwards.
func WebhookHandler(handle func(context.Context, EventBody) error, secrets ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		e, err := VerifyWebhook(r.Header, body, time.Now(), secrets...)
		if err != nil {
			http.Error(w, ErrWebhook.Error(), http.StatusBadRequest)
			return
		}
		if err := handle(r.Context(), e); err != nil {
			http.Error(w, "the event was not taken", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
