package conformance_test

import (
	"testing"
	"time"

	"samla/internal/institution/conformance"
	"samla/internal/institution/obie"
	"samla/internal/obiespec"
	"samla/internal/psu"
	"samla/internal/sandbox/obie/resource"
)

func TestOBIE_ConformsWithTheSandboxBanks(t *testing.T) {
	for company, c := range map[string]struct {
		version obiespec.Version
		expect  conformance.Expect
	}{
		"se-demo-obie":  {obiespec.V31, conformance.Expect{Accounts: 3, Cards: 1, Pages: 2, Pending: true}},
		"se-demo-obie4": {obiespec.V40, conformance.Expect{Accounts: 3, Cards: 1, Pages: 2, Pending: true}},
	} {
		t.Run(company, func(t *testing.T) {
			t.Parallel()
			c.expect.LongestConsent, c.expect.TokenLife = 180, 180*24*time.Hour
			c.expect.Bearer, c.expect.TokenOnly, c.expect.Confirms, c.expect.Forgets, c.expect.PicksAccounts, c.expect.Repeats = true, true, true, true, true, true
			conformance.Run(t, func(t *testing.T) conformance.Setup {
				w := newWorld(t, company, obiespec.New(t, c.version, "https://sandbox/"+company))
				return conformance.Setup{
					Bank: w.obie(t), Now: w.clock.Now, Advance: w.clock.Advance, Act: w.act, Browse: w.browse, Changes: w.changes, Expect: c.expect,
					Person: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"},
				}
			})
		})
	}
}

// obie returns the connector of the bank, configured as an operator does.
func (w *world) obie(t *testing.T) *obie.Bank {
	t.Helper()
	files := w.sandbox.TPPFiles()
	for _, info := range w.sandbox.OBIE() {
		if info.Company != w.company {
			continue
		}
		b, err := obie.New(obie.Config{
			BaseURL: info.Resources, Version: map[resource.Version]string{resource.V31: "3.1.11", resource.V40: "4.0"}[info.Behaviour.Version], Issuer: info.Issuer,
			ClientID: info.ClientID, ClientAuth: string(info.Behaviour.ClientAuth), KeyFile: files.QSEALKey, KeyID: info.KeyID, FinancialID: info.Behaviour.FinancialID,
			Certificates: obie.Certificates{Cert: files.QWAC, Key: files.QWACKey, CAFile: w.sandbox.CAFile()},
		}, obie.Deps{Deps: w.deps(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	t.Fatalf("the sandbox has no bank %s", w.company)
	return nil
}
