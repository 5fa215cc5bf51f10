package export_test

import (
	"encoding/json"
	"testing"
	"time"

	"samla/internal/export"
	"samla/internal/product"
)

var readAt = time.Date(2026, 11, 27, 7, 15, 49, 0, time.UTC)

// household has what is hard to write: a name that closes comments and tags, a formula, a
// text that is longer than any field, letters outside of ASCII and outside of the basic
// plane, control characters, a card, other currencies, an account without a number, and
// transactions that are pending or have no day.
const household = `[
	{"id": "p1", "type": "PSD2_CHECKING_ACCOUNT", "company": "se-demo-psd2", "companyDisplayName": "Demo <Bank> & Co --> AB", "accountId": "acc-aaaaaaaaaaaaaaaaaaaaaaaaaa",
		"accountHolderName": "Anna Svensson", "accountName": "Lönekonto \"ett\" \\ -- två", "iban": "SE3550000000054910000003", "bic": "ESSESESS", "currency": "SEK",
		"bookedBalance": {"amount": 1000.10, "currency": "SEK"}, "availableBalance": {"amount": 900.1, "currency": "SEK"}, "transactions": [
		{"transactionId": "0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d00", "accountId": "acc-a", "amount": {"amount": -256.67, "currency": "SEK"}, "direction": "DEBIT", "status": "PENDING", "counterpartyName": "ICA"},
		{"transactionId": "0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d01", "accountId": "acc-a", "amount": {"amount": -0.10, "currency": "SEK"}, "direction": "DEBIT", "status": "BOOKED", "bookingDate": "2026-11-26",
			"counterpartyName": "=HYPERLINK(\"x\")", "description": "@SUM(1) 東京 🎁 <b>&amp;\u0001\u0000 ]]> -- \ud800 z"},
		{"transactionId": "0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d02", "accountId": "acc-a", "amount": {"amount": 32450.5, "currency": "SEK"}, "direction": "CREDIT", "status": "BOOKED", "bookingDate": "2024-02-29",
			"counterpartyName": "A counterparty whose name is longer than thirty-two characters", "description": "LONG"},
		{"transactionId": "0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d03", "accountId": "acc-a", "amount": {"amount": 0, "currency": "SEK"}, "direction": "CREDIT", "status": "BOOKED", "createdAt": "2026-11-02T10:30:00Z", "description": "Ränta"},
		{"transactionId": "0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d04", "accountId": "acc-a", "amount": {"amount": 7, "currency": "SEK"}, "direction": "CREDIT", "status": "BOOKED"},
		{"transactionId": "0191a7e2-7b1c-7f00-8a11-3f1c2e9a4d05", "accountId": "acc-a", "amount": {"amount": -12.34567, "currency": "EUR"}, "direction": "DEBIT", "status": "BOOKED", "bookingDate": "2026-11-27"}]},
	{"id": "p2", "type": "PSD2_CREDIT_CARD", "company": "se-demo-psd2", "companyDisplayName": "Demo", "accountId": "acc-cccccccccccccccccccccccccc", "accountName": "Mastercard",
		"accountNumber": "549400******8049", "currency": "SEK", "bookedBalance": {"amount": -10269.22, "currency": "SEK"}, "transactions": [
		{"transactionId": "c1", "accountId": "acc-c", "amount": {"amount": -735.04, "currency": "SEK"}, "direction": "DEBIT", "status": "BOOKED", "bookingDate": "2026-11-26", "description": "Amazon"}]},
	{"id": "p3", "type": "PSD2_SAVINGS_ACCOUNT", "company": "se-demo-psd2", "companyDisplayName": "Demo", "accountId": "acc-bbbbbbbbbbbbbbbbbbbbbbbbbb",
		"bookedBalance": {"amount": 25000, "currency": "EUR"}},
	{"id": "p4", "type": "MORTGAGE_LOAN", "company": "se-demo-psd2", "companyDisplayName": "Demo", "loanId": "000047433123", "loanDetails": {"balance": {"amount": 2000000, "currency": "SEK"}}},
	{"id": "p5", "type": "ISK", "company": "se-demo-psd2", "companyDisplayName": "Demo", "productName": "Depå", "financialInformation": {"currentValue": {"amount": 26982.66, "currency": "SEK"}}},
	{"id": "p6", "type": "SOMETHING_NEW", "company": "se-demo-psd2", "companyDisplayName": "Demo"}]`

// failer is a test, or a case of a property.
type failer interface{ Fatal(args ...any) }

// batchOf reads products.
func batchOf(t failer, products string) export.Batch {
	list, err := product.ReadAll([]byte(products))
	if err != nil {
		t.Fatal(err)
	}
	return export.Batch{ID: "01a21bdf-ecd8-76a0-addf-2ded0b881ef1", Company: "se-demo-psd2", ReadAt: readAt, Raw: json.RawMessage(products), Products: list}
}

func batch(t *testing.T, products string) export.Batch {
	t.Helper()
	return batchOf(t, products)
}

// contentOf writes a batch as one file.
func contentOf(t failer, b export.Batch, f export.Format) string {
	files, _, err := export.Write(b, f)
	if err != nil || len(files) != 1 {
		t.Fatal(len(files), "files", err)
	}
	return string(files[0].Content)
}

func only(t *testing.T, b export.Batch, f export.Format) (content string, notes []string) {
	t.Helper()
	_, notes, _ = export.Write(b, f)
	return contentOf(t, b, f), notes
}
