package xs2a_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/bgspec"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
	"samla/internal/plaintext"
)

// answerTo returns an answer to a question of the kind about one account.
func answerTo(kind string, body []byte) institution.Answer {
	q := institution.Question{Kind: kind, From: since}
	if kind == "balances" || kind == "transactions" {
		q.Account = "account/1"
	}
	return institution.Answer{Question: q, Body: body}
}

// rows returns the transactions of a reading.
func rows(r institution.Reading) []fact.Transaction {
	var all []fact.Transaction
	for _, h := range r.Facts.Histories {
		all = append(all, h.Transactions...)
	}
	return all
}

// The examples are the official ones that are valid (docs/reference/banks.md 10).
func TestBank_DecodesOfficialExamples(t *testing.T) {
	s := newScriptedBank(t, nil, nil)
	for name, want := range map[string]int{
		"accountListExample1": 2, "accountListExample2": 2, "accountListExample3": 3, "cardAccountListExample1": 1,
	} {
		got, err := s.Read(answerTo("accounts", bgspec.Example(t, name)))
		if err != nil || len(got.Facts.Accounts) != want || len(got.Questions) < want {
			t.Errorf("%s: %d accounts, %d questions, %v", name, len(got.Facts.Accounts), len(got.Questions), err)
		}
		for _, a := range got.Facts.Accounts {
			if a.Currency == "" || a.ID == "" || a.Card != (name == "cardAccountListExample1") {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
	for name, want := range map[string]int{
		"balancesExample1_RegularAccount": 2, "balancesExample2_MulticurrencyAccount": 4, "balancesExample3_RegularAccount": 3,
	} {
		if got, err := s.Read(answerTo("balances", bgspec.Example(t, name))); err != nil || len(got.Facts.Balances) != want {
			t.Errorf("%s: %d balances, %v", name, len(got.Facts.Balances), err)
		}
	}
	for name, want := range map[string][2]int{
		"transactionsExample1_RegularAccount_json": {2, 1}, "transactionsExample3_MulticurrencyAccount_json": {3, 1},
	} {
		answer := answerTo("transactions", bgspec.Example(t, name))
		answer.Question.From = "2017-01-01"
		got, err := s.Read(answer)
		booked := 0
		for _, row := range rows(got) {
			if row.Booked {
				booked++
			}
		}
		if err != nil || booked != want[0] || len(rows(got))-booked != want[1] || len(got.Deviations) != 0 {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := s.Read(answerTo("transactions", bgspec.Example(t, "transactionsExample2_Download_json"))); institution.KindOf(err) != institution.MalformedResponse {
		t.Errorf("a download: %v", err)
	}
	for _, name := range []string{"consentResponseExample1a_Redirect", "consentResponseExample1b_Redirect",
		"consentResponseExample2_OAuth2", "consentResponseExample3_Decoupled", "consentResponseExample4_Embedded"} {
		s.answer = responds(201, string(bgspec.Example(t, name)))
		if got, err := s.OpenConsent(t.Context(), openRequest(fullScope)); err != nil || got.ConsentID == "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	s.answer = responds(201, string(bgspec.Example(t, "startScaProcessResponseExample1")))
	got, err := s.StartAuthorization(t.Context(), institution.AuthorizeRequest{RequestID: requestID, ConsentID: "c1", PSU: person})
	if err != nil || got.ID == "" || got.Instructions == nil || got.Instructions.UserMessage.Text == "" {
		t.Errorf("got %+v, %v", got, err)
	}
	s.answer = responds(200, string(bgspec.Example(t, "consentsInformationResponseExample"))) // not valid, but decoded leniently
	if got, err := s.Consent(t.Context(), institution.Access{ConsentID: "c1"}); err != nil || got.State != institution.ConsentValid {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRead_DecodesBalances(t *testing.T) {
	s := newScriptedBank(t, nil, nil)
	answer := answerTo("balances", []byte(`{"account":{},"balances":[
		{"balanceType":"closingBooked","balanceAmount":{"currency":"SEK","amount":"1 234,50"},"referenceDate":"2026-11-21"},
		{"debitAccounting":true},{"balanceAmount":{"amount":"1"}},7,{"balanceType":"expected","balanceAmount":{"amount":"x"}}]}`))
	answer.FetchedAt = noon
	got, err := s.Read(answer)
	bare, _ := money.New(money.Must("1", "SEK").Value(), "")
	want := []fact.Balance{{Account: "account/1", Kind: fact.ClosingBooked, Amount: money.Must("1234.50", "SEK"), Day: day(2026, 11, 21)},
		{Account: "account/1", Amount: bare}} // the currency is the account's
	if diff := cmp.Diff(want, got.Facts.Balances, sameMoney); diff != "" || err != nil || got.Deviations[deviation.UnreadableBalance] != 1 {
		t.Error(diff, err, got.Deviations)
	}
}

func TestRead_DistinguishesEmptyFromMalformed(t *testing.T) {
	s := newScriptedBank(t, nil, nil)
	read := map[string]func(string) error{
		"accounts": func(body string) error { _, err := s.Read(answerTo("accounts", []byte(body))); return err },
		"balances": func(body string) error { _, err := s.Read(answerTo("balances", []byte(body))); return err },
	}
	for member, read := range read {
		for _, body := range []string{``, `{}`, `[]`, `null`, `<html>`, `{"` + member + `":{}}`, `{"` + member + `":null}`, `{"error":"no"}`} {
			if err := read(body); institution.KindOf(err) != institution.MalformedResponse || err == nil {
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
		read, err := s.Read(answerTo("accounts", body))
		readOrMalformed(t, len(read.Facts.Accounts)+len(read.Questions), err)
		known := map[string]bool{}
		for _, a := range read.Facts.Accounts {
			known[a.Key] = true
			if a.ID+a.IBAN+a.BBAN+a.MaskedPAN == "" {
				t.Error("an account without any id")
			}
		}
		for _, q := range read.Questions {
			if !known[q.Account] && q.Kind != "accounts" {
				t.Errorf("a question about an unknown account: %+v", q)
			}
		}
	})
}

func FuzzReadBalances(f *testing.F) {
	f.Add([]byte(`{"balances":[{"balanceType":"expected","balanceAmount":{"currency":"SEK","amount":"1"}}]}`))
	s := newReader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		read, err := s.Read(answerTo("balances", body))
		readOrMalformed(t, len(read.Facts.Balances), err)
	})
}

// The texts of a row are single lines, its ids are no place-holders, and its day is not
// before the first that was asked for.
func FuzzReadTransactions(f *testing.F) {
	const amount = `"transactionAmount":{"currency":"SEK","amount":"-1,5"}`
	f.Add([]byte(reportPage))
	f.Add([]byte(`{"cardTransactions":{"booked":[],"_links":{"next":"x"}},"debitAccounting":1}`))
	f.Add([]byte(`{"transactions":{"booked":[{"transactionId":"0","bookingDate":"20261120",` + amount + `}],"pending":[{}]}}`))
	f.Add([]byte(`{"transactions":{"booked":[{"bookingDate":"2026-11-19T23:00:00.000Z",` + amount + `,"creditDebitIndicator":{"code":"DBIT"},
		"remittanceInformationUnstructured":["a",{"b":["c",1],"type":"d"}],"creditor":{"name":"H&amp;M","account":{"other":{"identification":"1"}}}}]}}`))
	f.Add([]byte(`{"cardTransactions":{"booked":[{"amount":{"content":-1e2},"acceptorTransactionDateTime":"2026-11-19 18:12:01"}]}}`))
	s := newReader(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		read, err := s.Read(answerTo("transactions", body))
		readOrMalformed(t, len(rows(read)), err)
		for _, row := range rows(read) {
			if day := row.Day(); !day.IsZero() && day.Format(time.DateOnly) < since {
				t.Errorf("a row of %s", day)
			}
			for _, text := range []string{row.Text, row.CreditorName, row.DebtorName, row.ID, row.EntryReference, row.EndToEndID} {
				if text != strings.TrimSpace(text) || strings.ContainsAny(text, "\n\r\x00") || text != "" && plaintext.IsFiller(text) {
					t.Errorf("%q in %+v", text, row)
				}
			}
		}
	})
}

func readOrMalformed(t *testing.T, n int, err error) {
	t.Helper()
	if err != nil && (institution.KindOf(err) != institution.MalformedResponse || n != 0) {
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
	answer := answerTo("transactions", body.Bytes())
	answer.Question.From = ""
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if read, err := s.Read(answer); err != nil || len(rows(read)) != 1000 {
			b.Fatal(len(rows(read)), err)
		}
	}
}
