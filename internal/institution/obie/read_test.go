package obie_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"samla/internal/consent"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/institution/obie"
	"samla/internal/obiespec"
)

// newReader returns a bank that is only read with.
func newReader(t testing.TB) *obie.Bank {
	t.Helper()
	dir, _ := certificates()
	b, err := obie.New(obie.Config{BaseURL: "https://ob.bank.example/open-banking/v3.1/aisp", Issuer: "https://ob.bank.example", ClientID: clientID, KeyFile: "qseal-key.pem",
		Certificates: obie.Certificates{Cert: "qwac.pem", Key: "qwac-key.pem"}}, obie.Deps{Deps: institution.Deps{Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func transactionsOf(account string) institution.Question {
	return institution.Question{Kind: "transactions", Account: account, Needs: institution.NeedsTransactions, From: since}
}

func balancesOf(account string) institution.Question {
	return institution.Question{Kind: "balances", Account: account, Needs: institution.NeedsBalances}
}

func read(t testing.TB, b *obie.Bank, q institution.Question, body string) institution.Reading {
	t.Helper()
	r, err := b.Read(institution.Answer{Question: q, Body: []byte(body), FetchedAt: noon})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const accountList = `{"Data":{"Account":[
 {"AccountId":"7781","Status":"Enabled","Currency":"SEK","AccountType":"Personal","AccountSubType":"CurrentAccount","Nickname":"Hushållskonto","Account":[{"SchemeName":"UK.OBIE.IBAN","Identification":"SE35 5000 0000 0549 1000 0003","Name":"Maj Tolvansdotter"}],"Servicer":{"SchemeName":"UK.OBIE.BICFI","Identification":"DABASESX"}},
 {"AccountId":"7782","Status":"Deleted","Currency":"SEK","AccountTypeCode":"CHAR","Account":[{"SchemeName":"UK.OBIE.PAN","Identification":"5412000000001177","Name":"Maj Tolvansdotter"}]},
 {"AccountId":"7783","Currency":"GBP","AccountSubType":"Savings","Account":[{"SchemeName":"UK.OBIE.SortCodeAccountNumber","Identification":"08080021325698"},{"SchemeName":"SE.BANK.Own","Identification":"X1"}]},
 {"AccountId":"7784","AccountSubType":"NewKind"},{"Currency":"SEK"}]},"Links":{"Self":"x","Next":"https://ob.bank.example/open-banking/v3.1/aisp/accounts?page=2"}}`

func TestAccounts_AreReadInBothVersions(t *testing.T) {
	b := newReader(t)
	q := b.Start(full, since)[0]
	r := read(t, b, q, accountList)
	want := []fact.Account{
		{Key: "7781", ID: "7781", IBAN: "SE3550000000054910000003", BIC: "DABASESX", Currency: "SEK", DisplayName: "Hushållskonto", Type: "CACC", OwnerName: "Maj Tolvansdotter", Status: fact.StatusOpen},
		{Key: "7782", ID: "7782", Card: true, MaskedPAN: "541200******1177", Currency: "SEK", Type: "CARD", OwnerName: "Maj Tolvansdotter", Status: fact.StatusClosed},
		{Key: "7783", ID: "7783", BBAN: "08080021325698", Other: "X1", Currency: "GBP", Type: "SVGS"},
		{Key: "7784", ID: "7784"},
	}
	if !reflect.DeepEqual(r.Facts.Accounts, want) {
		t.Errorf("%+v", r.Facts.Accounts)
	}
	if r.Deviations[deviation.UnreadableAccount] != 1 || r.Deviations[deviation.UnknownValue] != 1 {
		t.Errorf("deviations %v", r.Deviations)
	}
	if len(r.Questions) != 9 || r.Questions[8].Link == "" || !r.Questions[8].Onward || r.Questions[8].Essential {
		t.Errorf("questions %+v", r.Questions)
	}
	for _, scope := range []consent.Scope{{}, {Balances: true}, {Transactions: true}} {
		for _, asked := range read(t, b, b.Start(scope, since)[0], accountList).Questions {
			if asked.Needs != "" && !asked.CoveredBy(scope) {
				t.Errorf("%+v under %+v", asked, scope)
			}
		}
	}
}

// docs/reference/families.md 4.5: a credit line stands beside the balance, with its amount.
func TestBalances_SayWhatTheBankLends(t *testing.T) {
	b := newReader(t)
	line := func(included, kind, amount, currency string) string {
		return `{"Included":` + included + `,"Type":"` + kind + `","Amount":{"Amount":"` + amount + `","Currency":"` + currency + `"}}`
	}
	for name, c := range map[string]struct{ lines, want string }{
		"one that is in":        {line("true", "Pre-Agreed", "5000", "SEK"), "1 5000 SEK"},
		"one that is not":       {line("false", "Credit", "5000", "SEK"), "2 5000 SEK"},
		"two that are in":       {line("true", "Pre-Agreed", "5000", "SEK") + "," + line("true", "Emergency", "1000", "SEK"), "1 6000 SEK"},
		"one by two names":      {line("true", "Pre-Agreed", "5000", "SEK") + "," + line("true", "Credit", "5000", "SEK"), "1 5000 SEK"},
		"two names, unlike":     {line("true", "Pre-Agreed", "5000", "SEK") + "," + line("true", "Credit", "6000", "SEK"), "1 none"},
		"one twice":             {line("true", "Credit", "5000", "SEK") + "," + line("true", "Credit", "5000.00", "SEK"), "1 5000.00 SEK"},
		"instead, or on top":    {line("true", "Pre-Agreed", "5000", "SEK") + "," + line("true", "Temporary", "8000", "SEK"), "1 none"},
		"three":                 {line("true", "Credit", "5000", "SEK") + "," + line("true", "Emergency", "1000", "SEK") + "," + line("true", "New", "7", "SEK"), "1 none"},
		"one of each":           {line("true", "Pre-Agreed", "5000", "SEK") + "," + line("false", "Temporary", "1000", "SEK"), "1 5000 SEK"},
		"what is left":          {line("true", "Available", "700", "SEK") + "," + line("true", "Credit", "5000", "SEK"), "1 5000 SEK"},
		"without an amount":     {`{"Included":true,"Type":"Credit"},` + line("true", "Emergency", "1000", "SEK"), "1 none"},
		"in another currency":   {line("true", "Credit", "5000", "EUR"), "1 none"},
		"with a sign":           {line("true", "Credit", "-5000", "SEK"), "1 none"},
		"without a currency":    {line("true", "Credit", "5000", ""), "1 none"},
		"none":                  {"", "0 none"},
		"only what is left":     {line("false", "Available", "700", "SEK"), "2 none"},
		"without the indicator": {`{"Type":"Credit","Amount":{"Amount":"5000","Currency":"SEK"}}`, "2 5000 SEK"},
		"one said, one not":     {line("true", "Pre-Agreed", "5000", "SEK") + `,{"Type":"Temporary","Amount":{"Amount":"1000","Currency":"SEK"}}`, "1 5000 SEK"},
	} {
		r := read(t, b, balancesOf("1"), `{"Data":{"Balance":[{"AccountId":"1","CreditDebitIndicator":"Credit","Type":"ITAV","DateTime":"2026-11-20T10:00:00Z","Amount":{"Amount":"12450.75","Currency":"SEK"},"CreditLine":[`+c.lines+`]}]}}`)
		got := "no balance"
		if len(r.Facts.Balances) == 1 {
			got = fmt.Sprintf("%d none", r.Facts.Balances[0].Limit)
			if credit := r.Facts.Balances[0].Credit; credit != nil {
				got = fmt.Sprintf("%d %s", r.Facts.Balances[0].Limit, credit)
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestBalances_HaveTheSignOfTheIndicator(t *testing.T) {
	b := newReader(t)
	entry := func(amount, indicator, kind, more string) string {
		return fmt.Sprintf(`{"AccountId":"1","CreditDebitIndicator":%q,"Type":%q,"DateTime":"2026-11-20T10:00:00+00:00","Amount":{"Amount":%q,"Currency":"SEK"}%s}`, indicator, kind, amount, more)
	}
	for name, c := range map[string]struct {
		entry string
		want  string // amount, kind, limit; "" = counted
	}{
		"credit":           {entry("12.50", "Credit", "InterimAvailable", ""), "12.50 SEK interimAvailable 0"},
		"debit":            {entry("12.50", "Debit", "ITBD", ""), "-12.50 SEK interimBooked 0"},
		"negative":         {entry("-12.50", "Debit", "InterimBooked", ""), ""},
		"plus":             {entry("+12.50", "Credit", "InterimBooked", ""), ""},
		"no direction":     {entry("12.50", "Both", "InterimBooked", ""), ""},
		"of another":       {strings.Replace(entry("1", "Credit", "InterimBooked", ""), `"1"`, `"2"`, 1), ""},
		"line included":    {entry("5", "Credit", "CLAV", `,"CreditLine":[{"Included":false},{"Included":true}]`), "5 SEK closingAvailable 1"},
		"line not":         {entry("5", "Credit", "Expected", `,"CreditLine":[{"Included":false}]`), "5 SEK expected 2"},
		"many decimals":    {entry("5.12345678", "Credit", "OpeningBooked", ""), "5.12345678 SEK openingBooked 0"},
		"number":           {strings.Replace(entry("5.10", "Credit", "PRCD", ""), `"5.10"`, `5.10`, 1), "5.10 SEK previouslyClosedBooked 0"},
		"not documented":   {entry("5", "Credit", "Strange", ""), "5 SEK Strange 0"},
		"interim, cleared": {entry("5", "Credit", "InterimCleared", ""), "5 SEK interimCleared 0"},
	} {
		r := read(t, b, balancesOf("1"), `{"Data":{"Balance":[`+c.entry+`]}}`)
		if c.want == "" {
			if len(r.Facts.Balances) != 0 || r.Deviations[deviation.UnreadableBalance] != 1 {
				t.Errorf("%s: %+v %v", name, r.Facts.Balances, r.Deviations)
			}
			continue
		}
		if len(r.Facts.Balances) != 1 {
			t.Errorf("%s: %+v %v", name, r.Facts.Balances, r.Deviations)
			continue
		}
		got := r.Facts.Balances[0]
		if s := fmt.Sprintf("%s %s %d", got.Amount, got.Kind, got.Limit); s != c.want || !got.Signed || got.Account != "1" || got.At.IsZero() {
			t.Errorf("%s: %s", name, s)
		}
	}
}

// The day of a balance is the bank's: it begins before that of UTC.
func TestBalances_OfTheDayOfTheBankAreNotAhead(t *testing.T) {
	b := newReader(t)
	entry := func(at string) string {
		return `{"CreditDebitIndicator":"Credit","Type":"InterimBooked","DateTime":"` + at + `","Amount":{"Amount":"1","Currency":"SEK"}}`
	}
	r, err := b.Read(institution.Answer{Question: balancesOf("1"), FetchedAt: time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC),
		Body: []byte(`{"Data":{"Balance":[` + entry("2026-11-21T00:15:00+01:00") + "," + entry("2026-11-22T00:00:00+01:00") + `]}}`)})
	if err != nil || len(r.Facts.Balances) != 2 || r.Facts.Balances[0].Ahead || !r.Facts.Balances[1].Ahead {
		t.Errorf("%+v, %v", r.Facts.Balances, err)
	}
}

// A bank that writes the time of a booking in UTC means the day on which it is in Sweden.
func TestTransactions_HaveTheDayInSweden(t *testing.T) {
	b := newReader(t)
	for said, want := range map[string]string{"2026-11-18T23:00:00Z": "2026-11-19", "2026-11-19T00:00:00+00:00": "2026-11-19", "2026-11-19T23:30:00+01:00": "2026-11-19",
		"2026-11-19T23:30:00": "2026-11-19", "2026-11-19": "2026-11-19"} {
		r := read(t, b, transactionsOf("1"), `{"Data":{"Transaction":[`+strings.Replace(row(""), "2026-11-19T00:00:00+00:00", said, 1)+`]}}`)
		if rows := r.Facts.Histories[0].Transactions; len(rows) != 1 || rows[0].BookingDate.Format(time.DateOnly) != want {
			t.Errorf("%s: %+v", said, rows)
		}
	}
}

func row(more string) string {
	return `{"AccountId":"1","TransactionId":"tx-1","TransactionReference":"Ref 1","CreditDebitIndicator":"Debit","Status":"Booked","BookingDateTime":"2026-11-19T00:00:00+00:00",` +
		`"ValueDateTime":"2026-11-18T00:00:00","TransactionInformation":"LIVSMEDEL  SÖDER","Amount":{"Amount":"349.50","Currency":"SEK"},"MerchantDetails":{"MerchantName":"Livsmedel Söder"},` +
		`"Balance":{"Amount":{"Amount":"12700.75","Currency":"SEK"},"CreditDebitIndicator":"Debit","Type":"InterimBooked"}` + more + `}`
}

func TestTransactions_AreReadInBothVersions(t *testing.T) {
	b := newReader(t)
	r := read(t, b, transactionsOf("1"), `{"Data":{"Transaction":[`+row("")+`]}}`)
	got := r.Facts.Histories[0].Transactions
	if len(got) != 1 || len(r.Deviations) != 0 || r.Questions != nil {
		t.Fatalf("%+v", r)
	}
	day := time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)
	after := got[0].BalanceAfter
	got[0].BalanceAfter = nil
	want := fact.Transaction{ID: "tx-1", EntryReference: "Ref 1", Booked: true, BookingDate: day, ValueDate: day.AddDate(0, 0, -1), Amount: got[0].Amount, Direction: fact.Debit,
		CreditorName: "Livsmedel Söder", Text: "LIVSMEDEL SÖDER"}
	if got[0] != want || got[0].Amount.String() != "349.50 SEK" || after == nil || after.String() != "-12700.75 SEK" {
		t.Errorf("%+v after %v", got[0], after)
	}
	for change, c := range map[string]struct {
		rows   int
		booked bool
		counts deviation.Counts
	}{
		`"Status":"Booked"=>"Status":"Pending"`:       {1, false, nil},
		`"Status":"Booked"=>"Status":"PDNG"`:          {1, false, nil},
		`"Status":"Booked"=>"Status":"BOOK"`:          {1, true, nil},
		`"Status":"Booked"=>"Status":"Rejected"`:      {0, false, nil},
		`"Status":"Booked"=>"Status":"FUTR"`:          {0, false, nil},
		`"Status":"Booked"=>"Status":"INFO"`:          {0, false, nil},
		`"Status":"Booked"=>"Status":"RJCT"`:          {0, false, nil},
		`"Status":"Booked"=>"Status":"Odd"`:           {1, false, deviation.Counts{deviation.UnknownValue: 1}},
		`"349.50"=>"-349.50"`:                         {0, false, deviation.Counts{deviation.UnreadableRow: 1}},
		`"349.50"=>"many"`:                            {0, false, deviation.Counts{deviation.UnreadableRow: 1}},
		`"349.50"=>null`:                              {0, false, deviation.Counts{deviation.UnreadableRow: 1}},
		`"AccountId":"1"=>"AccountId":"2"`:            {0, false, deviation.Counts{deviation.UnreadableRow: 1}},
		`"CreditDebitIndicator":"Debit","S=>"A":1,"S`: {0, false, deviation.Counts{deviation.UnclearSign: 1}},
		`2026-11-19T=>2026-02-30T`:                    {1, true, deviation.Counts{deviation.UnreadableDate: 1}},
		`2026-11-19T=>2026-08-24T`:                    {0, false, nil}, // before the first day that was asked for
		`"TransactionId":"tx-1",=>`:                   {1, true, nil},
	} {
		from, to, _ := strings.Cut(change, "=>")
		text := strings.Replace(row(""), from, to, 1)
		if text == row("") {
			t.Fatalf("%s changes nothing", change)
		}
		r := read(t, b, transactionsOf("1"), `{"Data":{"Transaction":[`+text+`]}}`)
		rows := r.Facts.Histories[0].Transactions
		if len(rows) != c.rows || c.rows == 1 && rows[0].Booked != c.booked || !reflect.DeepEqual(r.Deviations, c.counts) {
			t.Errorf("%s: %d rows, %v", change, len(rows), r.Deviations)
		}
	}
	if r := read(t, b, transactionsOf("1"), `{"Data":{}}`); len(r.Facts.Histories) != 1 || len(r.Facts.Histories[0].Transactions) != 0 {
		t.Errorf("an answer without rows: %+v", r)
	}
}

// Whatever the digits, an amount has the sign of its indicator and no other.
func TestTransactions_SignsProperty(t *testing.T) {
	b := newReader(t)
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.StringMatching(`[0-9]{1,13}(\.[0-9]{1,5})?`).Draw(r, "amount")
		debit := rapid.Bool().Draw(r, "debit")
		indicator := map[bool]string{true: "Debit", false: "Credit"}[debit]
		amount := `"CreditDebitIndicator":"` + indicator + `","Amount":{"Amount":"` + text + `","Currency":"SEK"}`
		answer := func(q institution.Question, body string) institution.Reading {
			got, err := b.Read(institution.Answer{Question: q, Body: []byte(body), FetchedAt: noon})
			if err != nil {
				r.Fatal(err)
			}
			return got
		}
		rows := answer(transactionsOf("1"), `{"Data":{"Transaction":[{"AccountId":"1","Status":"Booked","BookingDateTime":"2026-11-19T00:00:00+00:00",`+amount+`}]}}`).Facts.Histories[0].Transactions
		if len(rows) != 1 || rows[0].Amount.Sign() < 0 || (rows[0].Direction == fact.Debit) != debit {
			r.Fatalf("%s: %+v", amount, rows)
		}
		balances := answer(balancesOf("1"), `{"Data":{"Balance":[{"AccountId":"1","Type":"ITBD",`+amount+`}]}}`).Facts.Balances
		if len(balances) != 1 || debit && balances[0].Amount.Sign() > 0 || !debit && balances[0].Amount.Sign() < 0 || !balances[0].Amount.Abs().Equal(rows[0].Amount) {
			r.Fatalf("%s: %+v", amount, balances)
		}
	})
}

// Only Links.Next is followed, each link once, and never to another place.
func TestPaging_FollowsNextOnly(t *testing.T) {
	b := newReader(t)
	const base = "https://ob.bank.example/open-banking/v3.1/aisp"
	for link, c := range map[string]struct{ follows, counted bool }{
		base + "/accounts/1/transactions?pg=2":                 {true, false},
		"/open-banking/v3.1/aisp/accounts/1/transactions?pg=2": {true, false},
		"": {false, false},
		"https://evil.example/open-banking/v3.1/aisp/accounts/1/transactions":   {false, true},
		"https://ob.bank.example/other":                                         {false, true},
		"https://u:p@ob.bank.example/open-banking/v3.1/aisp/accounts?page=2":    {false, true},
		base + "/../../../admin":                                                {false, true},
		"javascript:alert(1)":                                                   {false, true},
		base + "/accounts/1/transactions?pg=" + strings.Repeat("9", 5000):       {false, true},
		"http://169.254.169.254/open-banking/v3.1/aisp/accounts/1/transactions": {false, true},
	} {
		text, _ := json.Marshal(link)
		r := read(t, b, transactionsOf("1"), `{"Data":{"Transaction":[]},"Links":{"Self":"`+base+`/s","Last":"`+base+`/l","Prev":"`+base+`/p","First":"`+base+`/f","Next":`+string(text)+`}}`)
		if (len(r.Questions) == 1) != c.follows || (r.Deviations[deviation.UnusableLink] == 1) != c.counted {
			t.Errorf("%.80s: %+v %v", link, r.Questions, r.Deviations)
			continue
		}
		if !c.follows {
			continue
		}
		next := r.Questions[0]
		if next.Link != link || !next.Onward || next.Account != "1" || next.Needs != institution.NeedsTransactions || next.From != since {
			t.Errorf("%+v", next)
		}
		if again := read(t, b, next, `{"Data":{"Transaction":[]},"Links":{"Next":`+string(text)+`}}`); again.Questions != nil {
			t.Errorf("a page that leads to itself: %+v", again.Questions)
		}
	}
}

// A page is asked for exactly as the bank wrote its link, with the person's headers.
func TestFetch_AsksForPagesAndPeriods(t *testing.T) {
	s := newScripted(t, nil, responds(200, `{"Data":{"Transaction":[]}}`))
	q := transactionsOf("1")
	q.Until = "2026-10-01"
	if _, err := s.Fetch(t.Context(), access(), q); err != nil {
		t.Fatal(err)
	}
	if got := s.last(t); got.path != "/accounts/1/transactions" || got.query != "fromBookingDateTime=2026-08-25T00%3A00%3A00&toBookingDateTime=2026-10-01T23%3A59%3A59" {
		t.Errorf("%+v", got)
	}
	q.Link = s.url + "/open-banking/v3.1/aisp/accounts/1/transactions?pg=2&x=%2b"
	if _, err := s.Fetch(t.Context(), access(), q); err != nil || s.last(t).query != "pg=2&x=%2b" {
		t.Errorf("%v %+v", err, s.last(t))
	}
	q.Link = "https://evil.example/x"
	n := len(s.requests())
	if _, err := s.Fetch(t.Context(), access(), q); kindOf(t, err) != institution.ForeignAddress || len(s.requests()) != n {
		t.Error(err)
	}
	without := access()
	without.Token = ""
	if _, err := s.Fetch(t.Context(), without, transactionsOf("1")); kindOf(t, err) != institution.SCARequired || len(s.requests()) != n {
		t.Error(err)
	}
}

func TestFetch_SaysWhyTheBankRefuses(t *testing.T) {
	s := newScripted(t, nil, nil)
	withRetry := func(seconds string, status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", seconds)
			w.WriteHeader(status)
		}
	}
	for name, c := range map[string]struct {
		answer     http.HandlerFunc
		want       institution.ErrorKind
		unattended bool
	}{
		"401 without a body": {responds(401, ""), institution.TokenRefused, false},
		"reauthenticate":     {refuses(403, "UK.OBIE.Reauthenticate"), institution.SCARequired, false},
		"reauthenticate 4.0": {refuses(403, "U028"), institution.SCARequired, false},
		"permission":         {refuses(403, "UK.OBIE.Resource.ConsentMismatch"), institution.NotCovered, false},
		"403":                {responds(403, ""), institution.NotCovered, false},
		"consent status":     {refuses(400, "UK.OBIE.Resource.InvalidConsentStatus"), institution.ConsentGone, false},
		"unknown account":    {refuses(400, "UK.OBIE.Resource.NotFound"), institution.NotCovered, false},
		"field":              {refuses(400, "UK.OBIE.Field.InvalidDate"), institution.Refused, false},
		"404":                {responds(404, ""), institution.Refused, false},
		"405":                {responds(405, ""), institution.Refused, false},
		"406":                {responds(406, ""), institution.Refused, false},
		"415":                {responds(415, ""), institution.Refused, false},
		"day's reads":        {withRetry("3600", 429), institution.AccessExceeded, true},
		"day's reads, there": {withRetry("3600", 429), institution.Busy, false},
		"too fast":           {withRetry("5", 429), institution.Busy, true},
		"503":                {withRetry("60", 503), institution.Unreachable, false},
		"redirect":           {responds(302, ""), institution.ForeignAddress, false},
		"page":               {responds(200, "<html>Maintenance</html>"), institution.MalformedResponse, false},
		"page with 403":      {responds(403, "<html>blocked</html>"), institution.Unreachable, false},
		"list":               {responds(200, "[]"), institution.MalformedResponse, false},
		"nothing":            {responds(200, ""), institution.MalformedResponse, false},
	} {
		s.answer = c.answer
		a := access()
		if c.unattended {
			a.PSU = a.PSU.Unattended()
		}
		_, err := s.Fetch(t.Context(), a, transactionsOf("1"))
		if kindOf(t, err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), person.PersonalNumber.Digits()) || strings.Contains(err.Error(), "at-1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The valid official examples can be read (docs/reference/families.md 14.2).
func TestExamples_AreRead(t *testing.T) {
	b, n := newReader(t), 0
	for _, e := range obiespec.Examples(t) {
		var q institution.Question
		switch path := strings.Split(strings.Trim(e.Path, "/"), "/"); {
		case !e.Valid || e.Status != 200 || e.Method != "GET":
			continue
		case path[0] == "accounts" && len(path) <= 2:
			q = b.Start(full, since)[0]
		case len(path) == 3 && path[2] == "balances":
			q = balancesOf(path[1])
		case len(path) == 3 && path[2] == "transactions":
			q = transactionsOf(path[1])
		case path[0] == "balances", path[0] == "transactions":
			// The bulk answers have the rows of several accounts: those of one are read.
			q = balancesOf("22289")
			if path[0] == "transactions" {
				q = transactionsOf("22289")
			}
		default:
			continue
		}
		q.From = "2010-01-01"
		n++
		r, err := b.Read(institution.Answer{Question: q, Body: e.Body, FetchedAt: noon})
		if err != nil || len(r.Facts.Accounts)+len(r.Facts.Balances) == 0 && (len(r.Facts.Histories) == 0 || len(r.Facts.Histories[0].Transactions) == 0) {
			t.Errorf("%s: %+v, %v", e.Name(), r, err)
		}
		for kind, count := range r.Deviations {
			if e.Path != "/balances" && e.Path != "/transactions" && count > 0 {
				t.Errorf("%s: %d %s", e.Name(), count, kind)
			}
		}
	}
	if n < 4 {
		t.Errorf("%d examples were read", n)
	}
}

// Whatever the bank answers, reading it gives facts that are bounded by what was asked, the
// same each time, or the error for an answer that cannot be understood.
func FuzzRead(f *testing.F) {
	for _, s := range []string{accountList, `{"Data":{"Transaction":[` + row("") + `]},"Links":{"Next":"/x"}}`, `{}`, `{"Data":{"Balance":[{"Amount":{"Amount":1e999}}]}}`, "\xef\xbb\xbf{}",
		`{"Data":{"Account":[{"AccountId":"\u0000"},{"AccountId":7,"Account":{"a":1}}]}}`, `{"Data":{"Transaction":[{"Amount":-0,"BookingDateTime":"2026-02-30","Status":null}]},"Links":7}`} {
		f.Add([]byte(s))
	}
	b := newReader(f)
	questions := append(b.Start(full, since), transactionsOf("1"), balancesOf("1"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, q := range questions {
			a := institution.Answer{Question: q, Body: body, FetchedAt: noon}
			r, err := b.Read(a)
			if err != nil {
				if institution.KindOf(err) != institution.MalformedResponse {
					t.Error(err)
				}
				continue
			}
			if again, err := b.Read(a); err != nil || !reflect.DeepEqual(again, r) {
				t.Error("another reading of the same answer")
			}
			for _, account := range r.Facts.Accounts {
				if account.Key == "" || strings.ContainsFunc(account.ID+account.IBAN+account.BBAN+account.OwnerName+account.Type, func(r rune) bool { return r < ' ' }) {
					t.Errorf("%+v", account)
				}
			}
			for _, h := range r.Facts.Histories {
				for i := range h.Transactions {
					if day := h.Transactions[i].Day(); !day.IsZero() && day.Format(time.DateOnly) < since || h.Transactions[i].Amount.Sign() < 0 || h.Transactions[i].Direction == fact.Unsaid {
						t.Errorf("%+v", h.Transactions[i])
					}
				}
			}
			for _, next := range r.Questions {
				if next == q || next.Account != q.Account && q.Account != "" {
					t.Errorf("%+v after %+v", next, q)
				}
			}
		}
	})
}
