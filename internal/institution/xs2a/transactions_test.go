package xs2a_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
	"samla/internal/money"
)

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

const reportPage = `{"account":{"iban":"SE4550000000058398257466"},"transactions":{"booked":[
 {"transactionId":"1","entryReference":"2026-0001","bookingDate":"2026-11-20","valueDate":"2026-11-21T00:00:00Z",
  "transactionAmount":{"currency":"SEK","amount":"-256.67"},"creditorName":" ICA ","remittanceInformationUnstructured":"Kort\nköp"},
 {"transactionId":2,"bookingDate":"20261120","transactionAmount":{"currency":"sek","amount":100.10},"debtorName":"Sten",
  "remittanceInformationUnstructuredArray":["Lön"," november ",""],"additionalInformation":"not this"},
 {"transactionAmount":{"currency":"SEK","amount":"-1"},"remittanceInformationStructured":{"reference":"RF18"}},
 {"transactionAmount":{"currency":"SEK","amount":"-2"},"remittanceInformationStructured":"RF19"},
 {"transactionAmount":{"currency":"SEK","amount":"-3"},"remittanceInformationStructuredArray":[{"reference":"a"},{"reference":"b"}]},
 {"transactionAmount":{"currency":"SEK","amount":"-4"},"remittanceInformationUnstructured":"  ","additionalInformation":"extra"},
 {"transactionAmount":{"currency":"SEK","amount":"a lot"}},{"bookingDate":"2026-11-20"},"x",null],
 "pending":[{"transactionAmount":{"currency":"EUR","amount":"-9.99"},"valueDate":"tomorrow"}],
 "_links":{"account":{"href":"/v1/accounts/3dc3"},"next":{"href":"/v1/accounts/3dc3/transactions?page=2"}}},"balances":[]}`

func TestRead_DecodesTransactions(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, reportPage))
	q := institution.Question{Kind: "transactions", Account: "account/3dc3", From: since}
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, q)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.last(t); r.path != "/psd2/v1/accounts/3dc3/transactions" || r.query != "bookingStatus=both&dateFrom=2026-08-25" {
		t.Errorf("request %+v", r)
	}
	got, err := s.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	sek := func(s string) money.Amount { return money.Must(s, "SEK") }
	next := q
	next.Link, next.Detail = "/v1/accounts/3dc3/transactions?page=2", "page"
	want := institution.Reading{Deviations: deviation.Counts{deviation.UnreadableRow: 4}, Questions: []institution.Question{next}}
	want.Facts.Histories = []fact.History{{Account: "account/3dc3", At: answer.FetchedAt, Transactions: []fact.Transaction{
		{ID: "1", EntryReference: "2026-0001", Booked: true, BookingDate: day(2026, 11, 20), ValueDate: day(2026, 11, 21),
			Amount: sek("-256.67"), CreditorName: "ICA", Text: "Kort köp"},
		{ID: "2", Booked: true, BookingDate: day(2026, 11, 20), Amount: sek("100.10"), DebtorName: "Sten", Text: "Lön november"},
		{Booked: true, Amount: sek("-1"), Text: "RF18"},
		{Booked: true, Amount: sek("-2"), Text: "RF19"},
		{Booked: true, Amount: sek("-3"), Text: "a b"},
		{Booked: true, Amount: sek("-4"), Text: "extra"},
		{Amount: money.Must("-9.99", "EUR")},
	}}}
	if diff := cmp.Diff(want, got, sameMoney); diff != "" {
		t.Error(diff)
	}
}

func TestRead_DecodesCardTransactions(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, `{"cardAccount":{"maskedPan":"491623******0875"},"debitAccounting":"true","cardTransactions":{"booked":[
		{"cardTransactionId":"c1","transactionDate":"2026-11-19","bookingDate":"2026-11-20","acceptorTransactionDateTime":"2026-11-19T18:12:01+01:00",
		 "transactionAmount":{"currency":"SEK","amount":"89"},"transactionDetails":"SJ AB","cardAcceptorName":"SJ"}],
		"pending":[],"_links":{"cardAccount":{"href":"/v1/card-accounts/x"},"next":"/v1/card-accounts/x/transactions?page=2"}}}`))
	q := institution.Question{Kind: "transactions", Account: "card/x", From: since}
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, q)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.last(t); r.path != "/psd2/v1/card-accounts/x/transactions" {
		t.Errorf("request %+v", r)
	}
	got, err := s.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	next := q
	next.Link, next.Detail = "/v1/card-accounts/x/transactions?page=2", "page"
	want := institution.Reading{Questions: []institution.Question{next}}
	want.Facts.Histories = []fact.History{{Account: "card/x", At: answer.FetchedAt, DebitPositive: true, Transactions: []fact.Transaction{
		{ID: "c1", Booked: true, BookingDate: day(2026, 11, 20), TransactionDate: day(2026, 11, 19),
			Moment: time.Date(2026, 11, 19, 17, 12, 1, 0, time.UTC), Amount: money.Must("89", "SEK"), CreditorName: "SJ", Text: "SJ AB"},
	}}}
	if diff := cmp.Diff(want, got, sameMoney); diff != "" {
		t.Error(diff)
	}
}

