package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v20250101 "samla/internal/api/v20250101"
	v20260401 "samla/internal/api/v20260401"
	"samla/internal/fault"
	"samla/internal/wire"
)

// withMembers returns a copy of an object with these members set; a nil value removes the
// member.
// productID has the form of the accountId of a product.
const productID = "acc-coxvxvdoavvgvzyazhlg5pasw4"

func withMembers(p object, members object) object {
	out := object{}
	for _, from := range []object{p, members} {
		for name, value := range from {
			out[name] = value
		}
	}
	for name, value := range out {
		if value == nil {
			delete(out, name)
		}
	}
	return out
}

// invalidBody is a body and the errors that it must cause, as "pointer CODE".
type invalidBody struct {
	name string
	body any
	want []string
}

// invalidConsentBodies are invalid both for a consent and for a one-time collection.
func invalidConsentBodies() []invalidBody {
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	return []invalidBody{
		{"nothing", object{}, []string{"/company REQUIRED"}},
		{"not an object", `[]`, []string{" INVALID"}},
		{"a text", `"x"`, []string{" INVALID"}},
		{"company of a wrong type", withMembers(requestBody(demoBank, otherDevice, scopeParameter()), object{"company": 7}), []string{"/company INVALID"}},
		{"no such company", requestBody("se-nowhere", otherDevice, scopeParameter()), []string{"/company INVALID"}},
		{"company in other letters", requestBody("SE-demo-psd2", otherDevice, scopeParameter()), []string{"/company INVALID"}},
		{"method not offered", requestBody(demoBank, "EMAIL", scopeParameter()), []string{"/loginMethod NOT_SUPPORTED"}},
		{"no such method", requestBody(autostartBank, otherDevice, scopeParameter(), bankIDParameter(maja)), []string{"/loginMethod NOT_SUPPORTED"}},
		{"bank needs the person", requestBody(autostartBank, sameDevice, scopeParameter()), []string{"/parameters REQUIRED"}},
		{"parameters not an array", object{"company": demoBank, "loginMethod": otherDevice, "parameters": object{}}, []string{"/parameters INVALID"}},
		{"parameter not an object", rawRequestBody(demoBank, otherDevice, `"x"`), []string{"/parameters/0 INVALID", "/parameters REQUIRED"}},
		{"parameter without type", requestBody(demoBank, otherDevice, object{"psuIpAddress": address}), []string{"/parameters/0/type REQUIRED"}},
		{"unknown type", requestBody(demoBank, otherDevice, object{"type": "psd2_ais_consent"}), []string{"/parameters/0/type UNKNOWN_TYPE"}},
		{"type of a wrong type", requestBody(demoBank, otherDevice, object{"type": 1}), []string{"/parameters/0/type INVALID"}},
		{"type twice", requestBody(demoBank, otherDevice, scopeParameter(), scopeParameter()), []string{"/parameters/1 NOT_ALLOWED"}},
		{"no address", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"psuIpAddress": nil})), []string{"/parameters/0/psuIpAddress REQUIRED"}},
		{"no such address", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"psuIpAddress": "192.0.2.256"})), []string{"/parameters/0/psuIpAddress INVALID"}},
		{"address with a zone", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"psuIpAddress": "fe80::1%eth0"})), []string{"/parameters/0/psuIpAddress INVALID"}},
		{"address with a port", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"psuIpAddress": "192.0.2.7:80"})), []string{"/parameters/0/psuIpAddress INVALID"}},
		{"nothing to read", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"balances": false, "transactions": false})), []string{"/parameters/0/transactions INVALID"}},
		{"no boolean", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"balances": "true"})), []string{"/parameters/0/balances INVALID"}},
		{"locale", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"psuLocale": "swedish"})), []string{"/parameters/0/psuLocale INVALID"}},
		{"yesterday", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"validUntil": yesterday})), []string{"/parameters/0/validUntil INVALID"}},
		{"no such day", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"validUntil": "2999-02-29"})), []string{"/parameters/0/validUntil INVALID"}},
		{"no day", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"validUntil": "2999-1-1"})), []string{"/parameters/0/validUntil INVALID"}},
		{"a moment", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"validUntil": "2999-01-01T00:00:00Z"})), []string{"/parameters/0/validUntil INVALID"}},
		{"accounts", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"accountIds": []any{"SE1", "", 7}})), []string{"/parameters/0/accountIds/1 INVALID", "/parameters/0/accountIds/2 INVALID"}},
		{"accounts with control characters", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"accountIds": []any{"SE\x00"}})), []string{"/parameters/0/accountIds INVALID"}},
		{"an account by the id of a product", requestBody(demoBank, otherDevice, withMembers(scopeParameter(), object{"accountIds": []any{productID}})), []string{"/parameters/0/accountIds INVALID"}},
		{"no number", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "SWEDISH_BANKID"}), []string{"/parameters/1/personalNumber REQUIRED"}},
		{"number with a hyphen", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter("19900101-1234")), []string{"/parameters/1/personalNumber INVALID"}},
		{"number with a wrong check digit", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter("199001011234")), []string{"/parameters/1/personalNumber INVALID"}},
		{"number of no day", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter("199002301230")), []string{"/parameters/1/personalNumber INVALID"}},
		{"everything at once", requestBody("se-nowhere", otherDevice, withMembers(scopeParameter(), object{"psuIpAddress": "here", "validUntil": yesterday, "psuLocale": "s"}), bankIDParameter("199001011234")),
			[]string{"/company INVALID", "/parameters/0/psuIpAddress INVALID", "/parameters/0/psuLocale INVALID", "/parameters/0/validUntil INVALID", "/parameters/1/personalNumber INVALID"}},
		{"with rules of the bank", requestBody(autostartBank, otherDevice, withMembers(scopeParameter(), object{"validUntil": yesterday})),
			[]string{"/loginMethod NOT_SUPPORTED", "/parameters REQUIRED", "/parameters/0/validUntil INVALID"}},
	}
}

