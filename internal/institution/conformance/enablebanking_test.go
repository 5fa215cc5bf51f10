package conformance_test

import (
	"testing"

	"samla/internal/ebspec"
	"samla/internal/institution/conformance"
	"samla/internal/institution/enablebanking"
	"samla/internal/psu"
)

// Banks behind the gateway: Länsförsäkringar has nothing particular, ICA Banken has short
// pages, an empty one among them, and no ids of rows, and Skandia has shorter sessions.
func TestEnableBanking_ConformsWithTheSandboxGateway(t *testing.T) {
	for bank, expect := range map[string]conformance.Expect{
		"se-eb-lansforsakringar": {LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 2, Pending: true},
		"se-eb-ica-banken":       {LongestConsent: 180, Accounts: 3, Cards: 1, Pages: 5, Pending: true},
		"se-eb-skandia":          {LongestConsent: 90, Accounts: 3, Cards: 1, Pages: 2, Pending: true},
	} {
		expect.Silent, expect.Unbound, expect.Renamed, expect.Timed, expect.Uncounted, expect.AsksAll = true, true, true, true, true, true
		t.Run(bank, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, func(t *testing.T) conformance.Setup {
				w := newWorld(t, bank, ebspec.New(t, "https://sandbox/enablebanking"))
				return conformance.Setup{
					Bank: w.behindGateway(t), Now: w.clock.Now, Advance: w.clock.Advance, Act: w.act, Browse: w.browse, Changes: w.changes, Expect: expect,
					Person: psu.Context{PersonalNumber: maja, IPAddress: "192.0.2.7", UserAgent: "Test/1.0", Locale: "sv-SE"},
				}
			})
		})
	}
}

// behindGateway returns the connector of the bank. The gateway knows our address of return.
func (w *world) behindGateway(t *testing.T) *enablebanking.Bank {
	t.Helper()
	if err := w.sandbox.Gateway().Register(conformance.ReturnTo); err != nil {
		t.Fatal(err)
	}
	info := w.sandbox.GatewayInfo()
	g, err := enablebanking.New(enablebanking.Config{
		BaseURL: info.BaseURL, ApplicationID: info.ApplicationID, KeyFile: info.KeyFile, CAFile: w.sandbox.CAFile(), Countries: []string{"SE"},
	}, w.deps(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	if err := g.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	b, found := g.Bank(w.company)
	if !found {
		t.Fatalf("the gateway has no bank %s", w.company)
	}
	return b
}