func TestFetch_AddsParametersToFirstPages(t *testing.T) {
	s := newScriptedBank(t, nil, responds(200, reportPage))
	access := institution.Access{ConsentID: "c1"}
	for link, want := range map[string]string{
		"":                               "bookingStatus=both&dateFrom=2026-11-22",
		"/v1/accounts/3dc3/transactions": "bookingStatus=both&dateFrom=2026-11-22",
		"/v1/accounts/3dc3/transactions?deltaList=false":                               "deltaList=false&bookingStatus=both&dateFrom=2026-11-22",
		"/v1/accounts/3dc3/transactions?dateFrom=2020-01-01&bookingStatus=booked":      "bookingStatus=booked&dateFrom=2026-11-22",
		"/v1/accounts/3dc3/transactions?bookingStatus=information&dateFrom=2020-01-01": "bookingStatus=both&dateFrom=2026-11-22",
	} {
		q := institution.Question{Kind: "transactions", Account: "account/3dc3", From: "2026-11-22", Link: link}
		if _, err := s.Fetch(t.Context(), access, q); err != nil {
			t.Fatal(err)
		}
		if r := s.last(t); r.path != "/psd2/v1/accounts/3dc3/transactions" || r.query != want {
			t.Errorf("%s: requested %s?%s", link, r.path, r.query)
		}
	}
	q := institution.Question{Kind: "transactions", Account: "account/3dc3", From: "2026-11-22", Detail: "page",
		Link: "/v1/accounts/3dc3/transactions?bookingStatus=both&page=a%2Fb"}
	if _, err := s.Fetch(t.Context(), access, q); err != nil || s.last(t).query != "bookingStatus=both&page=a%2Fb" {
		t.Errorf("a further page: %v, requested %s", err, s.last(t).query)
	}
	if _, err := s.Fetch(t.Context(), access, institution.Question{Kind: "payments"}); institution.KindOf(err) != institution.Refused {
		t.Errorf("got %v", err)
	}
	if _, err := s.Fetch(t.Context(), access, institution.Question{Kind: "balances", Account: "account/.."}); institution.KindOf(err) != institution.ForeignAddress {
		t.Errorf("got %v", err)
	}
}

func TestFetch_BankWithoutCardsHasEmptyList(t *testing.T) {
	s := newScriptedBank(t, nil, responds(404, `<html>Not found</html>`))
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, start(s.Bank)[1])
	if err != nil || s.last(t).path != "/psd2/v1/card-accounts" {
		t.Fatalf("got %v, request %+v", err, s.last(t))
	}
	if read, err := s.Read(answer); err != nil || len(read.Facts.Accounts) != 0 {
		t.Errorf("got %v, %v", read, err)
	}
	s = newScriptedBank(t, func(c *xs2a.Config) { c.Profile.Cards = new(string) }, nil)
	if questions := start(s.Bank); len(questions) != 1 || questions[0].Kind != "accounts" || !questions[0].Essential {
		t.Errorf("asks %v", questions)
	}
}

// A download is not followed, and is not an account without transactions.
func TestRead_ReportsDownloadAsMalformed(t *testing.T) {
	s := newScriptedBank(t, nil, nil)
	for _, body := range []string{
		`{"_links":{"download":{"href":"https://bank.example/dl"}}}`,
		`{"transactions":{"_links":{"account":{"href":"/v1/accounts/x"},"download":{"href":"/dl"}}}}`,
		`{}`, `{"transactions":null}`, `{"transactions":{"items":[]}}`, `[]`, `<camt/>`, ``,
	} {
		if read, err := s.Read(answerTo("transactions", []byte(body))); institution.KindOf(err) != institution.MalformedResponse || err == nil {
			t.Errorf("%s: got %+v, %v", body, read, err)
		}
	}
}
