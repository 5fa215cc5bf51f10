package bgspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/routers"

	"samla/internal/specs/exchange"
)

// Trap 2: the definition's patterns are not anchored. These are.
var (
	amountRE   = regexp.MustCompile(`^-?[0-9]{1,14}(\.[0-9]{1,3})?$`)
	currencyRE = regexp.MustCompile(`^[A-Z]{3}$`)
)

// checkValues walks a JSON body and validates the form of every amount, currency
// and IBAN in it, and the check digits of IBANs. The error repeats no value.
func checkValues(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
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
		for key, item := range v {
			at := path + "/" + key
			if check, ok := strict[key]; ok {
				s, isString := item.(string)
				if !isString || !check(s) {
					return fmt.Errorf("%s is malformed", at)
				}
			}
			if err := walk(at, item); err != nil {
				return err
			}
		}
	}
	return nil
}

var (
	uuidRE = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	geoRE  = regexp.MustCompile(`^GEO:-?[0-9]{1,2}\.[0-9]{6};-?[0-9]{1,3}\.[0-9]{6}$`)
)

// checkHeaders validates the headers whose formats the definition names but
// kin-openapi does not know (docs/reference/banks.md 2). It accepts IPv6
// addresses.
func checkHeaders(h http.Header) error {
	if !uuidRE.MatchString(h.Get("X-Request-ID")) {
		return errors.New("X-Request-ID is not a UUID")
	}
	for name, ok := range map[string]func(string) bool{
		"PSU-IP-Address":   func(s string) bool { return net.ParseIP(s) != nil },
		"PSU-Device-ID":    uuidRE.MatchString,
		"PSU-Geo-Location": geoRE.MatchString,
	} {
		if v := h.Get(name); v != "" && !ok(v) {
			return fmt.Errorf("%s is malformed", name)
		}
	}
	if (h.Get("Digest") == "") != (h.Get("Signature") == "") {
		return errors.New("one of the headers Digest and Signature is missing")
	}
	return nil
}

var strict = map[string]func(string) bool{
	"amount":         amountRE.MatchString,
	"currency":       currencyRE.MatchString,
	"sourceCurrency": currencyRE.MatchString,
	"targetCurrency": currencyRE.MatchString,
	"unitCurrency":   currencyRE.MatchString,
	"iban":           exchange.ValidIBAN,
}

var errAuthorisationBody = errors.New("body is not one of the documented authorisation bodies")

// checkAuthorisationBody accepts only the documented bodies. The definition
// accepts any body, because one of its alternatives is {} (trap 1). The confirmation of an
// authorisation by OAuth 2.0 has none, but a token (docs/reference/families.md 2.4).
func checkAuthorisationBody(route *routers.Route, r *http.Request, body []byte) error {
	method := r.Method
	if method == http.MethodPut && len(body) == 0 && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		return nil
	}
	if !strings.Contains(route.Path, "/authorisations") || (method != http.MethodPost && method != http.MethodPut) {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return fmt.Errorf("%w: %w", errAuthorisationBody, err)
	}
	allowed := map[string]byte{"psuData": '{', "authenticationMethodId": '"', "scaAuthenticationData": '"'}
	if method == http.MethodPut {
		allowed["confirmationCode"] = '"'
	}
	if len(members) > 1 {
		return errAuthorisationBody
	}
	for name, value := range members {
		if first, ok := allowed[name]; !ok || bytes.TrimSpace(value)[0] != first {
			return errAuthorisationBody
		}
	}
	return nil
}
