package xs2a_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

var fullScope = consent.Scope{Balances: true, Transactions: true}

func openRequest(s consent.Scope) institution.OpenRequest {
	return institution.OpenRequest{
		RequestID: requestID, Scope: s, ValidUntil: time.Date(2027, 5, 21, 0, 0, 0, 0, time.UTC), Recurring: true, PSU: person,
	}
}

const createdConsent = `{"consentStatus":"received","consentId":"consent-4711","_links":{"self":{"href":"/v1/consents/consent-4711"}}}`

func TestOpenConsent_SendsStrictRequest(t *testing.T) {
	s := newScriptedBank(t, nil, responds(201, createdConsent))
	got, err := s.OpenConsent(t.Context(), openRequest(fullScope))
	if err != nil || got.ConsentID != "consent-4711" {
		t.Fatalf("got %+v, %v", got, err)
	}
	r := s.last(t)
	if r.method != http.MethodPost || r.path != "/psd2/v1/consents" {
		t.Errorf("request %s %s", r.method, r.path)
	}
	for name, want := range map[string]string{
		"X-Request-ID": requestID, "Content-Type": "application/json",
		"TPP-Explicit-Authorisation-Preferred": "true", "TPP-Decoupled-Preferred": "true", "TPP-Redirect-Preferred": "false",
		"PSU-IP-Address": "192.0.2.7", "PSU-User-Agent": "Test/1.0", "PSU-Accept-Language": "sv-SE", "PSU-ID": "", "Consent-ID": "",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	jsonEqual(t, r.body, `{"access":{"allPsd2":"allAccountsWithOwnerName"},"recurringIndicator":true,
		"validUntil":"2027-05-21","frequencyPerDay":4,"combinedServiceIndicator":false}`)
	if cert := sealLeaf(t, r.header); cert.SerialNumber == nil || r.header.Get("Digest") == "" || r.header.Get("Signature") == "" {
		t.Error("the request is not signed")
	}
}

// A bank gets our own address where that of the person is not known: when the consent is
// opened, and in no other request.
func TestOpenConsent_SendsOwnAddressForAPersonWithoutOne(t *testing.T) {
	s := newScriptedBank(t, func(c *xs2a.Config) { c.OwnAddress = "203.0.113.9" }, responds(201, createdConsent))
	for address, want := range map[string]string{"": "203.0.113.9", "192.0.2.8": "192.0.2.8"} {
		r := openRequest(fullScope)
		r.PSU.IPAddress = address
		if _, err := s.OpenConsent(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := s.last(t).header.Get("PSU-IP-Address"); got != want {
			t.Errorf("for the address %q the bank gets %q", address, got)
		}
	}
	s.answer = responds(200, accountList)
	q := s.Start(fullScope, "2026-01-01")[0]
	if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c"}, q); err != nil {
		t.Fatal(err)
	}
	if got := s.last(t).header.Get("PSU-IP-Address"); got != "" {
		t.Errorf("a read carries the address %q", got)
	}
}

func TestOpenConsent_RequestsScope(t *testing.T) {
	for name, c := range map[string]struct {
		scope  consent.Scope
		change func(*xs2a.Config)
		want   string
	}{
		"everything without names": {fullScope, func(c *xs2a.Config) { c.Profile.AllPSD2 = "allAccounts" }, `{"allPsd2":"allAccounts"}`},
		"one kind":                 {consent.Scope{Balances: true}, nil, `{"accounts":[],"balances":[]}`},
		"the other kind":           {consent.Scope{Transactions: true}, nil, `{"accounts":[],"transactions":[]}`},
		"bank-offered": {fullScope, func(c *xs2a.Config) { c.Profile.AccessForm = "bankOffered" },
			`{"accounts":[],"balances":[],"transactions":[]}`},
		"named accounts": {consent.Scope{AccountIDs: []string{
			"SE45 5000 0000 0583 9825 7466", "6789123456789", "491623******0875", "my account!"}, Balances: true}, nil,
			`{"accounts":[{"iban":"SE4550000000058398257466"},{"bban":"6789123456789"},{"maskedPan":"491623******0875"},{"other":{"identification":"my account!"}}],
			  "balances":[{"iban":"SE4550000000058398257466"},{"bban":"6789123456789"},{"maskedPan":"491623******0875"},{"other":{"identification":"my account!"}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScriptedBank(t, c.change, responds(201, createdConsent))
			if _, err := s.OpenConsent(t.Context(), openRequest(c.scope)); err != nil {
				t.Fatal(err)
			}
			jsonEqual(t, s.last(t).body, `{"access":`+c.want+`,"recurringIndicator":true,
				"validUntil":"2027-05-21","frequencyPerDay":4,"combinedServiceIndicator":false}`)
		})
	}
}

func TestOpenConsent_OneTimeConsentHasFrequencyOne(t *testing.T) {
	s := newScriptedBank(t, nil, responds(201, createdConsent))
	r := openRequest(fullScope)
	r.Recurring = false
	if _, err := s.OpenConsent(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	jsonEqual(t, s.last(t).body, `{"access":{"allPsd2":"allAccountsWithOwnerName"},"recurringIndicator":false,
		"validUntil":"2027-05-21","frequencyPerDay":1,"combinedServiceIndicator":false}`)
}

// A bank that does not know the accounts refuses the person, not the request.
func TestOpenConsent_IsRefusedForAccountsOfSomebodyElse(t *testing.T) {
	s := newScriptedBank(t, nil, responds(400, `{"tppMessages":[{"category":"ERROR","code":"RESOURCE_UNKNOWN"}]}`))
	for want, scope := range map[institution.ErrorKind]consent.Scope{
		institution.Refused:       fullScope,
		institution.PersonRefused: {AccountIDs: []string{"SE4550000000058398257466"}, Balances: true},
	} {
		if _, err := s.OpenConsent(t.Context(), openRequest(scope)); institution.KindOf(err) != want {
			t.Errorf("%v: got %v", scope.AccountIDs, err)
		}
	}
}

// An IP address is never made up.
func TestOpenConsent_NeedsIPAddress(t *testing.T) {
	s := newScriptedBank(t, nil, responds(201, createdConsent))
	r := openRequest(fullScope)
	r.PSU.IPAddress = ""
	if _, err := s.OpenConsent(t.Context(), r); institution.KindOf(err) != institution.Refused {
		t.Errorf("got %v", err)
	}
	if len(s.requests()) != 0 {
		t.Error("the bank received a request")
	}
}

func TestConsent_DecodesStateAndScope(t *testing.T) {
	endOfDay := time.Date(2027, 5, 21, 23, 59, 59, 0, time.UTC)
	for name, c := range map[string]struct {
		body string
		want institution.ConsentInfo
	}{
		"global": {`{"access":{"allPsd2":"allAccounts"},"recurringIndicator":true,"validUntil":"2027-05-21","frequencyPerDay":4,"lastActionDate":"2026-11-22","consentStatus":"valid"}`,
			institution.ConsentInfo{State: institution.ConsentValid, Scope: &fullScope, ValidUntil: endOfDay, ReadsPerDay: 4}},
		"detailed": {`{"access":{"accounts":[{"iban":"SE4550000000058398257466"}],"balances":[{"iban":"SE4550000000058398257466"},{"maskedPan":"491623******0875"}]},"validUntil":"2027-05-21","consentStatus":"valid"}`,
			institution.ConsentInfo{State: institution.ConsentValid, ValidUntil: endOfDay,
				Scope: &consent.Scope{AccountIDs: []string{"SE4550000000058398257466", "491623******0875"}, Balances: true}}},
		"bank-offered, one kind chosen": {`{"access":{"accounts":[{"iban":"SE4550000000058398257466"}],"balances":[],"transactions":[{"iban":"SE4550000000058398257466"}]},"consentStatus":"valid"}`,
			institution.ConsentInfo{State: institution.ConsentValid, Scope: &consent.Scope{AccountIDs: []string{"SE4550000000058398257466"}, Transactions: true}}},
		"bank-offered, not chosen yet": {`{"access":{"accounts":[],"balances":[]},"consentStatus":"received"}`,
			institution.ConsentInfo{Scope: &consent.Scope{Balances: true}}},
		"once a day":              {`{"consentStatus":"valid","frequencyPerDay":"1"}`, institution.ConsentInfo{State: institution.ConsentValid, ReadsPerDay: 1}},
		"often a day":             {`{"consentStatus":"valid","frequencyPerDay":96.0}`, institution.ConsentInfo{State: institution.ConsentValid, ReadsPerDay: 4}},
		"no frequency":            {`{"consentStatus":"valid","frequencyPerDay":0}`, institution.ConsentInfo{State: institution.ConsentValid}},
		"for once":                {`{"consentStatus":"valid","recurringIndicator":"FALSE"}`, institution.ConsentInfo{State: institution.ConsentValid, OneOff: true}},
		"list only":               {`{"access":{"availableAccounts":"allAccounts"},"consentStatus":"valid"}`, institution.ConsentInfo{State: institution.ConsentValid, Scope: &consent.Scope{}}},
		"no access":               {`{"consentStatus":"valid"}`, institution.ConsentInfo{State: institution.ConsentValid}},
		"rejected":                {`{"consentStatus":"rejected"}`, institution.ConsentInfo{State: institution.ConsentRejected}},
		"revoked":                 {`{"consentStatus":"revokedByPsu"}`, institution.ConsentInfo{State: institution.ConsentRevoked}},
		"terminated":              {`{"consentStatus":"terminatedByTpp"}`, institution.ConsentInfo{State: institution.ConsentRevoked}},
		"expired":                 {`{"consentStatus":"expired"}`, institution.ConsentInfo{State: institution.ConsentExpired}},
		"partly":                  {`{"consentStatus":"partiallyAuthorised"}`, institution.ConsentInfo{State: institution.ConsentPartlySigned}},
		"bank-specific":           {`{"consentStatus":"awaitingStars"}`, institution.ConsentInfo{}},
		"byte order mark":         {"\ufeff" + `{"consentStatus":"valid"}`, institution.ConsentInfo{State: institution.ConsentValid}},
		"wrong types":             {`{"consentStatus":"valid","access":[],"validUntil":20270521}`, institution.ConsentInfo{State: institution.ConsentValid, ValidUntil: endOfDay}},
		"day in another spelling": {`{"consentStatus":"valid","validUntil":"21.05.2027"}`, institution.ConsentInfo{State: institution.ConsentValid, ValidUntil: endOfDay}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScriptedBank(t, nil, responds(200, c.body))
			got, err := s.Consent(t.Context(), institution.Access{ConsentID: "a b"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			r := s.last(t)
			if r.path != "/psd2/v1/consents/a b" || r.header.Get("PSU-IP-Address") != "" || r.header.Get("Consent-ID") != "" {
				t.Errorf("request %+v", r)
			}
		})
	}
}

func TestRevoke_SucceedsIfConsentHasEnded(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   institution.ErrorKind
	}{
		"done":           {responds(204, ""), ""},
		"unknown, 404":   {responds(404, `{"tppMessages":[{"category":"ERROR","code":"RESOURCE_UNKNOWN"}]}`), ""},
		"unknown, 403":   {responds(403, `{"tppMessages":[{"category":"ERROR","code":"CONSENT_UNKNOWN"}]}`), ""},
		"expired":        {responds(401, `{"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED"}]}`), ""},
		"invalid":        {responds(401, `{"tppMessages":[{"category":"ERROR","code":"CONSENT_INVALID"}]}`), ""},
		"404, own code":  {responds(404, `{"tppMessages":[{"category":"ERROR","code":"NO_SUCH_CONSENT"}]}`), ""},
		"404, problem":   {responds(404, `{"type":"https://bank.example/gone","title":"Gone","code":"NO_SUCH_CONSENT"}`), ""},
		"404, no body":   {responds(404, ""), institution.Refused},
		"404, proxy":     {responds(404, `{"code":404,"message":"no Route matched"}`), institution.Refused},
		"404, problem*":  {responds(404, `{"type":"about:blank","title":"Not Found","status":404}`), institution.Refused},
		"404, warning":   {responds(404, `{"tppMessages":[{"category":"WARNING","code":"OLD_VERSION"}]}`), institution.Refused},
		"404, a page":    {responds(404, "<html>Not here</html>"), institution.Unreachable},
		"200, a page":    {responds(200, "<html>Back soon</html>"), institution.Unreachable},
		"no certificate": {responds(401, `{"tppMessages":[{"category":"ERROR","code":"CERTIFICATE_EXPIRED"}]}`), institution.CertificateRejected},
		"blocked":        {responds(403, `{"tppMessages":[{"category":"ERROR","code":"SERVICE_BLOCKED"}]}`), institution.PersonRefused},
		"down":           {responds(500, ""), institution.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScriptedBank(t, nil, c.answer)
			err := s.Revoke(t.Context(), institution.Access{ConsentID: "c1"})
			if c.want == "" && err != nil || c.want != "" && institution.KindOf(err) != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if r := s.last(t); r.method != http.MethodDelete || r.path != "/psd2/v1/consents/c1" || r.body != "" {
				t.Errorf("request %+v", r)
			}
		})
	}
}

// A login before a consent can leave tokens and no consent. The collection of consents is
// not asked to be deleted.
func TestRevoke_NeedsAConsent(t *testing.T) {
	s := newScriptedBank(t, nil, responds(405, ""))
	if err := s.Revoke(t.Context(), institution.Access{Token: "token"}); err != nil || len(s.requests()) != 0 {
		t.Errorf("%v after %d requests", err, len(s.requests()))
	}
}
