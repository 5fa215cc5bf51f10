package v20260401_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"samla/internal/fault"
)

// drawRequest draws a valid body of the operation.
func drawRequest(t *rapid.T, op string) object {
	text := rapid.StringOfN(rapid.RuneFrom([]rune(`aZ09 -_/~"\åß漢😀`)), 1, 255, -1)
	bankid := func(digits ...string) object {
		return object{"type": "SWEDISH_BANKID", "personalNumber": rapid.SampledFrom(digits).Draw(t, "pnr")}
	}
	ais := func() object {
		p := object{"type": "PSD2_AIS_CONSENT", "psuIpAddress": rapid.SampledFrom([]string{"192.168.1.1", "::1", "2001:db8::a"}).Draw(t, "ip")}
		maybe(t, p, "accountIds", []any{"SE1", "SE2"}, []any{})
		maybe(t, p, "balances", true)
		maybe(t, p, "transactions", true, false)
		maybe(t, p, "psuLocale", "sv-SE", "en-GB")
		maybe(t, p, "validUntil", "2026-12-31", "2028-02-29")
		return p
	}
	var body object
	switch op {
	case "createUser":
		body = object{"externalId": text.Draw(t, "externalId")}
	case "createConsent":
		body = object{"company": text.Draw(t, "company"), "parameters": []any{ais()}}
		if rapid.Bool().Draw(t, "bankid") {
			body["loginMethod"] = text.Draw(t, "loginMethod")
			body["parameters"] = append([]any{bankid("199312252399")}, body["parameters"].([]any)...)
		}
	case "initiateCollection":
		all := map[string]func() object{
			"bankid": func() object { return bankid("199312252399", "9312252399") },
			"email":  func() object { return object{"type": "EMAIL", "email": "anna@example.com"} },
			"mitid":  func() object { return object{"type": "DANISH_MITID", "userId": text.Draw(t, "userId")} },
			"filter": func() object { return object{"type": "FILTER", "accountIds": []any{"SE1"}} },
		}
		if rapid.Bool().Draw(t, "stored") {
			all["main"] = func() object {
				p := object{"type": "STORED_CONSENT", "consentId": text.Draw(t, "consentId")}
				maybe(t, p, "psuIpAddress", "192.168.1.1")
				maybe(t, p, "psuUserAgent", "")
				return p
			}
		} else {
			all["main"] = ais
		}
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(all))), 0, 5, rapid.ID[string]).Draw(t, "names")
		parameters := []any{}
		for _, name := range names {
			parameters = append(parameters, all[name]())
		}
		body = object{"company": text.Draw(t, "company"), "loginMethod": text.Draw(t, "loginMethod"), "parameters": parameters}
	case "addSupplementInformation":
		body = rapid.SampledFrom([]object{
			{"type": "TWO_FACTOR_CODE", "value": text.Draw(t, "code")},
			{"type": "TWO_FACTOR_CHOICE", "value": text.Draw(t, "choice")},
			{"type": "COLLECTION_INPUT", "values": object{"EMAIL": text.Draw(t, "email"), "MOBILE_PHONE_NUMBER": "+46701740605"}},
			{"type": "RESPONSE_OBJECT"},
		}).Draw(t, "supplement")
		if body["type"] == "RESPONSE_OBJECT" {
			maybe(t, body, "headers", object{}, object{"Set-Cookie": []any{"a=b", ""}, "Type": "x"})
			maybe(t, body, "response", object{"Type": nil}, "text", 1.5, []any{})
		}
		maybe(t, body, "questionId", "q1")
	}
	maybe(t, body, "unknown", 7, []any{object{"deep": nil}})
	return body
}

// maybe sets a member to one of the values or to null, or leaves it out.
func maybe(t *rapid.T, o object, name string, values ...any) {
	i := rapid.IntRange(-2, len(values)-1).Draw(t, name)
	switch {
	case i >= 0:
		o[name] = values[i]
	case i == -1 && name != "unknown":
		o[name] = nil
	}
}

var withBody = []string{"createUser", "createConsent", "initiateCollection", "addSupplementInformation"}

func TestReadBody_AcceptsValidRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom(withBody).Draw(t, "op")
		raw, _ := json.Marshal(drawRequest(t, op))
		if _, f := read(op, string(raw)); f != nil {
			t.Fatalf("%s: %s", raw, outcome(f))
		}
	})
}

