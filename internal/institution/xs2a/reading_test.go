package xs2a_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/bgspec"
	"samla/internal/institution"
	"samla/internal/money"
)

// Every official example that is valid as it stands is understood (docs/reference/banks.md 10).
func TestOfficialExamples(t *testing.T) {
	s := newScripted(t, nil, nil)
	for name, want := range map[string]int{
		"accountListExample1": 2, "accountListExample2": 2, "accountListExample3": 3, "cardAccountListExample1": 1,
	} {
		got, err := s.ReadAccounts(institution.Answer{Body: bgspec.Example(t, name)})
		if err != nil || len(got) != want {
			t.Errorf("%s: %d accounts, %v", name, len(got), err)
		}
		for _, a := range got {
			if a.Currency == "" || a.ResourceID == "" || a.Card != (name == "cardAccountListExample1") || a.TransactionsLink+a.BalancesLink == "" {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
	for name, want := range map[string]int{
		"balancesExample1_RegularAccount": 2, "balancesExample2_MulticurrencyAccount": 4, "balancesExample3_RegularAccount": 3,
	} {
		if got, err := s.ReadBalances(institution.Answer{Body: bgspec.Example(t, name)}); err != nil || len(got) != want {
			t.Errorf("%s: %d balances, %v", name, len(got), err)
		}
	}
	for name, want := range map[string][2]int{
		"transactionsExample1_RegularAccount_json": {2, 1}, "transactionsExample3_MulticurrencyAccount_json": {3, 1},
	} {
		got, err := s.ReadTransactions(institution.Answer{Body: bgspec.Example(t, name)})
		booked := 0
		for _, row := range got.Transactions {
			if row.Booked {
				booked++
			}
		}
		if err != nil || booked != want[0] || len(got.Transactions)-booked != want[1] || got.Skipped != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := s.ReadTransactions(institution.Answer{Body: bgspec.Example(t, "transactionsExample2_Download_json")}); institution.KindOf(err) != institution.Garbled {
		t.Errorf("a download: %v", err)
	}
	for _, name := range []string{"consentResponseExample1a_Redirect", "consentResponseExample1b_Redirect",
		"consentResponseExample2_OAuth2", "consentResponseExample3_Decoupled", "consentResponseExample4_Embedded"} {
		s.answer = says(201, string(bgspec.Example(t, name)))
		if got, err := s.OpenConsent(t.Context(), openRequest(wholeScope)); err != nil || got.ConsentID == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	s.answer = says(201, string(bgspec.Example(t, "startScaProcessResponseExample1")))
	got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
	if err != nil || got.ID == "" || got.Instructions == nil || got.Instructions.UserMessage.Text == "" {
		t.Errorf("got %+v, %v", got, err)
	}
	s.answer = says(200, string(bgspec.Example(t, "consentsInformationResponseExample"))) // not valid, understood all the same
	if got, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"}); err != nil || got.State != institution.ConsentValid {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadBalances(t *testing.T) {
	s := newScripted(t, nil, nil)
	got, err := s.ReadBalances(institution.Answer{Body: []byte(`{"account":{},"balances":[
		{"balanceType":"closingBooked","balanceAmount":{"currency":"SEK","amount":"1 234,50"},"referenceDate":"2026-11-21"},
		{"debitAccounting":true},{"balanceAmount":{"amount":"1"}},7]}`)})
	want := []institution.Balance{{Kind: institution.ClosingBooked, Amount: money.Must("1234.50", "SEK"), At: day(2026, 11, 21)}}
	if diff := cmp.Diff(want, got, sameMoney); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// What is no answer at all is told from an answer that holds nothing.
func TestNothingAndNoAnswer(t *testing.T) {
	s := newScripted(t, nil, nil)
	read := map[string]func(string) error{
		"accounts": func(body string) error { _, err := s.ReadAccounts(institution.Answer{Body: []byte(body)}); return err },
		"balances": func(body string) error { _, err := s.ReadBalances(institution.Answer{Body: []byte(body)}); return err },
	}
	for member, read := range read {
		for _, body := range []string{``, `{}`, `[]`, `null`, `<html>`, `{"` + member + `":{}}`, `{"` + member + `":null}`, `{"error":"no"}`} {
			if err := read(body); institution.KindOf(err) != institution.Garbled || err == nil {
				t.Errorf("%s: %s: %v", member, body, err)
			}
		}
		for _, body := range []string{`{"` + member + `":[]}`, "\ufeff" + `{"` + member + `":[],"x":1}`} {
			if err := read(body); err != nil {
				t.Errorf("%s: %s: %v", member, body, err)
			}
		}
	}
}

func FuzzReadAccounts(f *testing.F) {
	f.Add([]byte(accountList))
	f.Add([]byte(`{"cardAccounts":[{"maskedPan":"5254*3241","currency":"SEK","creditLimit":{"currency":"SEK","amount":1}}]}`))
	s := newReader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		accounts, err := s.ReadAccounts(institution.Answer{Body: body})
		readOrGarbled(t, len(accounts), err)
		for _, a := range accounts {
			if a.ResourceID+a.IBAN+a.BBAN+a.MaskedPAN == "" {
				t.Error("an account that nothing names")
			}
		}
	})
}

func FuzzReadBalances(f *testing.F) {
	f.Add([]byte(`{"balances":[{"balanceType":"expected","balanceAmount":{"currency":"SEK","amount":"1"}}]}`))
	s := newReader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		balances, err := s.ReadBalances(institution.Answer{Body: body})
		readOrGarbled(t, len(balances), err)
	})
}

func FuzzReadTransactions(f *testing.F) {
	f.Add([]byte(reportPage))
	f.Add([]byte(`{"cardTransactions":{"booked":[],"_links":{"next":"x"}},"debitAccounting":1}`))
	s := newReader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := s.ReadTransactions(institution.Answer{Body: body})
		readOrGarbled(t, len(page.Transactions), err)
		for _, row := range page.Transactions {
			if row.Amount.Currency() == "" || bytes.ContainsAny([]byte(row.Text), "\n\r\x00") {
				t.Errorf("row %+v", row)
			}
		}
	})
}

func readOrGarbled(t *testing.T, n int, err error) {
	t.Helper()
	if err != nil && (institution.KindOf(err) != institution.Garbled || n != 0) {
		t.Errorf("%d entries and %v", n, err)
	}
}

func BenchmarkReadTransactions(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"account":{"iban":"SE4550000000058398257466"},"transactions":{"booked":[`)
	for i := range 1000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"transactionId":"tx-%06d","entryReference":"2026-%06d","bookingDate":"%s","valueDate":"2026-11-20",
			"transactionAmount":{"currency":"SEK","amount":"-%d.50"},"creditorName":"ICA Supermarket","remittanceInformationUnstructured":"Kortköp ICA Supermarket",
			"bankTransactionCode":"PMNT-CCRD-POSD"}`, i, i, noon.AddDate(0, 0, -i).Format(time.DateOnly), i)
	}
	body.WriteString(`],"pending":[],"_links":{"account":{"href":"/v1/accounts/x"}}}}`)
	s := newReader(b)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if page, err := s.ReadTransactions(institution.Answer{Body: body.Bytes()}); err != nil || len(page.Transactions) != 1000 {
			b.Fatal(len(page.Transactions), err)
		}
	}
}
