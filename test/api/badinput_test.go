package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/fault"
	"samla/internal/wire"
)

// change returns a copy of a parameter with members set; nil takes one away.
func change(p object, members object) object {
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

// badCase is a body and every rule that it breaks, as "pointer CODE".
type badCase struct {
	name string
	body any
	want []string
}

// common are the cases of a body with a PSD2_AIS_CONSENT, which consents and
// one-time collections share.
func common() []badCase {
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	return []badCase{
		{"nothing", object{}, []string{"/company REQUIRED"}},
		{"no object", `[]`, []string{" INVALID"}},
		{"a text", `"x"`, []string{" INVALID"}},
		{"company of a wrong type", change(ask(demo, other, scope()), object{"company": 7}), []string{"/company INVALID"}},
		{"no such company", ask("se-nowhere", other, scope()), []string{"/company INVALID"}},
		{"company in other letters", ask("SE-demo-psd2", other, scope()), []string{"/company INVALID"}},
		{"method not offered", ask(demo, "EMAIL", scope()), []string{"/loginMethod NOT_SUPPORTED"}},
		{"no such method", ask(needsNumber, other, scope(), number(maja)), []string{"/loginMethod NOT_SUPPORTED"}},
		{"bank needs the person", ask(needsNumber, same, scope()), []string{"/parameters REQUIRED"}},
		{"parameters are no array", object{"company": demo, "loginMethod": other, "parameters": object{}}, []string{"/parameters INVALID"}},
		{"parameter is no object", ask2(demo, other, `"x"`), []string{"/parameters/0 INVALID", "/parameters REQUIRED"}},
		{"parameter without type", ask(demo, other, object{"psuIpAddress": address}), []string{"/parameters/0/type REQUIRED"}},
		{"unknown type", ask(demo, other, object{"type": "psd2_ais_consent"}), []string{"/parameters/0/type UNKNOWN_TYPE"}},
		{"type of a wrong type", ask(demo, other, object{"type": 1}), []string{"/parameters/0/type INVALID"}},
		{"type twice", ask(demo, other, scope(), scope()), []string{"/parameters/1 NOT_ALLOWED"}},
		{"no address", ask(demo, other, change(scope(), object{"psuIpAddress": nil})), []string{"/parameters/0/psuIpAddress REQUIRED"}},
		{"no such address", ask(demo, other, change(scope(), object{"psuIpAddress": "192.0.2.256"})), []string{"/parameters/0/psuIpAddress INVALID"}},
		{"address with a zone", ask(demo, other, change(scope(), object{"psuIpAddress": "fe80::1%eth0"})), []string{"/parameters/0/psuIpAddress INVALID"}},
		{"address with a port", ask(demo, other, change(scope(), object{"psuIpAddress": "192.0.2.7:80"})), []string{"/parameters/0/psuIpAddress INVALID"}},
		{"nothing to read", ask(demo, other, change(scope(), object{"balances": false, "transactions": false})), []string{"/parameters/0/transactions INVALID"}},
		{"no boolean", ask(demo, other, change(scope(), object{"balances": "true"})), []string{"/parameters/0/balances INVALID"}},
		{"locale", ask(demo, other, change(scope(), object{"psuLocale": "swedish"})), []string{"/parameters/0/psuLocale INVALID"}},
		{"yesterday", ask(demo, other, change(scope(), object{"validUntil": yesterday})), []string{"/parameters/0/validUntil INVALID"}},
		{"no such day", ask(demo, other, change(scope(), object{"validUntil": "2999-02-29"})), []string{"/parameters/0/validUntil INVALID"}},
		{"no day", ask(demo, other, change(scope(), object{"validUntil": "2999-1-1"})), []string{"/parameters/0/validUntil INVALID"}},
		{"a moment", ask(demo, other, change(scope(), object{"validUntil": "2999-01-01T00:00:00Z"})), []string{"/parameters/0/validUntil INVALID"}},
		{"accounts", ask(demo, other, change(scope(), object{"accountIds": []any{"SE1", "", 7}})), []string{"/parameters/0/accountIds/1 INVALID", "/parameters/0/accountIds/2 INVALID"}},
		{"accounts with control characters", ask(demo, other, change(scope(), object{"accountIds": []any{"SE\x00"}})), []string{"/parameters/0/accountIds INVALID"}},
		{"no number", ask(demo, other, scope(), object{"type": "SWEDISH_BANKID"}), []string{"/parameters/1/personalNumber REQUIRED"}},
		{"number with a hyphen", ask(demo, other, scope(), number("19900101-1234")), []string{"/parameters/1/personalNumber INVALID"}},
		{"number with a wrong check digit", ask(demo, other, scope(), number("199001011234")), []string{"/parameters/1/personalNumber INVALID"}},
		{"number of no day", ask(demo, other, scope(), number("199002301230")), []string{"/parameters/1/personalNumber INVALID"}},
		{"everything at once", ask("se-nowhere", other, change(scope(), object{"psuIpAddress": "here", "validUntil": yesterday, "psuLocale": "s"}), number("199001011234")),
			[]string{"/company INVALID", "/parameters/0/psuIpAddress INVALID", "/parameters/0/psuLocale INVALID", "/parameters/0/validUntil INVALID", "/parameters/1/personalNumber INVALID"}},
		{"with rules of the bank", ask(needsNumber, other, change(scope(), object{"validUntil": yesterday})),
			[]string{"/loginMethod NOT_SUPPORTED", "/parameters REQUIRED", "/parameters/0/validUntil INVALID"}},
	}
}

// ask2 is ask with a parameter of raw JSON.
func ask2(company, method, parameter string) string {
	return fmt.Sprintf(`{"company":%q,"loginMethod":%q,"parameters":[%s]}`, company, method, parameter)
}

func TestBadBodies(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		w.secretsOfMaja()
		user, session := w.acme.person(t)
		forConsents := []badCase{
			{"no parameters", object{"company": demo}, []string{"/parameters REQUIRED"}},
			{"empty parameters", ask(demo, ""), []string{"/parameters REQUIRED"}},
			{"number without method", ask(demo, "", scope(), number(maja)), []string{"/loginMethod REQUIRED"}},
			{"number of ten digits", ask(demo, other, scope(), number(maja[2:])), []string{"/parameters/1/personalNumber INVALID"}},
			{"parameter of collections", ask(demo, other, scope(), stored(nobody)), []string{"/parameters/1/type UNKNOWN_TYPE"}},
		}
		forCollections := []badCase{
			{"no method", ask(demo, "", scope()), []string{"/loginMethod REQUIRED"}},
			{"nothing to go by", ask(demo, other), []string{"/parameters REQUIRED"}},
			{"null", object{"company": demo, "loginMethod": other, "parameters": nil}, []string{"/parameters REQUIRED"}},
			{"both modes", ask(demo, other, scope(), stored(nobody)), []string{"/parameters/0 NOT_ALLOWED"}},
			{"no consent", ask(demo, "", object{"type": "STORED_CONSENT"}), []string{"/parameters/0/consentId REQUIRED"}},
			{"address", ask(demo, "", change(stored(nobody), object{"psuIpAddress": "x"})), []string{"/parameters/0/psuIpAddress INVALID"}},
			{"header in the User-Agent", ask(demo, "", change(attended(nobody), object{"psuUserAgent": "a\r\nb: c"})), []string{"/parameters/0/psuUserAgent INVALID"}},
			{"e-mail", ask(demo, other, scope(), object{"type": "EMAIL", "email": "a@example.com"}), []string{"/parameters/1/type NOT_SUPPORTED"}},
			{"no e-mail", ask(demo, other, scope(), object{"type": "EMAIL", "email": "x"}), []string{"/parameters/1/email INVALID", "/parameters/1/type NOT_SUPPORTED"}},
			{"MitID", ask(demo, other, scope(), object{"type": "DANISH_MITID", "userId": "a"}), []string{"/parameters/1/type NOT_SUPPORTED"}},
			{"methods differ", ask(demo, other, scope(), object{"type": "LOGIN_METHOD", "loginMethod": same}), []string{"/parameters/1/loginMethod NOT_ALLOWED"}},
			{"method of the parameter", ask(demo, "", scope(), object{"type": "LOGIN_METHOD", "loginMethod": "EMAIL"}), []string{"/parameters/1/loginMethod NOT_SUPPORTED"}},
			{"filter", ask(demo, other, scope(), object{"type": "FILTER"}), []string{"/parameters/1/accountIds REQUIRED"}},
			{"filter twice", ask(demo, other, scope(), object{"type": "FILTER", "accountIds": []string{"a"}}, object{"type": "FILTER", "accountIds": []string{"a"}}),
				[]string{"/parameters/2 NOT_ALLOWED"}},
			{"method not offered with a stored consent", ask(demo, "EMAIL", stored(nobody)), []string{"/loginMethod NOT_SUPPORTED"}},
		}
		for path, cases := range map[string][]badCase{"/consents": append(common(), forConsents...), "/collections": append(common(), forCollections...)} {
			for _, c := range cases {
				p := session.Do(t, http.MethodPost, path, c.body).Fails(t, fault.InvalidParameter)
				var got []string
				for _, e := range p.Errors {
					got = append(got, e.Pointer+" "+string(e.Code))
				}
				for _, want := range c.want {
					if !slices.Contains(got, want) {
						t.Errorf("%s, %s: %q lacks %q", path, c.name, got, want)
					}
				}
				// What follows from another broken rule may be told beside it.
				if len(got) > len(c.want) && c.name != "nothing" && c.name != "parameters are no array" {
					t.Errorf("%s, %s: %q instead of %q", path, c.name, got, c.want)
				}
			}
		}
		// Nothing was half-written.
		for _, path := range []string{"/consents", "/collections"} {
			if a := session.get(t, path, nil); string(a.Body) != "[]" {
				t.Errorf("%s: %s", path, a.Body)
			}
		}
		// What is unusual and yet right.
		session.post(t, "/consents", `{"company":"`+demo+`","loginMethod":null,"COMPANY":"x","extra":{"a":[1]},"parameters":[{"type":"PSD2_AIS_CONSENT",
			"psuIpAddress":"2001:db8::7","psuLocale":null,"accountIds":null,"validUntil":"`+time.Now().UTC().Format(time.DateOnly)+`"}]}`, nil)
		session.post(t, "/collections", ask(demo, other, scope(), number(maja), object{"type": "LOGIN_METHOD", "loginMethod": other},
			object{"type": "FILTER", "accountIds": []string{"a"}}), nil)
		w.acme.get(t, "/users/"+user.UserUUID, nil)
	})
}

