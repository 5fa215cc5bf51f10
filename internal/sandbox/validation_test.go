package sandbox_test

import (
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/eidas"
	"samla/internal/sandbox/pki"

	"github.com/google/uuid"
)

func changed(s pki.Spec, change func(*pki.Spec)) pki.Spec { change(&s); return s }

// The first row of docs/reference/banks.md 8.
func TestClientCertificate_IsValidated(t *testing.T) {
	w := start(t, nil)
	_, seal := w.TPP()
	otherCA, err := pki.NewCA("other CA", w.clock.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(ca *pki.CA, s pki.Spec) []tls.Certificate {
		t.Helper()
		c, err := ca.Issue(s)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{c}
	}
	ours := w.CA()
	for name, c := range map[string]struct {
		client []tls.Certificate
		code   string
	}{
		"none":            {nil, "CERTIFICATE_MISSING"},
		"wrong chain":     {issue(otherCA, pki.QWAC()), "CERTIFICATE_INVALID"},
		"seal, not web":   {issue(ours, pki.QSEAL()), "CERTIFICATE_INVALID"},
		"no statements":   {issue(ours, pki.Spec{NoStatements: true}), "CERTIFICATE_INVALID"},
		"no type":         {issue(ours, changed(pki.QWAC(), func(s *pki.Spec) { s.Type = eidas.Unknown })), "CERTIFICATE_INVALID"},
		"expired":         {issue(ours, changed(pki.QWAC(), func(s *pki.Spec) { s.NotAfter = startTime.Add(-time.Hour) })), "CERTIFICATE_EXPIRED"},
		"not yet valid":   {issue(ours, changed(pki.QWAC(), func(s *pki.Spec) { s.NotBefore = startTime.Add(time.Hour) })), "CERTIFICATE_INVALID"},
		"only payments":   {issue(ours, changed(pki.QWAC(), func(s *pki.Spec) { s.Roles = []eidas.Role{eidas.PI} })), "ROLE_INVALID"},
		"seal of another": {issue(ours, changed(pki.QWAC(), func(s *pki.Spec) { s.Organization = "PSDSE-FINA-1" })), "CERTIFICATE_INVALID"},
		"empty list":      {[]tls.Certificate{}, "CERTIFICATE_MISSING"},
	} {
		p := w.tppWith("se-demo-psd2", c.client, seal)
		a := p.call("POST", "consents", allAccounts)
		if a.status != 401 || a.text("tppMessages", 0, "code") != c.code {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, c.code)
		}
	}
}

// The bank caches the checks of a certificate, but checks its validity period every
// time.
func TestClientCertificate_ExpiresWhileCached(t *testing.T) {
	w := start(t, nil)
	c, err := w.CA().Issue(changed(pki.QWAC(), func(s *pki.Spec) { s.NotAfter = startTime.Add(time.Hour) }))
	if err != nil {
		t.Fatal(err)
	}
	_, seal := w.TPP()
	p := w.tppWith("se-demo-psd2", []tls.Certificate{c}, seal)
	p.call("POST", "consents", allAccounts).want(201)
	w.clock.Advance(2 * time.Hour)
	p.call("POST", "consents", allAccounts).wantError(401, "CERTIFICATE_EXPIRED")
}

