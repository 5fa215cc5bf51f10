package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/visitor"
)

// The TPP chooses an SCA method, when it starts the authorisation or later.
func TestMethods_AreChosen(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-methods")
	begin := func(body string) (string, response) {
		created := p.create(allAccounts, "PSU-ID", maja)
		if created.header.Get("ASPSP-SCA-Approach") != "" || created.at("scaMethods") != nil {
			t.Errorf("%s", created.body)
		}
		return created.text("consentId"), p.call("POST", created.text("_links", "startAuthorisationWithPsuIdentification", "href"), body).want(201)
	}
	id, auth := begin(`{}`)
	if auth.text("scaStatus") != "psuIdentified" || len(auth.list("scaMethods")) != 3 || auth.at("chosenScaMethod") != nil ||
		auth.at("challengeData") != nil || auth.header.Get("ASPSP-SCA-Approach") != "" {
		t.Fatalf("%s", auth.body)
	}
	choose := auth.text("_links", "selectAuthenticationMethod", "href")
	if got := p.call("GET", auth.text("_links", "scaStatus", "href"), "").want(200); got.text("scaStatus") != "psuIdentified" {
		t.Errorf("%s", got.body)
	}
	p.call("PUT", choose, `{"authenticationMethodId":"sms"}`).wantError(400, "SCA_METHOD_UNKNOWN")
	chosen := p.call("PUT", choose, `{"authenticationMethodId":"mbid-other"}`).want(200)
	if chosen.text("scaStatus") != "scaMethodSelected" || chosen.text("chosenScaMethod", "authenticationMethodId") != "mbid-other" ||
		len(chosen.list("challengeData", "data")) != 2 || chosen.header.Get("ASPSP-SCA-Approach") != "DECOUPLED" || chosen.at("scaMethods") != nil {
		t.Errorf("%s", chosen.body)
	}
	p.call("PUT", choose, `{"authenticationMethodId":"mbid-other"}`).want(200)
	p.call("PUT", choose, `{"authenticationMethodId":"web"}`).wantError(409, "STATUS_INVALID")
	p.approve(chosen, maja)
	if p.status(id) != "valid" {
		t.Errorf("status %s", p.status(id))
	}

	// Chosen at the start: on this device there is no QR text.
	id, auth = begin(`{"authenticationMethodId":"mbid-same"}`)
	if auth.text("scaStatus") != "scaMethodSelected" || len(auth.list("challengeData", "data")) != 1 {
		t.Errorf("%s", auth.body)
	}
	p.approve(auth, maja)
	if p.status(id) != "valid" {
		t.Errorf("status %s", p.status(id))
	}

	// A method can lead to the bank's page.
	id, auth = begin(`{}`)
	web := p.call("PUT", auth.text("_links", "selectAuthenticationMethod", "href"), `{"authenticationMethodId":"web"}`).want(200)
	if web.header.Get("ASPSP-SCA-Approach") != "REDIRECT" || web.at("challengeData") != nil {
		t.Errorf("%s", web.body)
	}
	if to := w.walk(w.browser(), web.text("_links", "scaRedirect", "href"), visitor.Person{Phone: visitor.Approve}); to.String() != back || p.status(id) != "valid" {
		t.Errorf("%s, %s", to, p.status(id))
	}

	// Nobody chooses.
	id, _ = begin(`{}`)
	w.clock.Advance(16 * time.Minute)
	if p.status(id) != "rejected" {
		t.Errorf("status %s", p.status(id))
	}
}

