package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// begin creates a consent and starts its authorisation.
func (p *tpp) begin(header ...string) (consent, auth response) {
	p.Helper()
	consent = p.call("POST", "consents", allAccounts).want(201)
	return consent, p.call("POST", "consents/"+consent.text("consentId")+"/authorisations", `{}`, header...).want(201)
}

// wantFailed checks that the authorisation has failed with this hint and the consent
// is rejected.
func (p *tpp) wantFailed(consent, auth response, hint string) response {
	p.Helper()
	end := p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200)
	if end.text("scaStatus") != "failed" || end.text("hintCode") != hint || end.at("challengeData") != nil {
		p.Errorf("want failed %s: %s", hint, end.body)
	}
	if got := p.call("GET", "consents/"+consent.text("consentId")+"/status", "").text("consentStatus"); got != "rejected" {
		p.Errorf("%s: consent %s", hint, got)
	}
	return end
}

func TestAuthorisation_FailsWithHint(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	act := func(auth response, action string) {
		w.phone(fmt.Sprintf(`{"action":%q,"autoStartToken":%q}`, action, auth.text("challengeData", "data", 0))).want(200)
	}

	consent, auth := p.begin()
	act(auth, "open")
	act(auth, "cancel")
	end := p.wantFailed(consent, auth, "userCancel")
	if end.text("psuMessage") != "Åtgärden avbröts." {
		t.Errorf("psuMessage %q", end.text("psuMessage"))
	}
	end = p.call("GET", auth.text("_links", "scaStatus", "href"), "", "PSU-Accept-Language", "en-GB,sv;q=0.5")
	if end.text("psuMessage") != "The action was cancelled." && !strings.Contains(end.text("psuMessage"), "ction cancelled") {
		t.Errorf("psuMessage %q", end.text("psuMessage"))
	}
	p.call("PUT", auth.text("_links", "scaStatus", "href"), `{}`).wantError(409, "STATUS_INVALID")
	p.call("POST", "consents/"+consent.text("consentId")+"/authorisations", `{}`).wantError(409, "STATUS_INVALID")

	consent, auth = p.begin()
	w.clock.Advance(40 * time.Second)
	p.wantFailed(consent, auth, "startFailed")

	consent, auth = p.begin()
	act(auth, "open")
	w.clock.Advance(4 * time.Minute)
	p.wantFailed(consent, auth, "expiredTransaction")

	consent, auth = p.begin("PSU-ID", maja)
	p.approve(auth, ester)
	end = p.wantFailed(consent, auth, "personMismatch")
	if end.text("tppMessage", 0, "code") != "PSU_CREDENTIALS_INVALID" {
		t.Errorf("%s", end.body)
	}

	consent, auth = p.begin("PSU-ID", tim)
	second, busy := p.begin("PSU-ID", tim)
	if busy.text("scaStatus") != "failed" || busy.text("hintCode") != "alreadyInProgress" || !strings.Contains(busy.text("psuMessage"), "pågår redan") {
		t.Errorf("%s", busy.body)
	}
	p.wantFailed(second, busy, "alreadyInProgress")
	p.wantFailed(consent, auth, "cancelled")

	// A consent without an authorisation is rejected after 15 minutes.
	idle := p.call("POST", "consents", allAccounts).want(201).text("consentId")
	w.clock.Advance(16 * time.Minute)
	if got := p.call("GET", "consents/"+idle+"/status", "").text("consentStatus"); got != "rejected" {
		t.Errorf("idle consent: %s", got)
	}
}

// Without PSU-ID any person can sign, and the consent belongs to that person.
func TestConsent_BelongsToSigner(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	consent, auth := p.begin()
	p.approve(auth, sten)
	if got := p.call("GET", auth.text("_links", "scaStatus", "href"), "").text("psuName"); got != "Sten Bergström" {
		t.Errorf("psuName %q", got)
	}
	list := p.call("GET", "accounts", "", "Consent-ID", consent.text("consentId")).want(200)
	if len(list.list("accounts")) != 1 || list.text("accounts", 0, "name") != "Gemensamt konto" {
		t.Errorf("%s", list.body)
	}
}

// The bank notices the signature when only the consent's status is read.
func TestConsentStatus_FollowsSignature(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	consent, auth := p.begin()
	id := consent.text("consentId")
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	p.approve(auth, maja)
	if got := p.call("GET", "consents/"+id+"/status", "").text("consentStatus"); got != "valid" {
		t.Errorf("status %s", got)
	}
}

func TestChallengeData_FollowsTokenKind(t *testing.T) {
	w := start(t, nil)
	for bank, c := range map[string]struct {
		data  int
		image bool
	}{
		"se-demo-psd2": {2, false}, "se-sandbox-autostart": {1, false}, "se-sandbox-static": {1, true}, "se-sandbox-short": {2, false},
	} {
		p := w.tpp(bank)
		_, auth := p.begin("PSU-ID", maja)
		for _, a := range []response{auth, p.call("GET", auth.text("_links", "scaStatus", "href"), "")} {
			if len(a.list("challengeData", "data")) != c.data || (a.text("challengeData", "image") != "") != c.image {
				t.Errorf("%s: %s", bank, a.body)
			}
		}
		if got := auth.header.Get("ASPSP-SCA-Approach"); got != "DECOUPLED" {
			t.Errorf("%s: approach %q", bank, got)
		}
		p.approve(auth, maja) // otherwise the next bank's order fails with alreadyInProgress
	}
}

