package obiespec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"samla/internal/specs/exchange"
)

var (
	uuidRE   = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	bearerRE = regexp.MustCompile(`^Bearer [A-Za-z0-9._~+/-]+=*$`)
)

const interactionID = "x-fapi-interaction-id"

// checkHeaders validates what the definition leaves to prose
// (docs/reference/families.md 4.3).
func checkHeaders(h http.Header) error {
	if !bearerRE.MatchString(h.Get("Authorization")) {
		return errors.New("the header Authorization is not a bearer token")
	}
	if id := h.Get(interactionID); id != "" && !uuidRE.MatchString(id) {
		return errors.New("x-fapi-interaction-id is not a UUID")
	}
	if ip := h.Get("x-fapi-customer-ip-address"); ip != "" && net.ParseIP(ip) == nil {
		return errors.New("x-fapi-customer-ip-address is not an IP address")
	}
	if a := h.Get("Accept"); a != "" && !strings.Contains(a, "application/json") {
		return errors.New("the header Accept does not name application/json")
	}
	return nil
}

// checkInteraction holds an answer to the interaction id of its request.
func checkInteraction(request, answer http.Header) error {
	sent, got := request.Get(interactionID), answer.Get(interactionID)
	if sent != "" && got != sent {
		return errors.New("x-fapi-interaction-id is not played back")
	}
	if got != "" && !uuidRE.MatchString(got) {
		return errors.New("x-fapi-interaction-id is not a UUID")
	}
	return nil
}

// checkQuery takes a time with and without a time zone: the definition demands one and
// the text of the standard forbids it (docs/reference/families.md 4.5).
func checkQuery(q url.Values) error {
	for name, values := range q {
		if !strings.HasSuffix(name, "DateTime") {
			continue
		}
		for _, v := range values {
			_, zoned := time.Parse(time.RFC3339, v)
			if _, bare := time.Parse("2006-01-02T15:04:05", v); zoned != nil && bare != nil {
				return fmt.Errorf("%s is not a time", name)
			}
		}
	}
	return nil
}

// checkValues walks a JSON body and validates what the definition leaves open: a
// date-time has a time zone, a link is an absolute address, and an IBAN has correct
// check digits. The error repeats no value.
func checkValues(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return walk("", v)
}

func walk(path string, v any) error {
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			if err := walk(fmt.Sprintf("%s/%d", path, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		if v["SchemeName"] == "UK.OBIE.IBAN" {
			if s, ok := v["Identification"].(string); !ok || !exchange.ValidIBAN(s) {
				return fmt.Errorf("%s/Identification is not an IBAN", path)
			}
		}
		for key, item := range v {
			if s, ok := item.(string); ok && !validText(path, key, s) {
				return fmt.Errorf("%s/%s is malformed", path, key)
			}
			if err := walk(path+"/"+key, item); err != nil {
				return err
			}
		}
	}
	return nil
}

func validText(path, key, s string) bool {
	switch {
	case path == "/Links":
		u, err := url.Parse(s)
		return err == nil && u.IsAbs() && u.Host != ""
	case strings.HasSuffix(key, "DateTime"), key == "OpeningDate", key == "MaturityDate":
		_, err := time.Parse(time.RFC3339, s)
		return err == nil
	}
	return true
}