// Digest and signature: docs/reference/banks.md 9.2.
func TestSignature_IsValidated(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	qwac, _ := w.TPP()
	expired, err := w.CA().Issue(changed(pki.QSEAL(), func(s *pki.Spec) { s.NotAfter = startTime.Add(-time.Hour) }))
	if err != nil {
		t.Fatal(err)
	}
	edit := func(name string, f func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, f(r.Header.Get(name))) }
	}
	swap := func(name, from, to string) func(*http.Request) {
		return edit(name, func(s string) string {
			if !strings.Contains(s, from) {
				t.Errorf("%s does not contain %q", name, from)
			}
			return strings.Replace(s, from, to, 1)
		})
	}
	cert := func(c tls.Certificate) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("TPP-Signature-Certificate", base64.StdEncoding.EncodeToString(c.Leaf.Raw))
		}
	}
	for name, c := range map[string]struct {
		change func(*http.Request)
		code   string
	}{
		"no signature":          {func(r *http.Request) { r.Header.Del("Signature") }, "SIGNATURE_MISSING"},
		"no digest":             {func(r *http.Request) { r.Header.Del("Digest") }, "SIGNATURE_MISSING"},
		"no certificate":        {func(r *http.Request) { r.Header.Del("TPP-Signature-Certificate") }, "SIGNATURE_MISSING"},
		"digest of other body":  {func(r *http.Request) { r.Header.Set("Digest", "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=") }, "SIGNATURE_INVALID"},
		"digest unknown":        {swap("Digest", "SHA-256", "MD5"), "SIGNATURE_INVALID"},
		"digest 512 not taken":  {swap("Digest", "SHA-256", "SHA-512"), "SIGNATURE_INVALID"},
		"request id changed":    {func(r *http.Request) { r.Header.Set("X-Request-ID", uuid.NewString()) }, "SIGNATURE_INVALID"},
		"psu-id not signed":     {func(r *http.Request) { r.Header.Set("PSU-ID", maja) }, "SIGNATURE_INVALID"},
		"signature cut":         {edit("Signature", func(s string) string { return s[:len(s)-1] }), "SIGNATURE_INVALID"},
		"signature not base64":  {edit("Signature", func(s string) string { return s[:len(s)-3] + `!!"` }), "SIGNATURE_INVALID"},
		"algorithm":             {swap("Signature", "rsa-sha256", "hs2019"), "SIGNATURE_INVALID"},
		"algorithm 512":         {swap("Signature", "rsa-sha256", "rsa-sha512"), "SIGNATURE_INVALID"},
		"headers list":          {swap("Signature", "digest x-request-id", "x-request-id digest"), "SIGNATURE_INVALID"},
		"too few headers":       {swap("Signature", "digest x-request-id", "digest"), "SIGNATURE_INVALID"},
		"serial":                {swap("Signature", "SN=", "SN=1"), "SIGNATURE_INVALID"},
		"issuer":                {swap("Signature", "CA=CN=", "CA=CN=X"), "SIGNATURE_INVALID"},
		"web certificate":       {cert(qwac), "CERTIFICATE_INVALID"},
		"expired seal":          {cert(expired), "CERTIFICATE_EXPIRED"},
		"no base64":             {func(r *http.Request) { r.Header.Set("TPP-Signature-Certificate", "%%") }, "CERTIFICATE_INVALID"},
		"no certificate at all": {func(r *http.Request) { r.Header.Set("TPP-Signature-Certificate", "AAAA") }, "CERTIFICATE_INVALID"},
	} {
		p.change = c.change
		a := p.call("POST", "consents", allAccounts)
		if a.status != 401 || a.text("tppMessages", 0, "code") != c.code {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, c.code)
		}
	}
	p.change = nil
	p.call("POST", "consents", allAccounts, "PSU-ID", maja, "TPP-Redirect-URI", "https://tpp.example/back").want(201)
	p.change = swap("Digest", "SHA-256", "sha-256")
	p.call("POST", "consents", allAccounts).wantError(401, "SIGNATURE_INVALID") // the header changed after signing
}

// One bank requires a signed header Date that is close to its clock.
func TestSignature_CoversDate(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-static")
	p.call("POST", "consents", allAccounts).want(201)
	p.dateSigned = false
	p.call("POST", "consents", allAccounts).wantError(401, "SIGNATURE_INVALID")
	p.dateSigned = true
	w.clock.Advance(10 * time.Minute)
	p.change = func(r *http.Request) { w.clock.Advance(6 * time.Minute) }
	p.call("POST", "consents", allAccounts).wantError(400, "TIMESTAMP_INVALID")
}

