package nordea_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/nordea"
	"samla/internal/listing"
	"samla/internal/money"
)

const envelope = `{"group_header":{"message_identification":"m-7d1","creation_date_time":"2026-11-20T10:00:00.000Z","http_code":200},"response":`

// accounts and rows are the examples of docs/reference/families.md 3.6.
const (
	accounts = envelope + `{"accounts":[{"_id":"SE-5491-SEK-v5","_links":[{"rel":"details","href":"/v5/accounts/SE-5491-SEK-v5"}],"account_name":"TOLVANSDOTTER, MAJ",
"account_numbers":[{"_type":"IBAN","value":"SE3550000000054910000003"},{"_type":"BBAN_SE","value":"54910000003"}],"account_type":"Current","available_balance":12450.75,"booked_balance":12700.75,
"value_dated_balance":12700.75,"bank":{"bic":"NDEASESS","country":"SE","name":"Nordea"},"country":"SE","credit_limit":0,"currency":"SEK","product":"PERSONKONTO","status":"OPEN"}]}}`
	rows = `{"group_header":{"message_identification":"m-7d2","creation_date_time":"2026-11-20T10:00:01.000Z","http_code":200,"message_pagination":{"continuation_key":"ck-2 /+="}},
"response":{"account_number":{"_type":"IBAN","value":"SE3550000000054910000003"},"transactions":[
{"transaction_id":"t-1001","booking_date":"2026-11-19","value_date":"2026-11-19","transaction_date":"2026-11-18","status":"billed","amount":-349.50,"currency":"SEK","balance_after_transaction":12700.75,"type_description":"Kortköp","narrative":"LIVSMEDEL SÖDER","card_number":"4821"},
{"transaction_id":"t-1002","booking_date":"2026-11-20","status":"reserved","amount":-250.00,"currency":"SEK","type_description":"Reservation"},
{"booking_date":"2026-11-20","payment_date":"2026-11-17","status":"confirmed","amount":1000,"currency":"SEK","counterparty_name":"Arbetet AB","counterparty_account":"54910000011","message":"Lön &amp; mer","merchant_country":"SE"}]}}`
	cardRows = envelope + `{"continuation_key":"ck-c2","transactions":[{"id":"ct-1","amount":-129.00,"currency":"SEK","original_amount":-11.90,"original_currency":"EUR",
"booking_date":"2026-11-17","transaction_date":"2026-11-15","beneficiary":"Bokhandeln Exempel","transaction_type":"Purchase","masked_credit_card_number":"************1177"}]}}`
	cards = envelope + `{"cards":[{"id":"c-77","product_name":"Nordea Gold","masked_credit_card_number":"5269 **** **** 1177","cardholder_name":"MAJ TOLVANSDOTTER","credit_account_number":"99887766",
"credit_limit":20000,"credit_booked_balance":-1500.50,"credit_available_balance":18499.50,"parallel_cards":[{"id":"c-78","masked_credit_card_number":"5269 **** **** 1188"}]}]}}`
)