// rawRequestBody is like requestBody, with a parameter of raw JSON.
func rawRequestBody(company, method, parameter string) string {
	return fmt.Sprintf(`{"company":%q,"loginMethod":%q,"parameters":[%s]}`, company, method, parameter)
}

func TestBody_ErrorsHavePointerAndCode(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		w.registerSecrets()
		user, session := w.acme.person(t)
		forConsents := []invalidBody{
			{"no parameters", object{"company": demoBank}, []string{"/parameters REQUIRED"}},
			{"empty parameters", requestBody(demoBank, ""), []string{"/parameters REQUIRED"}},
			{"number without method", requestBody(demoBank, "", scopeParameter(), bankIDParameter(maja)), []string{"/loginMethod REQUIRED"}},
			{"number of ten digits", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(maja[2:])), []string{"/parameters/1/personalNumber INVALID"}},
			{"parameter of collections", requestBody(demoBank, otherDevice, scopeParameter(), storedConsent(unknownID)), []string{"/parameters/1/type UNKNOWN_TYPE"}},
		}
		forCollections := []invalidBody{
			{"no method", requestBody(demoBank, "", scopeParameter()), []string{"/loginMethod REQUIRED"}},
			{"nothing to go by", requestBody(demoBank, otherDevice), []string{"/parameters REQUIRED"}},
			{"null", object{"company": demoBank, "loginMethod": otherDevice, "parameters": nil}, []string{"/parameters REQUIRED"}},
			{"both modes", requestBody(demoBank, otherDevice, scopeParameter(), storedConsent(unknownID)), []string{"/parameters/0 NOT_ALLOWED"}},
			{"no consent", requestBody(demoBank, "", object{"type": "STORED_CONSENT"}), []string{"/parameters/0/consentId REQUIRED"}},
			{"address", requestBody(demoBank, "", withMembers(storedConsent(unknownID), object{"psuIpAddress": "x"})), []string{"/parameters/0/psuIpAddress INVALID"}},
			{"header in the User-Agent", requestBody(demoBank, "", withMembers(attendedConsent(unknownID), object{"psuUserAgent": "a\r\nb: c"})), []string{"/parameters/0/psuUserAgent INVALID"}},
			{"e-mail", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "EMAIL", "email": "a@example.com"}), []string{"/parameters/1/type NOT_SUPPORTED"}},
			{"no e-mail", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "EMAIL", "email": "x"}), []string{"/parameters/1/email INVALID", "/parameters/1/type NOT_SUPPORTED"}},
			{"MitID", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "DANISH_MITID", "userId": "a"}), []string{"/parameters/1/type NOT_SUPPORTED"}},
			{"methods differ", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "LOGIN_METHOD", "loginMethod": sameDevice}), []string{"/parameters/1/loginMethod NOT_ALLOWED"}},
			{"method of the parameter", requestBody(demoBank, "", scopeParameter(), object{"type": "LOGIN_METHOD", "loginMethod": "EMAIL"}), []string{"/parameters/1/loginMethod NOT_SUPPORTED"}},
			{"unknown company with what another may accept", requestBody("se-nowhere", "EMAIL", object{"type": "EMAIL", "email": "a@example.com"}), []string{"/company INVALID"}},
			{"unknown company with a person", requestBody("se-nowhere", otherDevice, bankIDParameter(maja)), []string{"/company INVALID"}},
			{"filter", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "FILTER"}), []string{"/parameters/1/accountIds REQUIRED"}},
			{"filter twice", requestBody(demoBank, otherDevice, scopeParameter(), object{"type": "FILTER", "accountIds": []string{"a"}}, object{"type": "FILTER", "accountIds": []string{"a"}}),
				[]string{"/parameters/2 NOT_ALLOWED"}},
			{"method not offered with a stored consent", requestBody(demoBank, "EMAIL", storedConsent(unknownID)), []string{"/loginMethod NOT_SUPPORTED"}},
		}
		for path, cases := range map[string][]invalidBody{"/consents": append(invalidConsentBodies(), forConsents...), "/collections": append(invalidConsentBodies(), forCollections...)} {
			for _, c := range cases {
				p := session.Do(t, http.MethodPost, path, c.body).WantProblem(t, fault.InvalidParameter)
				var got []string
				for _, e := range p.Errors {
					got = append(got, e.Pointer+" "+string(e.Code))
				}
				for _, want := range c.want {
					if !slices.Contains(got, want) {
						t.Errorf("%s, %s: %q does not contain %q", path, c.name, got, want)
					}
				}
				// In two cases one error causes others, which may be reported too.
				if len(got) > len(c.want) && c.name != "nothing" && c.name != "parameters not an array" {
					t.Errorf("%s, %s: %q, want %q", path, c.name, got, c.want)
				}
			}
		}
		// The invalid requests created nothing.
		for _, path := range []string{"/consents", "/collections"} {
			if a := session.get(t, path, nil); string(a.Body) != "[]" {
				t.Errorf("%s: %s", path, a.Body)
			}
		}
		// Unusual but valid requests.
		session.post(t, "/consents", `{"company":"`+demoBank+`","loginMethod":null,"COMPANY":"x","extra":{"a":[1]},"parameters":[{"type":"PSD2_AIS_CONSENT",
			"psuIpAddress":"2001:db8::7","psuLocale":null,"accountIds":null,"validUntil":"`+time.Now().UTC().Format(time.DateOnly)+`"}]}`, nil)
		session.post(t, "/collections", requestBody(demoBank, otherDevice, scopeParameter(), bankIDParameter(maja), object{"type": "LOGIN_METHOD", "loginMethod": otherDevice},
			object{"type": "FILTER", "accountIds": []string{"a", productID}}), nil)
		w.acme.get(t, "/users/"+user.UserUUID, nil)
	})
}

