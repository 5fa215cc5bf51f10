package conformance_test

import (
	"testing"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/nordea"
	"samla/internal/nordeaspec"
	"samla/internal/psu"
)

func TestNordea_ConformsWithTheSandboxBank(t *testing.T) {
	const company = "se-demo-nordea"
	conformance.Run(t, func(t *testing.T) conformance.Setup {
		w := newWorld(t, company, nordeaspec.New(t, "https://sandbox/"+company, nordeaspec.Files))
		return conformance.Setup{
			Bank: w.nordea(t, company), Now: w.clock.Now, Advance: w.clock.Advance, Act: w.act,
			Person: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"},
			Expect: conformance.Expect{QR: institution.QRText, LongestConsent: 180, Accounts: 2, Pages: 2, Pending: true, Tokens: true,
				BindsOrder: true, Overtaken: consent.AuthenticationCancelled},
		}
	})
}

func (w *world) nordea(t *testing.T, company string) *nordea.Bank {
	t.Helper()
	for _, info := range w.sandbox.Nordea() {
		if info.Company != company {
			continue
		}
		b, err := nordea.New(nordea.Config{
			BaseURL: info.BaseURL, ClientID: info.ClientID, SecretFile: info.SecretFile, KeyFile: info.KeyFile,
			Certificates: nordea.Certificates{CAFile: w.sandbox.CAFile()},
		}, nordea.Deps{Deps: w.deps(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	t.Fatalf("the sandbox has no bank %s", company)
	return nil
}
