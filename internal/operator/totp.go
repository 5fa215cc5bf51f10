package operator

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238; what apps for codes know
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	// TOTPPeriod is for how long a code is shown.
	TOTPPeriod = 30 * time.Second
	// TOTPDigits is how many digits it has.
	TOTPDigits = 6
	// TOTPKey is how many bytes its key has: those of the hash (RFC 4226 4, R6).
	TOTPKey = sha1.Size
)

// Step returns the number of the code at a time (RFC 6238 4.2).
func Step(at time.Time) int64 { return at.Unix() / int64(TOTPPeriod/time.Second) }

// Code returns the code of a step: HOTP with SHA-1 (RFC 4226 5.3).
func Code(key []byte, step int64, digits int) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) //nolint:gosec // steps are not negative
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	value := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	modulus := uint32(1)
	for range digits {
		modulus *= 10
	}
	return fmt.Sprintf("%0*d", digits, value%modulus)
}

// CheckCode returns the step of a code that is right now, one step ago, or in one step, and
// later than the last that was used: a code works once (RFC 6238 5.2). ok is false for any
// other. It takes the same time whether there is a key or not.
func CheckCode(key []byte, code string, last int64, now time.Time) (step int64, ok bool) {
	for at := Step(now) - 1; at <= Step(now)+1; at++ {
		same := subtle.ConstantTimeCompare([]byte(Code(key, at, TOTPDigits)), []byte(code)) == 1
		if same && at > last && len(key) > 0 {
			step, ok = at, true
		}
	}
	return step, ok
}

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// KeyText returns a key as apps for codes take it.
func KeyText(key []byte) string { return base32Text.EncodeToString(key) }

// KeyOf reads what KeyText has written.
func KeyOf(text string) ([]byte, error) { return base32Text.DecodeString(text) }

// KeyURI returns the address that apps for codes read from a QR code
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
func KeyURI(key []byte, issuer, account string) string {
	v := url.Values{"secret": {KeyText(key)}, "issuer": {issuer}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + strings.ReplaceAll(v.Encode(), "+", "%20") // some apps show a plus
}