func TestTransport_ValidatesBodyMediaTypeAndVersion(t *testing.T) {
	onStores(t, func(t *testing.T, w *env) {
		_, session := w.acme.person(t)
		users, consents, collections := w.acme, session, session
		for path, c := range map[string]client{"/users": users, "/consents": consents, "/collections": collections} {
			for body, detail := range map[string]string{
				``: "", `{`: "", `{"externalId":"a"`: "", `{"a":1}x`: "7", `{"a":1,"a":2}`: "", `{"a":{"b":1,"b":1}}`: "", `{'a':1}`: "1",
				`{"a":01}`: "", "{\"a\":\"\x01\"}": "", `{"a":NaN}`: "", "\ufeff{}": "", "{\"a\":\"\xff\"}": "",
			} {
				if p := c.Do(t, "POST", path, body).WantProblem(t, fault.MalformedJSON); !strings.Contains(p.Details, detail) || p.Details == "" {
					t.Errorf("%q: details %q", body, p.Details)
				}
			}
			for _, media := range []string{"text/plain", "application/xml", "application/jsonx", "application/x-www-form-urlencoded", "json"} {
				c.with("Content-Type", media).Do(t, "POST", path, "{}").WantProblem(t, fault.UnsupportedMediaType)
			}
			for _, media := range []string{"application/json; charset=utf-8", "Application/JSON"} {
				c.with("Content-Type", media).Do(t, "POST", path, "{}").WantProblem(t, fault.InvalidParameter)
			}
			c.Do(t, "POST", path, `{"a":"`+strings.Repeat("x", 64<<10)+`"}`).WantProblem(t, fault.BodyTooLarge)
			c.Do(t, "POST", path, `{"a":"`+strings.Repeat("x", 64<<10-8)+`"}`).WantProblem(t, fault.InvalidParameter)
		}
		w.operations(func(op wire.Operation, path string) {
			c := session
			if op.Credential == wire.APIKey {
				c = w.acme
			}
			got := c.with("Insurely-Version", "2024-01-01").Do(t, op.Method, path, nil)
			if op.Versioned {
				if p := got.WantProblem(t, fault.UnsupportedVersion); !slices.Equal(p.SupportedVersions, []string{v20250101.Version, v20260401.Version}) {
					t.Errorf("%s: supported %v", op.Route(), p.SupportedVersions)
				}
			}
			want := v20260401.Version
			if op.ID == "getWealthCollectionStatus" || op.ID == "getCompanyAvailability" {
				want = v20250101.Version // the lowest that has the route
			}
			missing := c.with("Insurely-Version", "").with("X-Request-Id", "my.id-1_").Do(t, op.Method, path, nil)
			if op.Versioned && (missing.Header.Get("Insurely-Version") != want || missing.Status == 500) {
				t.Errorf("%s: without a version %d %v", op.Route(), missing.Status, missing.Header)
			}
			if missing.Header.Get("X-Request-Id") != "my.id-1_" || missing.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", op.Route(), missing.Header)
			}
			if op.Credential != wire.None && missing.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: may be cached: %v", op.Route(), missing.Header)
			}
		})
		// The body of a request that needs none is ignored.
		session.with("Content-Type", "text/plain").Do(t, "GET", "/consents", "{").WantStatus(t, http.StatusOK, nil)
		w.acme.Do(t, "DELETE", "/users/"+unknownID, "{").WantProblem(t, fault.UserNotFound)
	})
}