func TestTransport(t *testing.T) {
	overStores(t, func(t *testing.T, w *world) {
		_, session := w.acme.person(t)
		users, consents, collections := w.acme, session, session
		for path, c := range map[string]client{"/users": users, "/consents": consents, "/collections": collections} {
			for body, detail := range map[string]string{
				``: "", `{`: "", `{"externalId":"a"`: "", `{"a":1}x`: "7", `{"a":1,"a":2}`: "", `{"a":{"b":1,"b":1}}`: "", `{'a':1}`: "1",
				`{"a":01}`: "", "{\"a\":\"\x01\"}": "", `{"a":NaN}`: "", "\ufeff{}": "", "{\"a\":\"\xff\"}": "",
			} {
				if p := c.Do(t, "POST", path, body).Fails(t, fault.MalformedJSON); !strings.Contains(p.Details, detail) || p.Details == "" {
					t.Errorf("%q: details %q", body, p.Details)
				}
			}
			for _, media := range []string{"text/plain", "application/xml", "application/jsonx", "application/x-www-form-urlencoded", "json"} {
				c.with("Content-Type", media).Do(t, "POST", path, "{}").Fails(t, fault.UnsupportedMediaType)
			}
			for _, media := range []string{"application/json; charset=utf-8", "Application/JSON"} {
				c.with("Content-Type", media).Do(t, "POST", path, "{}").Fails(t, fault.InvalidParameter)
			}
			c.Do(t, "POST", path, `{"a":"`+strings.Repeat("x", 64<<10)+`"}`).Fails(t, fault.BodyTooLarge)
			c.Do(t, "POST", path, `{"a":"`+strings.Repeat("x", 64<<10-8)+`"}`).Fails(t, fault.InvalidParameter)
		}
		w.paths(func(op wire.Operation, path string) {
			c := session
			if op.Credential == wire.APIKey {
				c = w.acme
			}
			got := c.with("Insurely-Version", "2025-01-01").Do(t, op.Method, path, nil)
			if op.Versioned {
				if p := got.Fails(t, fault.UnsupportedVersion); !slices.Equal(p.SupportedVersions, []string{wire.Version}) {
					t.Errorf("%s: supported %v", op.Route(), p.SupportedVersions)
				}
			}
			missing := c.with("Insurely-Version", "").with("X-Request-Id", "my.id-1_").Do(t, op.Method, path, nil)
			if op.Versioned && (missing.Header.Get("Insurely-Version") != wire.Version || missing.Status == 500) {
				t.Errorf("%s: without a version %d %v", op.Route(), missing.Status, missing.Header)
			}
			if missing.Header.Get("X-Request-Id") != "my.id-1_" || missing.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %v", op.Route(), missing.Header)
			}
			if op.Credential != wire.None && missing.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: may be cached: %v", op.Route(), missing.Header)
			}
		})
		// A body on a route without one is ignored.
		session.with("Content-Type", "text/plain").Do(t, "GET", "/consents", "{").Is(t, http.StatusOK, nil)
		w.acme.Do(t, "DELETE", "/users/"+nobody, "{").Fails(t, fault.UserNotFound)
	})
}
