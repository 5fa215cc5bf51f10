package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a delivery (docs/reference/api.md 7.2).
const (
	HeaderEventID   = "X-Insurely-Event-Id"
	HeaderSignature = "X-Insurely-Signature"
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSigned    = "webhook-signature"
)

// Tolerance is how far the timestamp of a delivery may be from a verifier's clock.
const Tolerance = 5 * time.Minute

// Sign sets the headers of one attempt. X-Insurely-Signature has the signature of the
// oldest valid secret, webhook-signature those of all, the newest first.
func Sign(h http.Header, secrets []Secret, eventID string, at time.Time, body []byte) error {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signed := make([]string, 0, len(secrets))
	for i := range secrets {
		key, err := secrets[len(secrets)-1-i].key()
		if err != nil {
			return err
		}
		signed = append(signed, "v1,"+base64.StdEncoding.EncodeToString(standard(key, eventID, stamp, body)))
	}
	if len(signed) == 0 {
		return errSecret
	}
	h[http.CanonicalHeaderKey(HeaderEventID)] = []string{eventID}
	h[http.CanonicalHeaderKey(HeaderSignature)] = []string{hex.EncodeToString(mac([]byte(secrets[0]), body))}
	// Not in canonical form: Standard Webhooks writes them in lower case.
	h[HeaderID], h[HeaderTimestamp], h[HeaderSigned] = []string{eventID}, []string{stamp}, []string{strings.Join(signed, " ")}
	return nil
}

func mac(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

func standard(key []byte, id, stamp string, body []byte) []byte {
	return mac(key, []byte(id), []byte("."), []byte(stamp), []byte("."), body)
}

// Errors of Verify.
var (
	ErrSignature = errors.New("webhook: X-Insurely-Signature does not match")
	ErrStandard  = errors.New("webhook: webhook-signature does not match")
	ErrTimestamp = errors.New("webhook: webhook-timestamp is missing, not a number or too far from now")
	ErrEventID   = errors.New("webhook: webhook-id and X-Insurely-Event-Id differ or are missing")
)

// Verify checks both signatures of a delivery, as a receiver with one secret does.
func Verify(h http.Header, s Secret, now time.Time, body []byte) error {
	key, err := s.key()
	if err != nil {
		return err
	}
	id, stamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	if id == "" || id != h.Get(HeaderEventID) {
		return ErrEventID
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > Tolerance {
		return ErrTimestamp
	}
	given, err := hex.DecodeString(h.Get(HeaderSignature))
	if err != nil || !hmac.Equal(given, mac([]byte(s), body)) {
		return ErrSignature
	}
	want := []byte("v1," + base64.StdEncoding.EncodeToString(standard(key, id, stamp, body)))
	for one := range strings.FieldsSeq(h.Get(HeaderSigned)) {
		if subtle.ConstantTimeCompare([]byte(one), want) == 1 {
			return nil
		}
	}
	return ErrStandard
}
