package main

import (
	"strings"
	"testing"

	"samla/internal/plaintext"
)

func TestPrintAccounts_AlignsAmountsAndCannotControlTheTerminal(t *testing.T) {
	got := printed(t, `[
		{"type": "PSD2_CHECKING_ACCOUNT", "accountName": "Konto\u001b[2J", "iban": "SE1150000000054783107654", "bookedBalance": {"amount": 288929.91, "currency": "SEK"}, "transactions": [
			{"amount": {"amount": -256.67, "currency": "SEK"}, "status": "PENDING", "bookingDate": "2026-11-27", "counterpartyName": "ICA", "description": "Kort"},
			{"amount": {"amount": 32450, "currency": "SEK"}, "status": "BOOKED", "bookingDate": "2026-11-25", "description": "Lön"}]},
		{"type": "PSD2_CREDIT_CARD", "accountName": "東京カード", "accountNumber": "****1234", "bookedBalance": {"amount": -10, "currency": "SEK"}, "transactions": [
			{"amount": {"amount": -5, "currency": "SEK"}, "status": "BOOKED", "bookingDate": "2026-11-25", "description": "Äpple 🍎"}]},
		{"type": "PSD2_SAVINGS_ACCOUNT", "accountName": "Spar", "bookedBalance": {"amount": 1.50, "currency": "SEK"}, "transactions": []}]`)
	want := `PRODUCT                NAME        NUMBER                            BOOKED  AVAILABLE  TRANSACTIONS
PSD2_CHECKING_ACCOUNT  Konto·[2J   SE1150000000054783107654  288 929.91 SEK          -             2
PSD2_CREDIT_CARD       東京カード  ****1234                      -10.00 SEK          -             1
PSD2_SAVINGS_ACCOUNT   Spar        -                               1.50 SEK          -             0

Konto·[2J, newest transactions
  pending       -256.67 SEK  ICA  Kort
  2026-11-25  32 450.00 SEK       Lön

東京カード, newest transactions
  2026-11-25      -5.00 SEK       Äpple 🍎
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Each row of a table has its numbers at the same columns, whatever the names are made of.
func TestPrintAccounts_AlignsEveryRow(t *testing.T) {
	names := []string{"Lön", "Lo\u0308n", "貯金口座", "🎁 Julklappar", strings.Repeat("長", 40), strings.Repeat("e\u0301", 40), "한글", "\u200d", ""}
	var list []string
	for i, name := range names {
		list = append(list, `{"type": "PSD2_SAVINGS_ACCOUNT", "accountName": "`+name+`", "accountNumber": "1", "bookedBalance": {"amount": `+
			[]string{"1", "-1234567.5", "0.25"}[i%3]+`, "currency": "SEK"}, "transactions": [{"amount": {"amount": `+[]string{"1", "-99999.5"}[i%2]+
			`, "currency": "SEK"}, "status": "BOOKED", "bookingDate": "2026-11-25", "counterpartyName": "`+name+`", "description": "$"}]}`)
	}
	lines := strings.Split(printed(t, "["+strings.Join(list, ",")+"]"), "\n")
	ends, texts := map[int]bool{}, map[int]bool{}
	for _, line := range lines {
		if before, _, is := strings.Cut(line, " SEK  "); is && strings.HasPrefix(line, "PSD2") {
			ends[plaintext.Width(before)] = true
		}
		if before, is := strings.CutSuffix(line, "$"); is {
			texts[plaintext.Width(before)] = true
		}
	}
	if len(ends) != 1 || len(texts) != 1 {
		t.Errorf("amounts end at %v, texts begin at %v:\n%s", ends, texts, strings.Join(lines, "\n"))
	}
}