func TestRequest_ValidatesHeadersAndParameters(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	list := p.call("GET", "accounts", "", "Consent-ID", id).want(200)
	account := list.text("accounts", 0, "resourceId")
	rows := "accounts/" + account + "/transactions"
	other := p.consent(allAccounts, tim)
	foreign := p.call("GET", "accounts", "", "Consent-ID", other).want(200).text("accounts", 0, "resourceId")
	const booked = "?bookingStatus=booked&dateFrom=2026-03-01"
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		status             int
		code               string
	}{
		"no request id":       {"GET", "accounts", "", []string{"X-Request-ID", ""}, 400, "FORMAT_ERROR"},
		"request id not UUID": {"GET", "accounts", "", []string{"X-Request-ID", "123"}, 400, "FORMAT_ERROR"},
		"invalid address":     {"GET", "accounts", "", []string{"PSU-IP-Address", "home"}, 400, "FORMAT_ERROR"},
		"geo location":        {"GET", "accounts", "", []string{"PSU-Geo-Location", "GEO:1;2"}, 400, "FORMAT_ERROR"},
		"device id":           {"GET", "accounts", "", []string{"PSU-Device-ID", "x"}, 400, "FORMAT_ERROR"},
		"http method":         {"GET", "accounts", "", []string{"PSU-Http-Method", "HEAD"}, 400, "FORMAT_ERROR"},
		"no consent id":       {"GET", "accounts", "", []string{"Consent-ID", ""}, 400, "FORMAT_ERROR"},
		"unknown consent":     {"GET", "accounts", "", []string{"Consent-ID", uuid.NewString()}, 403, "CONSENT_UNKNOWN"},
		"accept":              {"GET", "accounts", "", []string{"Accept", "application/xml"}, 406, "REQUESTED_FORMATS_INVALID"},
		"method":              {"POST", "accounts", "{}", nil, 405, "SERVICE_INVALID"},
		"no such resource":    {"GET", "payments", "", nil, 404, "RESOURCE_UNKNOWN"},
		"empty id":            {"GET", "consents/", "", nil, 404, "RESOURCE_UNKNOWN"},
		"unknown account":     {"GET", "accounts/" + uuid.NewString(), "", nil, 404, "RESOURCE_UNKNOWN"},
		"account of another":  {"GET", "accounts/" + foreign, "", nil, 404, "RESOURCE_UNKNOWN"},
		"card under accounts": {"GET", "card-accounts/" + account, "", nil, 404, "RESOURCE_UNKNOWN"},
		"unknown transaction": {"GET", rows + "/nothing", "", nil, 404, "RESOURCE_UNKNOWN"},
		"unknown parameter":   {"GET", "accounts?x=1", "", nil, 400, "FORMAT_ERROR"},
		"withBalance":         {"GET", "accounts?withBalance=yes", "", nil, 400, "FORMAT_ERROR"},
		"no bookingStatus":    {"GET", rows + "?dateFrom=2026-03-01", "", nil, 400, "FORMAT_ERROR"},
		"bookingStatus":       {"GET", rows + "?bookingStatus=done&dateFrom=2026-03-01", "", nil, 400, "FORMAT_ERROR"},
		"not offered":         {"GET", rows + "?bookingStatus=information", "", nil, 400, "PARAMETER_NOT_SUPPORTED"},
		"delta":               {"GET", rows + booked + "&deltaList=true", "", nil, 400, "PARAMETER_NOT_SUPPORTED"},
		"no dateFrom":         {"GET", rows + "?bookingStatus=booked", "", nil, 400, "FORMAT_ERROR"},
		"date":                {"GET", rows + "?bookingStatus=booked&dateFrom=2026-02-30", "", nil, 400, "FORMAT_ERROR"},
		"dates swapped":       {"GET", rows + booked + "&dateTo=2026-02-01", "", nil, 400, "PERIOD_INVALID"},
		"before the history":  {"GET", rows + "?bookingStatus=booked&dateFrom=2019-01-01", "", nil, 400, "PERIOD_INVALID"},
		"tomorrow":            {"GET", rows + "?bookingStatus=booked&dateFrom=2026-04-02", "", nil, 400, "PERIOD_INVALID"},
		"forged page":         {"GET", rows + "?bookingStatus=booked&page=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", nil, 400, "FORMAT_ERROR"},
		"card status":         {"GET", "card-accounts/x/transactions?bookingStatus=all&dateFrom=2026-03-01", "", nil, 404, "RESOURCE_UNKNOWN"},
	} {
		header := append([]string{"Consent-ID", id}, c.header...)
		a := p.call(c.method, c.path, c.body, header...)
		if a.status != c.status || a.text("tppMessages", 0, "code") != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, a.status, a.body, c.status, c.code)
		}
	}
	p.call("POST", "consents", allAccounts, "Content-Type", "text/plain").want(415)
	p.call("POST", "consents", `"`+strings.Repeat("x", 64<<10)+`"`).wantError(400, "FORMAT_ERROR")
	for geo, status := range map[string]int{
		"GEO:59.329300;18.068600": 200, "GEO:-5.000000;-180.000000": 200, "59.329300;18.068600": 400,
		"GEO:59.3293;18.068600": 400, "GEO:59.329300;1818.068600": 400, "GEO:5x.329300;18.068600": 400, "GEO:59.329300": 400,
	} {
		if got := p.call("GET", "accounts", "", "Consent-ID", id, "PSU-Geo-Location", geo); got.status != status {
			t.Errorf("%s: %d", geo, got.status)
		}
	}
	p.call("GET", "accounts?withBalance=true", "", "Consent-ID", id, "Accept", "text/html, application/*;q=0.1").want(200)
}

func TestConsent_IsUnknownToOtherTPPs(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := p.consent(allAccounts, maja)
	organization := func(s *pki.Spec) { s.Organization = "PSDSE-FINA-99999" }
	qwac, err := w.CA().Issue(changed(pki.QWAC(), organization))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := w.CA().Issue(changed(pki.QSEAL(), organization))
	if err != nil {
		t.Fatal(err)
	}
	other := w.tppWith("se-demo-psd2", []tls.Certificate{qwac}, seal)
	for _, path := range []string{"consents/" + id, "consents/" + id + "/status", "consents/" + id + "/authorisations"} {
		other.call("GET", path, "").wantError(403, "CONSENT_UNKNOWN")
	}
	other.call("GET", "accounts", "", "Consent-ID", id).wantError(403, "CONSENT_UNKNOWN")
	other.call("DELETE", "consents/"+id, "").wantError(403, "CONSENT_UNKNOWN")
}

