package xs2a

import (
	"testing"

	"samla/internal/clock"
)

// The answers to status questions are most of what a bank sends.
func BenchmarkReadAuthorisation(b *testing.B) {
	const body = `{"_links":{"scaStatus":{"href":"/psd2/v1/consents/67df3917-fa0d-44e5-b327-edcc928297f8/authorisations/7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6"},"self":{"href":"/psd2/v1/consents/67df3917-fa0d-44e5-b327-edcc928297f8"},"status":{"href":"/psd2/v1/consents/67df3917-fa0d-44e5-b327-edcc928297f8/status"}},"challengeData":{"data":["7c40b5c9-fa74-49cf-b98c-bfe651f9a7c6","bankid.67df3917-fa0d-44e5-b327-edcc928297f8.0.dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8"]},"hintCode":"outstandingTransaction","psuMessage":"Skanna QR-koden på skärmen med BankID-appen.","scaStatus":"scaMethodSelected"}`
	bank := &Bank{wire: Profile{}.withDefaults().wire(), clock: clock.System()}
	resp := response{requestID: "1", status: 200, body: []byte(body)}
	b.ReportAllocs()
	for b.Loop() {
		d, err := documentOf(resp)
		if err != nil {
			b.Fatal(err)
		}
		if a := bank.authorisation(d, resp, "sv-SE", true); a.Instructions == nil || a.Instructions.QRData == "" {
			b.Fatalf("%+v", a)
		}
	}
}
