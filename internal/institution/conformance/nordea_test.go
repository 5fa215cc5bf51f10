package conformance_test

import (
	"slices"
	"testing"

	"samla/internal/consent"
	"samla/internal/institution"
	"samla/internal/institution/conformance"
	"samla/internal/institution/nordea"
	"samla/internal/nordeaspec"
	"samla/internal/psu"
	"samla/internal/sandbox"
)

const nordeaBank = "se-demo-nordea"

func TestNordea_ConformsWithTheSandboxBank(t *testing.T) {
	for flow, c := range map[string]struct {
		change func(*nordea.Config)
		expect conformance.Expect
	}{
		"decoupled": {nil, conformance.Expect{QR: institution.QRText, LongestConsent: 180, Accounts: 2, Pages: 2, Pending: true, Tokens: true,
			BindsOrder: true, Overtaken: consent.AuthenticationCancelled}},
		"redirect": {func(c *nordea.Config) {
			c.Flow, c.CardScopes = "redirect", []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
		}, conformance.Expect{LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 2, Pending: true, Tokens: true, Silent: true, Unbound: true}},
		// A sole trader's company has the owner's number, and one agreement.
		"business": {func(c *nordea.Config) { c.Base, c.CompanyID = "business", maja }, conformance.Expect{QR: institution.QRText, LongestConsent: 180, Accounts: 1, Pages: 2,
			Pending: true, Tokens: true, BindsOrder: true, Overtaken: consent.AuthenticationCancelled}},
	} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, func(t *testing.T) conformance.Setup {
				w := newWorld(t, nordeaBank, nordeaspec.New(t, "https://sandbox/"+nordeaBank, nordeaspec.Files))
				return conformance.Setup{
					Bank: w.nordea(t, c.change), Now: w.clock.Now, Advance: w.clock.Advance, Act: w.act, Browse: w.browse, Changes: w.changes, Expect: c.expect,
					Person: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"},
				}
			})
		})
	}
}

// ourReturn is the address that the suite's persons come back to.
const ourReturn = "https://samla.example/callback/se-bank"

func (w *world) nordea(t *testing.T, change func(*nordea.Config)) *nordea.Bank {
	t.Helper()
	if err := w.sandbox.NordeaBank(nordeaBank).Register(sandbox.NordeaClientID, ourReturn); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(w.sandbox.Nordea(), func(info sandbox.NordeaInfo) bool { return info.Company == nordeaBank })
	info := w.sandbox.Nordea()[i]
	c := nordea.Config{
		BaseURL: info.BaseURL, ClientID: info.ClientID, SecretFile: info.SecretFile, KeyFile: info.KeyFile,
		Certificates: nordea.Certificates{CAFile: w.sandbox.CAFile()},
	}
	if change != nil {
		change(&c)
	}
	b, err := nordea.New(c, nordea.Deps{Deps: w.deps(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}
