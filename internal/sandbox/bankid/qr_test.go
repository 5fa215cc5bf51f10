package bankid_test

import (
	"strings"
	"testing"
	"time"

	"samla/internal/sandbox/bankid"
)

// The example that BankID has published.
func TestQRData_MatchesPublishedExample(t *testing.T) {
	const (
		token  = "67df3917-fa0d-44e5-b327-edcc928297f8"
		secret = "d28db9a7-4cde-429e-a983-359be676944c"
	)
	for second, mac := range []string{
		"dc69358e712458a66a7525beef148ae8526b1c71610eff2c16cdffb4cdac9bf8",
		"949d559bf23403952a94d103e67743126381eda00f0b3cbddbf7c96b1adcbce2",
		"a9e5ec59cb4eee4ef4117150abc58fad7a85439a6a96ccbecc3668b41795b3f3",
	} {
		want := "bankid." + token + "." + string(rune('0'+second)) + "." + mac
		if got := bankid.QRData(token, secret, second); got != want {
			t.Errorf("second %d:\n got %s\nwant %s", second, got, want)
		}
	}
}

func TestAct_ChecksQRText(t *testing.T) {
	s, c := newService()
	o := auth(t, s, bankid.AuthRequest{Expected: anna})
	c.Advance(20 * time.Second)
	at := func(second int) string { return bankid.QRData(o.QRStartToken, o.QRStartSecret, second) }
	tampered := at(20)[:len(at(20))-1] + "0"
	if tampered == at(20) {
		tampered = at(20)[:len(at(20))-1] + "1"
	}
	for _, tt := range []struct{ name, text, code string }{
		{"too old", at(9), bankid.StaleQR},
		{"from the future", at(22), bankid.StaleQR},
		{"tampered", tampered, bankid.InvalidQR},
		{"another second's HMAC", strings.Replace(at(20), ".20.", ".19.", 1), bankid.InvalidQR},
		{"another secret", bankid.QRData(o.QRStartToken, "guess", 20), bankid.InvalidQR},
		{"another token", bankid.QRData("guess", o.QRStartSecret, 20), bankid.UnknownOrder},
		{"not a QR text", "https://example.com", bankid.InvalidQR},
		{"upper case", strings.ToUpper(at(20)), bankid.InvalidQR},
		{"zero before the second", strings.Replace(at(20), ".20.", ".020.", 1), bankid.InvalidQR},
		{"very long", at(20) + strings.Repeat("a", 1000), bankid.InvalidQR},
	} {
		t.Run(tt.name, func(t *testing.T) {
			act(t, s, bankid.PhoneAction{Action: bankid.Open, QRData: tt.text}, tt.code)
			wantState(t, s, o.OrderRef, "pending", "outstandingTransaction")
		})
	}
	other := auth(t, s, bankid.AuthRequest{Expected: bo}) // a relying party's clock may be a second ahead
	act(t, s, bankid.PhoneAction{Action: bankid.Open, QRData: bankid.QRData(other.QRStartToken, other.QRStartSecret, 1)}, "")
	act(t, s, bankid.PhoneAction{Action: bankid.Open, QRData: at(10)}, "") // the oldest text that is accepted
	c.Advance(time.Minute)
	// The order is open, so the text may be of any age.
	act(t, s, bankid.PhoneAction{Action: bankid.Approve, QRData: at(10)}, "")
	wantState(t, s, o.OrderRef, "complete", "")
}
