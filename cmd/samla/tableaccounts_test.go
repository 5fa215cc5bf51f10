package main

import "testing"

func TestPrintAccounts_AlignsAmountsAndCannotControlTheTerminal(t *testing.T) {
	got := printed(t, `[
		{"type": "PSD2_CHECKING_ACCOUNT", "accountName": "Konto\u001b[2J", "iban": "SE1150000000054783107654", "bookedBalance": {"amount": 288929.91, "currency": "SEK"}, "transactions": [
			{"amount": {"amount": -256.67, "currency": "SEK"}, "status": "PENDING", "bookingDate": "2026-11-27", "counterpartyName": "ICA", "description": "Kort"},
			{"amount": {"amount": 32450.00, "currency": "SEK"}, "status": "BOOKED", "bookingDate": "2026-11-25", "description": "Lön"}]},
		{"type": "PSD2_SAVINGS_ACCOUNT", "accountName": "Spar", "bookedBalance": {"amount": 1.50, "currency": "SEK"}, "transactions": []}]`)
	want := `PRODUCT                NAME       NUMBER                           BOOKED  AVAILABLE  TRANSACTIONS
PSD2_CHECKING_ACCOUNT  Konto·[2J  SE1150000000054783107654  288929.91 SEK          -             2
PSD2_SAVINGS_ACCOUNT   Spar       -                              1.50 SEK          -             0

Konto·[2J, newest transactions
  pending      -256.67 SEK  ICA  Kort
  2026-11-25  32450.00 SEK       Lön
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
