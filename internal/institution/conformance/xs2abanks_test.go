package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"samla/internal/bgspec"
	"samla/internal/consent"
	"samla/internal/httpclient/httpsig"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/xs2a"
	"samla/internal/strictjson"
)

// sandboxBank is how a bank of the sandbox differs from the standard.
type sandboxBank struct {
	profile   xs2a.Profile
	signature xs2a.Signature
	more      func(*world, *xs2a.Config) // what depends on the sandbox's address
	expect    conformance.Expect
}

// sandboxBanks are the banks of the sandbox, by company; another word behind it is another
// profile for the same bank.
func sandboxBanks() map[string]sandboxBank {
	yes, no, none := true, false, ""
	static := xs2a.Signature{Variant: httpsig.Variant{Headers: []string{"date", "digest", "x-request-id", "psu-id"}}}
	usual := conformance.Expect{LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 2, Pending: true}
	expect := func(change func(*conformance.Expect)) conformance.Expect {
		e := usual
		change(&e)
		return e
	}
	qr := func(kind institution.QRKind) conformance.Expect {
		return expect(func(e *conformance.Expect) { e.QR = kind })
	}
	return map[string]sandboxBank{
		"se-demo-psd2":         {profile: xs2a.Profile{ReplaySafe: true}, expect: qr(institution.QRText)},
		"se-sandbox-autostart": {profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRNone, NeedsPSUID: true}, expect: qr(institution.QRNone)},
		"se-sandbox-static": {
			profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRImage, BookingStatus: "booked", WithBalance: &no}, signature: static,
			expect: conformance.Expect{QR: institution.QRImage, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 20},
		},
		// This bank refuses what the profile does not leave out.
		"se-sandbox-static asked for too much": {
			profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRImage}, signature: static,
			expect: conformance.Expect{QR: institution.QRImage, LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 20},
		},
		"se-sandbox-short": {
			profile:   xs2a.Profile{ReplaySafe: true, DailyLimit: 1, FrequencyPerDay: 1, LongestConsent: 30},
			signature: xs2a.Signature{Variant: httpsig.Variant{Digest: "sha-512", Algorithm: "rsa-sha512"}},
			expect:    conformance.Expect{QR: institution.QRText, LongestConsent: 30, Accounts: 3, Pages: 3, Pending: true},
		},
		"se-crowd-local": {profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRSecret}, expect: qr(institution.QRSecret)},

		// The shapes of docs/reference/families.md 2.
		"se-demo-redirect": {profile: xs2a.Profile{ReplaySafe: true, SCA: "redirect"}, expect: usual},
		"se-demo-redirect-explicit": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "redirect", Redirect: xs2a.Redirect{ExplicitStart: &yes}},
			expect:  expect(func(e *conformance.Expect) { e.Confirms, e.Unexplained = true, true }),
		},
		"se-demo-oauth": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "oauth"},
			expect:  expect(func(e *conformance.Expect) { e.Bearer, e.Silent = true, true }),
		},
		"se-sandbox-confirm": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "oauth"},
			expect: expect(func(e *conformance.Expect) {
				e.Bearer, e.Silent, e.Confirms, e.TokenLife = true, true, true, 5*time.Minute
			}),
		},
		"se-demo-prestep": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "redirect-after-login", ListFirst: true, OldConsent: institution.OldEndsOnRequest,
				Paths: xs2a.Paths{Consents: "v5/consents", Accounts: "v5/accounts", Cards: "v5/card-accounts"}},
			more: func(w *world, c *xs2a.Config) {
				c.Query = map[string]string{"bic": "DEMPSESS", "app-id": "samla-app"}
				c.Headers = map[string]string{"Date": "{date}", "X-AffiliatedASPSP-ID": "DEMPSESS"}
				c.OAuth = xs2a.OAuth{AuthorizationEndpoint: w.base + "/psd2/authorize", TokenEndpoint: w.base + "/psd2/token",
					RevocationEndpoint: w.base + "/psd2/revoke", ClientID: "samla-app", ClientAuth: "post",
					SecretFile: w.write("client.secret", "samla-app-secret"), Scope: "PSD2", AuthorizationQuery: map[string]string{"bic": "DEMPSESS"}}
			},
			expect: expect(func(e *conformance.Expect) { e.Bearer, e.TokenLife, e.EndsLogin = true, 180*24*time.Hour, true }),
		},
		"se-demo-prestep-decoupled": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "decoupled-after-login", Redirect: xs2a.Redirect{ExplicitStart: &no}, BookingStatus: "booked", WithBalance: &no, Cards: &none,
				FullHistory: strictjson.Duration(15 * time.Minute), Paths: xs2a.Paths{Consents: "v1/berlin-group/v1/consents", Accounts: "v1/berlin-group/v1/accounts"}},
			signature: xs2a.Signature{None: true},
			more: func(w *world, c *xs2a.Config) {
				c.Headers = map[string]string{"User-Agent": "samla"}
				c.OAuth = xs2a.OAuth{AuthorizationEndpoint: w.base + "/oauth2/authorize", TokenEndpoint: w.base + "/oauth2/token", Scope: "DEDICATED_AISP", ResponseType: "CODE",
					Challenge: "unnamed", TokenQuery: map[string]string{"role": "DEDICATED_AISP"}, CodeErrors: []string{"invalid_request"}}
			},
			expect: conformance.Expect{LongestConsent: 180, Accounts: 2, Pages: 2, Bearer: true, Push: true, BindsOrder: true, Unexplained: true, TokenLife: 180 * 24 * time.Hour},
		},
		"se-sandbox-methods": {profile: xs2a.Profile{ReplaySafe: true}, expect: qr(institution.QRText)},
		"se-sandbox-methods on this device": {
			profile: xs2a.Profile{ReplaySafe: true, QR: institution.QRNone, SameDevice: []string{"mbid-same"}}, expect: qr(institution.QRNone),
		},
		"se-sandbox-methods on its page": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "redirect", SCAMethods: []string{"CHIP_OTP"}, Redirect: xs2a.Redirect{ExplicitStart: &yes}},
			expect:  usual,
		},
		"se-sandbox-implicit": {
			profile: xs2a.Profile{ReplaySafe: true, Paths: xs2a.Paths{Consents: "psd2/v2/ais/consents", Accounts: "psd2/v3/accounts", Cards: "psd2/v3/card-accounts"}},
			expect:  expect(func(e *conformance.Expect) { e.QR, e.Refused = institution.QRText, consent.Rejected }), // its answer does not say why
		},
		"se-sandbox-cosign": {
			profile: xs2a.Profile{ReplaySafe: true, SCA: "redirect", SecondSigner: strictjson.Duration(72 * time.Hour)},
			expect:  usual,
		},
	}
}

// judgeOf returns the oracle of a bank, whatever the versions in its paths.
func judgeOf(t *testing.T, company string, p xs2a.Profile) oracle {
	t.Helper()
	o := bgspec.New(t, "https://sandbox/"+company)
	var at []string
	for _, path := range []string{p.Paths.Consents, p.Paths.Accounts, p.Paths.Cards} {
		if end := strings.LastIndexByte(path, '/'); end > 0 {
			at = append(at, "/"+path[:end])
		}
	}
	if at == nil {
		return o
	}
	return o.Under(at...)
}

// write writes a file beside the certificates, and returns its name.
func (w *world) write(name, text string) string {
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		panic(err)
	}
	return name
}

// coSign signs a consent as the second person.
func (w *world) coSign(t *testing.T, id consent.RemoteID) {
	t.Helper()
	if signed, err := w.sandbox.Bank(w.company).CoSign(string(id), otherPerson, false); err != nil || !signed {
		t.Fatalf("the second person signs: %t, %v", signed, err)
	}
}