// A bank may want signatures only where a request changes something.
func TestSignature_IsNotNeededForReadsAtShortBank(t *testing.T) {
	w := start(t, nil)
	for _, bank := range []string{"se-sandbox-short", "se-demo-psd2"} {
		p := w.tpp(bank)
		id := p.consent(allAccounts, maja)
		p.change = func(r *http.Request) {
			for _, name := range []string{"Digest", "Signature", "TPP-Signature-Certificate"} {
				r.Header.Del(name)
			}
		}
		p.call("POST", "consents", allAccounts).wantError(401, "SIGNATURE_MISSING")
		if read := p.call("GET", "consents/"+id, ""); bank == "se-sandbox-short" {
			read.want(200)
		} else {
			read.wantError(401, "SIGNATURE_MISSING")
		}
		p.change = func(r *http.Request) { r.Header.Set("Digest", "SHA-256=x") }
		p.call("GET", "consents/"+id, "").wantError(401, "SIGNATURE_INVALID")
	}
}

func TestError_IsProblemDocumentAtStaticBank(t *testing.T) {
	w := start(t, nil)
	a := w.tpp("se-sandbox-static").call("GET", "consents/nothing", "").want(403)
	if a.header.Get("Content-Type") != "application/problem+json" || a.text("code") != "CONSENT_UNKNOWN" || a.text("type") == "" {
		t.Errorf("%v %s", a.header, a.body)
	}
}

// Every endpoint rejects reads that the consent does not cover.
func TestScope_IsCheckedByEveryEndpoint(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-demo-psd2")
	id := p.consent(consentBody(`{"availableAccounts":"allAccounts"}`), maja)
	for root, kind := range map[string]string{"accounts/": "accounts", "card-accounts/": "cardAccounts"} {
		list := p.call("GET", strings.TrimSuffix(root, "/"), "", "Consent-ID", id).want(200)
		account := root + list.text(kind, 0, "resourceId")
		p.call("GET", account, "", "Consent-ID", id).want(200)
		p.call("GET", account+"/balances", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
		p.call("GET", account+"/transactions?bookingStatus=booked&dateFrom=2026-03-01", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	}
	account := "accounts/" + p.call("GET", "accounts", "", "Consent-ID", id).text("accounts", 0, "resourceId")
	p.call("GET", account+"?withBalance=true", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	p.call("GET", account+"/transactions/x", "", "Consent-ID", id).wantError(401, "CONSENT_INVALID")
	p.call("GET", account+"/transactions/x?a=1", "", "Consent-ID", id).wantError(400, "FORMAT_ERROR")

	// An account reference can be a masked PAN, or a BBAN with a currency.
	all := p.consent(allAccounts, maja)
	pan := p.call("GET", "card-accounts", "", "Consent-ID", all).want(200).text("cardAccounts", 0, "maskedPan")
	bban := p.call("GET", "accounts", "", "Consent-ID", all).want(200).text("accounts", 0, "bban")
	some := p.consent(consentBody(`{"transactions":[{"maskedPan":"`+pan+`"},{"bban":"`+bban+`","currency":"SEK"},{"bban":"`+bban+`","currency":"EUR"}]}`), maja)
	if n := len(p.call("GET", "consents/"+some, "").want(200).list("access", "transactions")); n != 2 {
		t.Errorf("%d references granted", n)
	}
	if n := len(p.call("GET", "card-accounts", "", "Consent-ID", some).want(200).list("cardAccounts")); n != 1 {
		t.Errorf("%d cards", n)
	}
}

// One bank accepts SHA-512 in addition to SHA-256.
func TestSignature_AcceptsSHA512(t *testing.T) {
	w := start(t, nil)
	p := w.tpp("se-sandbox-short")
	p.call("POST", "consents", allAccounts).want(201)
	p.sha512 = true
	p.call("POST", "consents", allAccounts).want(201)
	demo := w.tpp("se-demo-psd2")
	demo.sha512 = true
	demo.call("POST", "consents", allAccounts).wantError(401, "SIGNATURE_INVALID")
}

// The BankID API accepts only client certificates of the sandbox's CA.
func TestBankIDAPI_RequiresCertificate(t *testing.T) {
	w := start(t, nil)
	_, seal := w.TPP()
	otherCA, err := pki.NewCA("other CA", w.clock.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := otherCA.Issue(pki.QWAC())
	if err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string][]tls.Certificate{"none": nil, "other CA": {foreign}} {
		a := w.tppWith("se-demo-psd2", client, seal).call("POST", "/rp/v6.0/auth", `{"endUserIp":"192.0.2.7"}`)
		if a.status != 401 && a.status != 403 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