// The bank starts the authorisation itself, and its operations are at paths of its own.
func TestImplicit_DecoupledAtOtherPaths(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-implicit")
	created := p.call("POST", "consents", allAccounts, "PSU-ID", maja).want(201)
	id := created.text("consentId")
	sca := created.text("_links", "scaStatus", "href")
	if !strings.HasPrefix(sca, "/se-sandbox-implicit/psd2/v2/ais/consents/"+id+"/authorisations/") || len(created.list("challengeData", "data")) != 2 ||
		created.at("_links", "startAuthorisationWithPsuIdentification") != nil {
		t.Fatalf("%s", created.body)
	}
	p.call("POST", "consents/"+id+"/authorisations", `{}`).wantError(409, "STATUS_INVALID")
	w.phone(fmt.Sprintf(`{"action":"approve","autoStartToken":%q}`, created.text("challengeData", "data", 0))).want(200)
	if got := p.call("GET", sca, "").want(200).text("scaStatus"); got != "finalised" || p.status(id) != "valid" {
		t.Errorf("%s, %s", got, p.status(id))
	}
	got := p.call("GET", "consents/"+id, "").want(200)
	if got.text("_links", "account", "href") != "/se-sandbox-implicit/psd2/v3/accounts" {
		t.Errorf("%s", got.body)
	}
	list := p.call("GET", got.text("_links", "account", "href"), "", "Consent-ID", id).want(200)
	transactions := list.text("accounts", 0, "_links", "transactions", "href")
	page := p.call("GET", transactions+"?bookingStatus=booked&dateFrom=2025-01-01", "", "Consent-ID", id).want(200)
	if next := page.text("transactions", "_links", "next", "href"); !strings.HasPrefix(next, "/se-sandbox-implicit/psd2/v3/accounts/") {
		t.Errorf("next page %q", next)
	} else {
		p.call("GET", next, "", "Consent-ID", id).want(200)
	}
	for _, path := range []string{"/v1/consents/" + id, "/v1/accounts", "/psd2/v3/consents/" + id, "/psd2/v2/ais/accounts"} {
		p.call("GET", "/se-sandbox-implicit"+path, "", "Consent-ID", id).wantError(404, "RESOURCE_UNKNOWN")
	}
}

// Two persons must sign; the second one does at the bank, days later. This bank has no
// operations for authorisations.
func TestCoSign_OverDays(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-cosign")
	begin := func() string {
		created := p.create(allAccounts)
		id := created.text("consentId")
		if created.at("_links", "scaStatus") != nil {
			t.Errorf("%s", created.body)
		}
		p.call("GET", "consents/"+id+"/authorisations", "").wantError(404, "RESOURCE_UNKNOWN")
		to := w.walk(w.browser(), withState(created.text("_links", "scaRedirect", "href"), "s"), visitor.Person{Number: ester, Phone: visitor.Approve})
		if to.String() != back+"&state=s" || p.status(id) != "partiallyAuthorised" {
			t.Fatalf("%s, %s", to, p.status(id))
		}
		return id
	}
	sign := func(id, body string) int {
		a, err := p.http.Post(w.URL()+"/sandbox/consents/"+id+"/sign", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		return a.StatusCode
	}
	id := begin()
	p.call("GET", "accounts", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	w.clock.Advance(3 * 24 * time.Hour)
	for body, want := range map[string]int{
		`{"personalNumber":"` + ester + `"}`: http.StatusConflict, `{"personalNumber":"1"}`: http.StatusConflict, `{"x":1}`: http.StatusBadRequest,
	} {
		if got := sign(id, body); got != want {
			t.Errorf("%s: %d", body, got)
		}
	}
	if got := sign("nothing", ""); got != http.StatusNotFound {
		t.Error(got)
	}
	if got := sign(id, ""); got != http.StatusNoContent || p.status(id) != "valid" {
		t.Fatalf("%d, %s", got, p.status(id))
	}
	if got := sign(id, ""); got != http.StatusConflict {
		t.Errorf("signed twice: %d", got)
	}
	// It belongs to the first signer, from the day of the second signature.
	if list := p.call("GET", "accounts", "", "Consent-ID", id).want(200).list("accounts"); len(list) != 2 {
		t.Errorf("%d accounts", len(list))
	}
	if got := p.call("GET", "consents/"+id, "").text("lastActionDate"); got != "2026-04-04" {
		t.Errorf("lastActionDate %s", got)
	}

	id = begin()
	if got := sign(id, `{"refuse":true}`); got != http.StatusNoContent || p.status(id) != "rejected" {
		t.Errorf("%d, %s", got, p.status(id))
	}
	id = begin()
	p.call("DELETE", "consents/"+id, "").want(204)
	if p.status(id) != "terminatedByTpp" {
		t.Errorf("status %s", p.status(id))
	}
	id = begin()
	w.clock.Advance(31 * 24 * time.Hour)
	if p.status(id) != "rejected" {
		t.Errorf("after a month: %s", p.status(id))
	}
}