// newReader returns a connector that a test uses only for Start, Instead and Read.
func newReader(t testing.TB, change ...func(*nordea.Config)) *nordea.Bank {
	t.Helper()
	c := baseConfig("https://bank.example")
	c.CardScopes = []string{"CARDS_INFORMATION", "CARDS_TRANSACTIONS"}
	for _, f := range change {
		f(&c)
	}
	b, err := nordea.New(c, nordea.Deps{Deps: institution.Deps{Dir: keyDir(t, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func first(b *nordea.Bank) institution.Question   { return b.Start(full, since)[0] }
func cardsOf(b *nordea.Bank) institution.Question { return b.Start(full, since)[1] }
func transactions(account string) institution.Question {
	return institution.Question{Kind: "transactions", Account: account, Needs: institution.NeedsTransactions, From: since}
}

func read(t *testing.T, b *nordea.Bank, q institution.Question, body string) institution.Reading {
	t.Helper()
	r, err := b.Read(institution.Answer{Question: q, Body: []byte(body), FetchedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func amount(s, currency string) money.Amount {
	m, err := money.New(money.MustNumber(s).Decimal(), currency)
	if err != nil {
		panic(err)
	}
	return m
}

func TestRead_MapsAnAccountWithItsBalances(t *testing.T) {
	b := newReader(t)
	r := read(t, b, first(b), accounts)
	limit := amount("0", "SEK")
	want := fact.Account{Key: "account/SE-5491-SEK-v5", ID: "SE-5491-SEK-v5", IBAN: "SE3550000000054910000003", BBAN: "54910000003", BIC: "NDEASESS", Currency: "SEK",
		Product: "PERSONKONTO", Type: "Current", OwnerName: "TOLVANSDOTTER, MAJ", Status: fact.StatusOpen, Credit: &limit}
	if len(r.Facts.Accounts) != 1 || len(r.Deviations) != 0 {
		t.Fatalf("%+v", r)
	}
	got := r.Facts.Accounts[0]
	if *got.Credit != limit {
		t.Errorf("limit %v", *got.Credit)
	}
	if got.Credit = &limit; got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !slices.Equal(r.Facts.Balances, []fact.Balance{
		{Account: want.Key, Kind: fact.InterimBooked, Amount: amount("12700.75", "SEK"), At: noon},
		{Account: want.Key, Kind: fact.InterimAvailable, Amount: amount("12450.75", "SEK"), At: noon},
	}) {
		t.Errorf("balances %+v", r.Facts.Balances)
	}
	if !slices.Equal(r.Questions, []institution.Question{transactions(want.Key)}) {
		t.Errorf("questions %+v", r.Questions)
	}
}

// A consent without balances gets none, whatever the bank gives.
func TestRead_KeepsToWhatWasAskedFor(t *testing.T) {
	b := newReader(t)
	for _, q := range b.Start(consent.Scope{Transactions: true}, since) {
		body := accounts
		if q.Kind == "cards" {
			body = cards
		}
		if r := read(t, b, q, body); len(r.Facts.Accounts) != 1 || len(r.Facts.Balances) != 0 {
			t.Errorf("%s: %+v", q.Kind, r.Facts)
		}
	}
	for _, q := range b.Start(consent.Scope{Balances: true}, since) {
		body := accounts
		if q.Kind == "cards" {
			body = cards
		}
		if r := read(t, b, q, body); len(r.Facts.Balances) == 0 || len(r.Questions) != 0 {
			t.Errorf("%s: %+v", q.Kind, r)
		}
	}
	old := strings.ReplaceAll(rows, "2026-11-19", "2026-08-24")
	if r := read(t, b, transactions("account/1"), old); len(r.Facts.Histories[0].Transactions) != 2 {
		t.Errorf("rows from before the first day: %+v", r.Facts.Histories)
	}
}

// With ACCOUNTS_BASIC alone most members are missing (docs/reference/families.md 3.6).
func TestRead_NeedsNoOptionalMember(t *testing.T) {
	b := newReader(t)
	r := read(t, b, first(b), envelope+`{"accounts":[{"_id":"a","account_numbers":[{"_type":"IBAN","value":"FI13 5000 1520 0000 81"}]},{"_id":"b","account_numbers":null,"bank":null,"status":null}]}}`)
	if len(r.Deviations) != 0 || len(r.Facts.Accounts) != 2 || len(r.Facts.Balances) != 0 || len(r.Questions) != 2 || r.Facts.Accounts[0].IBAN != "FI1350001520000081" {
		t.Errorf("%+v", r)
	}
	r = read(t, b, transactions("account/a"), envelope+`{"transactions":[{"booking_date":"2026-11-19","status":"billed","amount":-1}]}}`)
	if row := r.Facts.Histories[0].Transactions[0]; len(r.Deviations) != 0 || row.Amount.Currency() != "" || row.ID != "" || !row.Booked {
		t.Errorf("%+v", r)
	}
}

func TestRead_CountsWhatItDoesNotKnow(t *testing.T) {
	b := newReader(t)
	r := read(t, b, first(b), envelope+`{"new":1,"accounts":[{"_id":"a","account_type":"Loan","status":"FROZEN","account_numbers":[{"_type":"BBAN_FI","value":"1"},{"_type":"PLUSGIRO","value":"12 34-5"}],
		"booked_balance":"12,x","available_balance":{"a":1}},{"account_type":"Current"},"x",null]}}`)
	a := r.Facts.Accounts
	if len(a) != 1 || a[0].Type != "Loan" || a[0].Status != fact.StatusUnsaid || a[0].BBAN != "1" || a[0].Other != "1234-5" {
		t.Errorf("accounts %+v", a)
	}
	if r.Deviations[deviation.UnknownValue] != 3 || r.Deviations[deviation.UnreadableBalance] != 2 || r.Deviations[deviation.UnreadableAccount] != 3 {
		t.Errorf("deviations %v", r.Deviations)
	}
	r = read(t, b, transactions("account/a"), envelope+`{"transactions":[{"booking_date":"2026-11-19","status":"settled","amount":"-1.50","currency":"sek"},
		{"status":"settled","amount":-3,"currency":"SEK"},{"booking_date":"19/11","status":"billed","amount":1e2,"currency":"SEK"},{"booking_date":"2026-11-19","status":"billed"},{"amount":null},{"amount":"x"},7]}}`)
	got := r.Facts.Histories[0].Transactions
	if len(got) != 3 || !got[0].Booked || !got[0].Amount.Equal(amount("-1.50", "SEK")) || got[1].Booked || !got[2].Booked ||
		!got[2].Amount.Equal(amount("100", "SEK")) || !got[2].BookingDate.IsZero() {
		t.Errorf("rows %+v", got)
	}
	if r.Deviations[deviation.UnknownValue] != 2 || r.Deviations[deviation.UnreadableRow] != 4 || r.Deviations[deviation.UnreadableDate] != 1 {
		t.Errorf("deviations %v", r.Deviations)
	}
}

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestRead_MapsTransactions(t *testing.T) {
	b := newReader(t)
	r := read(t, b, transactions("account/1"), rows)
	after := amount("12700.75", "SEK")
	want := []fact.Transaction{
		{ID: "t-1001", Booked: true, BookingDate: day("2026-11-19"), ValueDate: day("2026-11-19"), TransactionDate: day("2026-11-18"), Amount: amount("-349.50", "SEK"), Direction: fact.Debit,
			Text: "LIVSMEDEL SÖDER", BalanceAfter: &after},
		{ID: "t-1002", BookingDate: day("2026-11-20"), Amount: amount("-250.00", "SEK"), Direction: fact.Debit, Text: "Reservation"},
		{Booked: true, BookingDate: day("2026-11-20"), TransactionDate: day("2026-11-17"), Amount: money.Must("1000", "SEK"), Direction: fact.Credit, DebtorName: "Arbetet AB", DebtorAccount: "54910000011",
			Text: "Lön & mer"},
	}
	h := r.Facts.Histories
	if len(h) != 1 || h[0].Account != "account/1" || !h[0].At.Equal(noon) || h[0].DebitPositive || len(h[0].Transactions) != len(want) || len(r.Deviations) != 0 {
		t.Fatalf("%+v", r)
	}
	for i, got := range h[0].Transactions {
		if got.BalanceAfter != nil && *got.BalanceAfter == after {
			got.BalanceAfter = &after
		}
		if got != want[i] {
			t.Errorf("got  %+v\nwant %+v", got, want[i])
		}
	}
	next := transactions("account/1")
	next.Detail, next.Onward = "key=ck-2+%2F%2B%3D", true
	if !slices.Equal(r.Questions, []institution.Question{next}) {
		t.Errorf("questions %+v", r.Questions)
	}
	if r := read(t, b, next, rows); len(r.Questions) != 0 {
		t.Errorf("a page that leads to itself: %+v", r.Questions)
	}
}

// The sign is the bank's word, whoever the other party is: of the interest of an account, it
// can be the account itself, which would otherwise look like the one that pays.
func TestRead_TakesTheDirectionFromTheSign(t *testing.T) {
	b := newReader(t)
	r := read(t, b, transactions("account/1"), envelope+`{"transactions":[
		{"booking_date":"2026-11-19","status":"billed","amount":12.5,"currency":"SEK","type_description":"Ränta","counterparty_account":"54910000003"},
		{"booking_date":"2026-11-19","status":"billed","amount":-12.5,"currency":"SEK"},{"booking_date":"2026-11-19","status":"billed","amount":0,"currency":"SEK"}]}}`)
	var got []fact.Direction
	for _, row := range r.Facts.Histories[0].Transactions {
		got = append(got, row.Direction)
	}
	if !slices.Equal(got, []fact.Direction{fact.Credit, fact.Debit, fact.Unsaid}) {
		t.Errorf("directions %v", got)
	}
}

// A number is never a float: its digits are those of the bank.
func TestRead_KeepsTheDigitsOfNumbers(t *testing.T) {
	b := newReader(t)
	for number, want := range map[string]string{
		"0.1": "0.1", "-0.30000000000000004": "-0.30000000000000004", "123456789012345.67": "123456789012345.67", "9007199254740993": "9007199254740993", "5": "5", "-12.500": "-12.500",
	} {
		r := read(t, b, transactions("account/1"), envelope+`{"transactions":[{"booking_date":"2026-11-19","status":"billed","currency":"SEK","amount":`+number+`}]}}`)
		if rows := r.Facts.Histories[0].Transactions; len(rows) != 1 || rows[0].Amount.Value().String() != want {
			t.Errorf("%s became %+v", number, rows)
		}
	}
	r := read(t, b, transactions("account/1"), envelope+`{"transactions":[{"booking_date":"2026-11-19","status":"billed","currency":"SEK","amount":0.123456789012345678901234567890}]}}`)
	if len(r.Facts.Histories[0].Transactions) != 0 || r.Deviations[deviation.UnreadableRow] != 1 {
		t.Errorf("more digits than can be kept: %+v", r)
	}
}

func TestRead_MapsCards(t *testing.T) {
	for _, debitPositive := range []bool{false, true} {
		b := newReader(t, func(c *nordea.Config) { c.Profile.CardDebitPositive = debitPositive })
		r := read(t, b, cardsOf(b), cards)
		if len(r.Facts.Accounts) != 1 || len(r.Deviations) != 0 {
			t.Fatalf("%+v", r)
		}
		got := r.Facts.Accounts[0]
		if got.Credit == nil || !got.Credit.Equal(amount("20000", "")) {
			t.Errorf("limit %v", got.Credit)
		}
		got.Credit = nil
		if want := (fact.Account{Key: "card/c-77", ID: "c-77", Card: true, MaskedPAN: "5269********1177", Name: "Nordea Gold", Product: "Nordea Gold", OwnerName: "MAJ TOLVANSDOTTER", DebitPositive: debitPositive}); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		if bal := r.Facts.Balances; len(bal) != 2 || !bal[0].Amount.Equal(amount("-1500.50", "")) || !bal[1].Amount.Equal(amount("18499.50", "")) {
			t.Errorf("balances %+v", bal)
		}
		if !slices.Equal(r.Questions, []institution.Question{transactions("card/c-77")}) {
			t.Errorf("questions %+v", r.Questions)
		}
		r = read(t, b, transactions("card/c-77"), cardRows)
		h := r.Facts.Histories[0]
		want := fact.Transaction{ID: "ct-1", Booked: true, BookingDate: day("2026-11-17"), TransactionDate: day("2026-11-15"), Amount: amount("-129.00", "SEK"), Text: "Bokhandeln Exempel"}
		if len(h.Transactions) != 1 || h.Transactions[0] != want || h.DebitPositive != debitPositive {
			t.Errorf("got %+v", h)
		}
		if len(r.Questions) != 1 || r.Questions[0].Detail != "key=ck-c2" || !r.Questions[0].Onward {
			t.Errorf("questions %+v", r.Questions)
		}
	}
}

func TestRead_AsksForCardRowsOnlyWithTheirScope(t *testing.T) {
	b := newReader(t, func(c *nordea.Config) { c.CardScopes = []string{"CARDS_INFORMATION"} })
	if r := read(t, b, cardsOf(b), cards); len(r.Questions) != 0 {
		t.Errorf("%+v", r.Questions)
	}
	b = newReader(t, func(c *nordea.Config) { c.CardScopes = nil })
	if n := len(b.Start(full, since)); n != 1 {
		t.Errorf("%d questions without cards", n)
	}
}

// The ids of an account differ between versions, and the id that the account gets here
// does not (docs/reference/families.md 3.6).
func TestRead_KnowsAnAccountInBothVersions(t *testing.T) {
	b := newReader(t)
	id := func(body string) string {
		found := listing.Search{Owner: "user/1"}.Find(read(t, b, first(b), body).Facts.Accounts)
		if len(found.Accounts) != 1 {
			t.Fatalf("%+v", found)
		}
		return found.Accounts[0].ID("SEK")
	}
	if newer, older := id(accounts), id(strings.ReplaceAll(accounts, "SE-5491-SEK-v5", "SE-5491-SEK")); newer != older {
		t.Errorf("%s and %s", newer, older)
	}
}

func TestRead_SplitsHistoriesIntoWindows(t *testing.T) {
	b := newReader(t, func(c *nordea.Config) { c.Profile.WindowDays, c.Profile.CardWindowDays = 30, 60 })
	r := read(t, b, first(b), accounts)
	if len(r.Questions) != 3 || r.Questions[2].From != since || r.Questions[2].Until != "2026-09-23" || r.Questions[0].Until != "" {
		t.Errorf("%+v", r.Questions)
	}
	if r := read(t, b, cardsOf(b), cards); len(r.Questions) != 2 {
		t.Errorf("%+v", r.Questions)
	}
}

func TestRead_RefusesAnswersWithoutTheirContent(t *testing.T) {
	b := newReader(t)
	for name, body := range map[string]string{
		"a page": "<html>down</html>", "nothing": "", "a list": `[]`, "half": accounts[:len(accounts)/2], "null": "null", "a text": `"x"`, "empty": `{}`,
		"no list": envelope + `{}}`, "another type": envelope + `{"accounts":"x","transactions":7}}`, "a number": `{"response":1}`,
	} {
		for _, q := range []institution.Question{first(b), transactions("account/1"), transactions("card/1")} {
			if r, err := b.Read(institution.Answer{Question: q, Body: []byte(body), FetchedAt: noon}); err == nil || institution.KindOf(err) != institution.MalformedResponse {
				t.Errorf("%s, %s: %+v, %v", name, q.Kind, r, err)
			}
		}
	}
	if _, err := b.Read(institution.Answer{Question: institution.Question{Kind: "balances"}, Body: []byte(accounts)}); kindOf(t, err) != institution.Refused {
		t.Error(err)
	}
	// No member of an answer about cards is required.
	for _, body := range []string{envelope + `{}}`, envelope + `{"cards":null}}`, envelope + `{"cards":[]}}`} {
		if r := read(t, b, cardsOf(b), body); len(r.Facts.Accounts) != 0 || len(r.Deviations) != 0 {
			t.Errorf("%s: %+v", body, r)
		}
	}
}

func TestInstead_AsksForAShorterHistory(t *testing.T) {
	b := newReader(t)
	refused := &institution.Error{Kind: institution.Refused, HTTPStatus: 400, Code: "error.validation"}
	q := transactions("account/1")
	q.From = "2025-11-22"
	var got []string
	for ok := true; ok; {
		if q, ok = b.Instead(q, refused, noon); ok {
			got = append(got, q.Detail)
		}
	}
	if !slices.Equal(got, []string{"from=2026-08-25", "from=2026-10-23"}) {
		t.Errorf("got %v", got)
	}
	if r := read(t, b, q, rows); r.Deviations[deviation.ShortHistory] != 1 {
		t.Errorf("deviations %v", r.Deviations)
	}
	further := transactions("account/1")
	further.Detail = "key=ck"
	for name, c := range map[string]struct {
		q institution.Question
		e institution.Error
	}{
		"a further page": {further, *refused}, "a list": {first(b), *refused},
		"not covered":  {transactions("account/1"), institution.Error{Kind: institution.NotCovered, HTTPStatus: 403}},
		"the language": {transactions("account/1"), institution.Error{Kind: institution.Refused, HTTPStatus: 400, Parameter: "language"}},
	} {
		if got, ok := b.Instead(c.q, &c.e, noon); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
