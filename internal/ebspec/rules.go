package ebspec

import (
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

// requestRules are the rules of docs/reference/families.md 11.1 that no schema states.
// Errors repeat no value.
func requestRules(r *http.Request, route string, body []byte) error {
	if err := checkToken(r.Header.Get("Authorization")); err != nil {
		return err
	}
	if ip := r.Header.Get("Psu-Ip-Address"); ip != "" && net.ParseIP(ip) == nil {
		return errors.New("Psu-Ip-Address is no address")
	}
	if err := checkQuery(r.URL.Query()); err != nil {
		return err
	}
	if len(body) == 0 || route != "/auth" {
		return nil
	}
	var auth struct {
		Method      string          `json:"auth_method"`
		Credentials json.RawMessage `json:"credentials"`
	}
	if err := json.Unmarshal(body, &auth); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	if auth.Credentials != nil && auth.Method == "" {
		return errors.New("credentials without auth_method")
	}
	return checkAccounts(body)
}

var uuidRE = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// checkToken validates the form of the application's JWT: its signature needs the key.
func checkToken(authorization string) error {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 || parts[2] == "" {
		return errors.New("no signed JWT in Authorization")
	}
	var header struct{ Typ, Alg, Kid string }
	var claims struct {
		Iss, Aud string
		Iat, Exp *int64
	}
	for i, into := range []any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return errors.New("the JWT is not base64url")
		}
		if err := json.Unmarshal(text, into); err != nil {
			return errors.New("the JWT is not JSON")
		}
	}
	switch {
	case header.Typ != "JWT" || header.Alg != "RS256":
		return errors.New("the JWT's typ or alg is wrong")
	case !uuidRE.MatchString(header.Kid):
		return errors.New("the JWT's kid is no application id")
	case claims.Iss != "enablebanking.com" || claims.Aud != "api.enablebanking.com":
		return errors.New("the JWT's iss or aud is wrong")
	case claims.Iat == nil || claims.Exp == nil:
		return errors.New("the JWT lacks iat or exp")
	case *claims.Exp <= *claims.Iat || *claims.Exp-*claims.Iat > 86400:
		return errors.New("the JWT's exp is not within 24 hours of iat")
	}
	return nil
}

func checkQuery(q url.Values) error {
	for name, values := range q {
		known := []string{"country", "psu_type", "service", "payment_type", "date_from", "date_to", "continuation_key", "transaction_status", "strategy"}
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown parameter %q", name)
		}
		if len(values) != 1 {
			return fmt.Errorf("%s is given %d times", name, len(values))
		}
	}
	from, to := q.Get("date_from"), q.Get("date_to")
	if to != "" && from == "" {
		return errors.New("date_to without date_from")
	}
	for _, day := range []string{from, to} {
		if day == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return errors.New("a date is no day")
		}
	}
	if to != "" && from > to {
		return errors.New("date_from after date_to")
	}
	return nil
}

// responseRules are those of answers.
func responseRules(status int, body []byte) error {
	if status >= 400 {
		var e struct{ Code *int }
		if json.Unmarshal(body, &e) == nil && e.Code != nil && *e.Code != status {
			return errors.New("code is not the HTTP status")
		}
		return nil
	}
	return checkAccounts(body)
}

// checkAccounts walks a body: the hashes of an account contain its primary one, the
// lists of a session name the same accounts, IBANs have correct check digits, a page
// key is not empty.
func checkAccounts(body []byte) error {
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
		if err := checkObject(v); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for name, item := range v {
			if err := walk(path+"/"+name, item); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkObject(o map[string]any) error {
	if hash, ok := o["identification_hash"]; ok {
		if all, _ := o["identification_hashes"].([]any); !slices.Contains(all, hash) {
			return errors.New("identification_hashes lacks identification_hash")
		}
	}
	if iban, ok := o["iban"].(string); ok && !exchange.ValidIBAN(iban) {
		return errors.New("iban is malformed")
	}
	data, ok := o["accounts_data"].([]any)
	if !ok {
		return nil
	}
	uids, _ := o["accounts"].([]any)
	if len(uids) != len(data) {
		return errors.New("accounts and accounts_data differ")
	}
	for _, item := range data {
		if one, _ := item.(map[string]any); !slices.Contains(uids, one["uid"]) {
			return errors.New("accounts and accounts_data differ")
		}
	}
	return nil
}