func TestAuthorisation_ValidatesRequests(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-autostart")
	id := p.call("POST", "consents", allAccounts).want(201).text("consentId")
	path := "consents/" + id + "/authorisations"
	for name, c := range map[string]struct {
		body, psu string
		status    int
		code      string
	}{
		"no PSU-ID":        {`{}`, "", 400, "FORMAT_ERROR"},
		"PSU-ID wrong":     {`{}`, "201509160006", 401, "PSU_CREDENTIALS_INVALID"},
		"PSU-ID no number": {`{}`, "maja", 401, "PSU_CREDENTIALS_INVALID"},
		"password":         {`{"psuData":{"password":"x"}}`, maja, 400, "PARAMETER_NOT_SUPPORTED"},
		"other method":     {`{"authenticationMethodId":"sms"}`, maja, 400, "SCA_METHOD_UNKNOWN"},
		"sca data":         {`{"scaAuthenticationData":"1"}`, maja, 400, "SCA_INVALID"},
		"unknown member":   {`{"x":1}`, maja, 400, "FORMAT_ERROR"},
		"empty":            {``, maja, 400, "FORMAT_ERROR"},
		"not JSON":         {`{`, maja, 400, "FORMAT_ERROR"},
	} {
		a := p.call("POST", path, c.body, "PSU-ID", c.psu, "Content-Type", "application/json")
		if a.status != c.status || a.text("tppMessages", 0, "code") != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	auth := p.call("POST", path, `{"authenticationMethodId":"bankid"}`, "PSU-ID", maja).want(201)
	href := auth.text("_links", "scaStatus", "href")
	if got := p.call("PUT", href, `{"authenticationMethodId":"bankid"}`).want(200); got.text("scaStatus") != "scaMethodSelected" {
		t.Errorf("%s", got.body)
	}
	p.call("PUT", href, `{}`, "PSU-ID", ester).wantError(401, "PSU_CREDENTIALS_INVALID")
	p.call("PUT", href, `{"confirmationCode":"1"}`).wantError(400, "PARAMETER_NOT_SUPPORTED")
	p.call("GET", path+"/nothing", "").wantError(404, "RESOURCE_UNKNOWN")
	p.call("DELETE", "consents/"+id, "").want(204)
	if got := p.call("GET", href, "").want(200); got.text("scaStatus") != "failed" {
		t.Errorf("after DELETE: %s", got.body)
	}
	if got := p.call("GET", "consents/"+id+"/status", "").text("consentStatus"); got != "terminatedByTpp" {
		t.Errorf("after DELETE: %s", got)
	}
}

func TestOperatorEndpoints_ListAndRevokeConsents(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	operator := &tpp{env: w, bank: "se-demo-psd2", http: p.http, seal: p.seal}
	list := operator.call("GET", "/sandbox/consents", "").want(200)
	if list.text("consents", 0, "consentId") != id || list.text("consents", 0, "consentStatus") != "valid" || list.text("consents", 0, "xRequestId") == "" {
		t.Errorf("%s", list.body)
	}
	if strings.Contains(string(list.body), maja) {
		t.Error("the list contains a personal number")
	}
	operator.call("POST", "/sandbox/consents/"+id+"/revoke", "").want(204)
	operator.call("POST", "/sandbox/consents/"+id+"/revoke", "").want(409)
	operator.call("POST", "/sandbox/consents/nothing/revoke", "").want(404)
	if got := p.call("GET", "consents/"+id+"/status", "").text("consentStatus"); got != "revokedByPsu" {
		t.Errorf("status %s", got)
	}
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	stats := operator.call("GET", "/sandbox/stats", "").want(200)
	if fmt.Sprint(stats.at("consentsCreated")) != "1" || fmt.Sprint(stats.at("banks", "se-demo-psd2", "byStatus", "revokedByPsu")) != "1" {
		t.Errorf("%s", stats.body)
	}
	page := operator.call("GET", "/", "").want(200)
	if !strings.Contains(string(page.body), "se-sandbox-static") || !strings.Contains(string(page.body), maja) {
		t.Error("banks or persons are missing on the page")
	}
	operator.call("GET", "/nothing", "").want(404)
	rp := p.call("POST", "/rp/v6.0/auth", `{"endUserIp":"192.0.2.7"}`, "Content-Type", "application/json").want(200)
	if rp.text("autoStartToken") == "" {
		t.Errorf("%s", rp.body)
	}
}

func TestScriptedFailures_HaveRetryAfter(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-short")
	id := p.consent(allAccounts, maja)
	got := map[int]int{}
	for range 40 {
		a := p.call("GET", "accounts", "", "Consent-ID", id)
		got[a.status]++
		if a.status != http.StatusOK && a.header.Get("Retry-After") == "" {
			t.Errorf("%d without Retry-After", a.status)
		}
	}
	if got[200] != 35 || got[429] != 3 || got[503] != 2 {
		t.Errorf("%v", got)
	}
}
