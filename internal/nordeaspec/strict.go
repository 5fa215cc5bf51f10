package nordeaspec

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"samla/internal/specs/exchange"
)

// skipSignature is accepted by Nordea's sandbox in place of a signature
// (docs/reference/families.md 3.1).
const skipSignature = "SKIP_SIGNATURE_VALIDATION_FOR_SANDBOX"

// checkHeaders validates what the files say of headers only in words: the date, the
// host, the digest and what a signature covers (docs/reference/families.md 3.2, 3.3).
func checkHeaders(r *http.Request, route string, body []byte) error {
	h := r.Header
	if _, err := time.Parse(http.TimeFormat, h.Get("X-Nordea-Originating-Date")); err != nil {
		return errors.New("the date is not a full date of RFC 7231 in GMT")
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); h.Get("X-Nordea-Originating-Host") != host && (err != nil || h.Get("X-Nordea-Originating-Host") != name) {
		return errors.New("the originating host is not the host that is called")
	}
	if ip := h.Get("X-Nordea-Originating-User-Ip"); ip != "" && net.ParseIP(ip) == nil {
		return errors.New("the person's address is not an IP address")
	}
	if needsToken(route) && !bearerRE.MatchString(h.Get("Authorization")) {
		return errors.New("no bearer token")
	}
	if len(body) > 0 {
		if err := checkDigest(h, body); err != nil {
			return err
		}
	} else if h.Get("Digest") != "" {
		return errors.New("a request without a body has a Digest")
	}
	return checkSignature(h, len(body) > 0)
}

var bearerRE = regexp.MustCompile(`^Bearer [A-Za-z0-9._~+/=-]+$`)

// needsToken reports whether the operation reads data. The cards file declares the token
// as a security scheme only.
func needsToken(route string) bool {
	for _, part := range []string{"/accounts", "/cards", "/assets"} {
		if strings.HasPrefix(route[len("/v5"):], part) {
			return true
		}
	}
	return false
}

// checkDigest compares Digest with the body, or for a form with its members in
// alphabetical order.
func checkDigest(h http.Header, body []byte) error {
	if h.Get("Content-Type") == "application/x-www-form-urlencoded" {
		pairs := strings.Split(string(body), "&")
		slices.Sort(pairs)
		body = []byte(strings.Join(pairs, "&"))
	}
	label, value, _ := strings.Cut(h.Get("Digest"), "=")
	got, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return errors.New("the digest is not base64")
	}
	var want []byte
	switch strings.ToLower(label) {
	case "sha-256":
		sum := sha256.Sum256(body)
		want = sum[:]
	case "sha-512":
		sum := sha512.Sum512(body)
		want = sum[:]
	}
	if want == nil || !bytes.Equal(got, want) {
		return errors.New("the digest does not match the body")
	}
	return nil
}

var signatureRE = regexp.MustCompile(`^keyId="([^"]+)", ?algorithm="rsa-sha256", ?headers="([^"]+)", ?signature="([A-Za-z0-9+/]+={0,2})"$`)

func checkSignature(h http.Header, body bool) error {
	if h.Get("Signature") == skipSignature {
		return nil
	}
	m := signatureRE.FindStringSubmatch(h.Get("Signature"))
	if m == nil {
		return errors.New("the signature is malformed")
	}
	want := "(request-target) x-nordea-originating-host x-nordea-originating-date"
	if body {
		want += " content-type digest"
	}
	switch {
	case m[1] != h.Get("X-IBM-Client-Id"):
		return errors.New("the keyId of Signature is not the client id")
	case m[2] != want:
		return errors.New("the signature does not cover the required headers in their order")
	}
	return nil
}

// object is a JSON object with numbers as they are written.
type object = map[string]any

// checkAnswer validates what the files say of answers only in words.
func checkAnswer(route, path string, status int, header http.Header, body []byte) error {
	if status == http.StatusFound {
		u, err := url.Parse(header.Get("Location"))
		if err != nil || u.Scheme == "" || u.Host == "" {
			return errors.New("the location is not an absolute URL")
		}
		return nil
	}
	if len(body) == 0 {
		if status < 300 && strings.HasSuffix(route, "/revoke") {
			return nil
		}
		return errors.New("the answer has no body")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var answer object
	if err := dec.Decode(&answer); err != nil {
		return fmt.Errorf("not a JSON object: %w", err)
	}
	if status >= 400 {
		return checkError(path, status, answer)
	}
	if needsToken(route) {
		if err := checkEnvelope(status, answer); err != nil {
			return err
		}
	}
	return walk("", answer)
}

func checkEnvelope(status int, answer object) error {
	group, _ := answer["group_header"].(object)
	if code, _ := group["http_code"].(json.Number); code.String() != fmt.Sprint(status) {
		return errors.New("group_header.http_code is not the status")
	}
	created, _ := group["creation_date_time"].(string)
	if _, err := time.Parse(time.RFC3339, created); err != nil {
		return errors.New("group_header.creation_date_time is not a date-time")
	}
	if id, _ := group["message_identification"].(string); id == "" {
		return errors.New("group_header.message_identification is missing")
	}
	return nil
}

// checkError validates the envelope of docs/reference/families.md 3.8. The two answers of
// another form are the choice of an agreement and the refusal of the gateway.
func checkError(path string, status int, answer object) error {
	if _, ok := answer["agreements"]; ok && status == http.StatusConflict {
		return nil
	}
	if code, ok := answer["httpCode"].(string); ok && code == fmt.Sprint(status) {
		return nil
	}
	if err := checkEnvelope(status, answer); err != nil {
		return err
	}
	e, _ := answer["error"].(object)
	request, _ := e["request"].(object)
	if at, _ := request["url"].(string); at != path {
		return errors.New("error.request.url is not the path of the request")
	}
	failures, _ := e["failures"].([]any)
	for _, item := range failures {
		f, _ := item.(object)
		code, _ := f["code"].(string)
		if text, _ := f["description"].(string); !strings.HasPrefix(code, "error.") || text == "" {
			return errors.New("a failure has no code or no description")
		}
	}
	if len(failures) == 0 {
		return errors.New("an error without failures")
	}
	return nil
}

var (
	currencyRE = regexp.MustCompile(`^[A-Z]{3}$`)
	numberRE   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

var strict = map[string]func(string) bool{
	"currency":                        currencyRE.MatchString,
	"original_currency":               currencyRE.MatchString,
	"booking_date":                    isDate,
	"value_date":                      isDate,
	"transaction_date":                isDate,
	"payment_date":                    isDate,
	"latest_transaction_booking_date": isDate,
	"iban":                            exchange.ValidIBAN,
}

// walk validates the form of currencies, dates, numbers and account numbers. The error
// repeats no value.
func walk(at string, v any) error {
	switch v := v.(type) {
	case json.Number:
		if !numberRE.MatchString(v.String()) {
			return fmt.Errorf("%s has an exponent", at)
		}
	case []any:
		for i, item := range v {
			if err := walk(fmt.Sprintf("%s/%d", at, i), item); err != nil {
				return err
			}
		}
	case object:
		if v["_type"] == "IBAN" {
			if value, _ := v["value"].(string); !exchange.ValidIBAN(value) {
				return fmt.Errorf("%s/value is no IBAN", at)
			}
		}
		for key, item := range v {
			if check, ok := strict[key]; ok {
				if s, isString := item.(string); !isString || !check(s) {
					return fmt.Errorf("%s/%s is malformed", at, key)
				}
			}
			if err := walk(at+"/"+key, item); err != nil {
				return err
			}
		}
	}
	return nil
}