// breakOne breaks one rule of a valid body and returns what must be reported.
func breakOne(t *rapid.T, body object) string {
	type breach struct {
		do   func()
		want string
	}
	var all []breach
	set := func(o object, at, name string, value any, code fault.FieldCode) {
		all = append(all, breach{func() { o[name] = value }, at + "/" + name + " " + string(code)})
	}
	// Required members: removed, null, of another type.
	need := func(o object, at string, names ...string) {
		for _, name := range names {
			if _, ok := o[name]; !ok {
				continue
			}
			all = append(all, breach{func() { delete(o, name) }, at + "/" + name + " REQUIRED"})
			set(o, at, name, nil, fault.Required)
			if name != "parameters" {
				set(o, at, name, 7, fault.Invalid)
				set(o, at, name, object{}, fault.Invalid)
				set(o, at, name, []any{"x"}, fault.Invalid)
				switch name {
				case "psuIpAddress", "personalNumber", "email": // these have a pattern
					set(o, at, name, "", fault.Invalid)
				default:
					set(o, at, name, "", fault.Required)
				}
			}
		}
	}
	need(body, "", "externalId", "company", "value")
	if of, ok := body["values"].(object); ok {
		set(body, "", "values", nil, fault.Required)
		set(body, "", "values", "a", fault.Invalid)
		set(of, "/values", "EMAIL", nil, fault.Required)
		set(of, "/values", "EMAIL", "", fault.Required)
		set(of, "/values", "EMAIL", 7, fault.Invalid)
		set(of, "/values", "EMAIL", strings.Repeat("å", 1001), fault.TooLong)
		set(body, "", "values", object{}, fault.Required)
	}
	if kind, ok := body["type"]; ok {
		set(body, "", "type", "NONSENSE", fault.UnknownType)
		set(body, "", "type", nil, fault.Required)
		set(body, "", "questionId", strings.Repeat("q", 256), fault.TooLong)
		set(body, "", "questionId", object{}, fault.Invalid)
		if kind == "RESPONSE_OBJECT" {
			set(body, "", "headers", []any{}, fault.Invalid)
		}
	}
	if _, ok := body["externalId"]; ok {
		set(body, "", "externalId", strings.Repeat("😀", 256), fault.TooLong)
		set(body, "", "externalId", "a\u007fb", fault.Invalid)
	}
	parameters, _ := body["parameters"].([]any)
	for i, p := range parameters {
		p, at := p.(object), fmt.Sprintf("/parameters/%d", i)
		need(p, at, "psuIpAddress", "personalNumber", "consentId", "email", "userId")
		if p["type"] == "STORED_CONSENT" {
			// Optional in this type: it can be absent or null.
			all = slices.DeleteFunc(all, func(b breach) bool { return b.want == at+"/psuIpAddress REQUIRED" })
		}
		if p["type"] != "SWEDISH_BANKID" && p["type"] != "PSD2_AIS_CONSENT" {
			set(p, at, "type", "NONSENSE", fault.UnknownType)
		}
		if p["type"] == "PSD2_AIS_CONSENT" {
			for name, wrong := range map[string][]any{
				"balances": {"true", 1}, "transactions": {"no"}, "psuLocale": {"sv", 7, ""},
				"validUntil": {"2026-13-01", "31/12/2026", 20261231}, "accountIds": {"SE1", object{}},
			} {
				for _, w := range wrong {
					set(p, at, name, w, fault.Invalid)
				}
			}
		}
		twice := func() { body["parameters"] = append(parameters, p) }
		all = append(all, breach{twice, fmt.Sprintf("/parameters/%d NOT_ALLOWED", len(parameters))})
	}
	slices.SortStableFunc(all, func(a, b breach) int { return strings.Compare(a.want, b.want) })
	one := all[rapid.IntRange(0, len(all)-1).Draw(t, "breach")]
	one.do()
	return one.want
}

func TestReadBody_ReportsOneBrokenRuleAtItsPointer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		op := rapid.SampledFrom(withBody).Draw(t, "op")
		body := drawRequest(t, op)
		want := breakOne(t, body)
		raw, _ := json.Marshal(body)
		if _, f := read(op, string(raw)); outcome(f) != want {
			t.Fatalf("%s: got %s, want %s", raw, outcome(f), want)
		}
	})
}
