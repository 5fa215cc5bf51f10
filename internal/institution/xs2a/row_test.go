package xs2a_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"samla/internal/clock"
	"samla/internal/deviation"
	"samla/internal/fact"
	"samla/internal/institution"
	"samla/internal/money"
)

// readRow decodes one booked row with an amount of -1 SEK and the members of a JSON
// object.
func readRow(t *testing.T, members string) (fact.Transaction, deviation.Counts) {
	t.Helper()
	row := `{"transactionAmount":{"currency":"SEK","amount":"-1"}}`
	if strings.Contains(members, "mount") {
		row = members
	} else if members != "{}" {
		row = strings.TrimSuffix(row, "}") + "," + strings.TrimPrefix(members, "{")
	}
	read, err := newScriptedBank(t, nil, nil).Read(answerTo("transactions", []byte(`{"transactions":{"booked":[`+row+`]}}`)))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	if got := rows(read); len(got) == 1 {
		return got[0], read.Deviations
	}
	return fact.Transaction{}, read.Deviations
}

func TestRead_TakesSwedishDays(t *testing.T) {
	spring, autumn := day(2026, 9, 30), day(2026, 10, 26)
	for members, want := range map[string]time.Time{
		`{"bookingDate":"2026-09-30"}`:                                         spring,
		`{"bookingDate":"2026-09-29T22:00:00.000Z"}`:                           spring, // midnight in summer time
		`{"bookingDate":"2026-09-30T00:00:00+02:00"}`:                          spring,
		`{"bookingDate":"2026-09-30T00:00:00"}`:                                spring,
		`{"bookingDate":"2026-09-30T23:30:00"}`:                                spring,
		`{"bookingDate":"2026-09-30 12:00:00Z"}`:                               spring,
		`{"bookingDate":"2026-09-29T22:00Z"}`:                                  spring,
		`{"bookingDate":"2026-09-29T18:00:00-0400"}`:                           spring,
		`{"bookingDate":"2026-09-30+02:00"}`:                                   spring,
		`{"bookingDate":1790719200000}`:                                        spring,
		`{"bookingDate":"20260930"}`:                                           spring,
		`{"bookingDate":20260930}`:                                             spring,
		`{"bookingDate":"20260930120000"}`:                                     spring,
		`{"bookingDate":"30.09.2026"}`:                                         spring,
		`{"bookingDate":"2026/09/30"}`:                                         spring,
		`{"bookingDate":"30/09/2026"}`:                                         spring,
		`{"bookingDate":"09/30/2026"}`:                                         spring,
		`{"bookingDate":"2026-10-25T23:00:00Z"}`:                               autumn, // midnight in winter time
		`{"bookingDate":"2026-10-26T00:59:00Z"}`:                               autumn,
		`{"valueDate":"2026-09-30"}`:                                           spring,
		`{"bookingDate":"","valueDate":"2026-09-30"}`:                          spring,
		`{"bookingDate":"0000-00-00","valueDate":"2026-09-30"}`:                spring,
		`{"transactionDate":"2026-09-30"}`:                                     spring,
		`{"acceptorTransactionDateTime":"2026-09-29T22:30:00Z"}`:               spring,
		`{"bookingDateTime":"2026-09-30T08:00:00+02:00"}`:                      spring,
		`{"bookingDate":"0001-01-01T00:00:00","valueDate":"0001-01-01"}`:       {},
		`{"bookingDate":"0000-00-00T00:00:00"}`:                                {},
		`{"bookingDate":"9999-12-31"}`:                                         {},
		`{"bookingDate":"1970-01-01T00:00:00Z"}`:                               {},
		`{"bookingDate":"00000000"}`:                                           {},
		`{"bookingDate":"NOTPROVIDED","valueDate":"-"}`:                        {},
		`{"bookingDate":null}`:                                                 {},
		`{"bookingDate":"2026-09-30","valueDate":"whenever"}`:                  spring,
		`{"bookingDate":"2026-09-30","acceptorTransactionDateTime":"at noon"}`: spring,
	} {
		row, deviations := readRow(t, members)
		if got := row.Day(); !got.Equal(want) || len(deviations) != 0 {
			t.Errorf("%s: %v, %v, want %v", members, got, deviations, want)
		}
	}
	for members, want := range map[string]time.Time{
		`{"bookingDate":"soon"}`:                          {},
		`{"bookingDate":"01/02/2026"}`:                    {},
		`{"bookingDate":"2026-13-01"}`:                    {},
		`{"bookingDate":"2026-02-30"}`:                    {},
		`{"bookingDate":"12"}`:                            {},
		`{"bookingDate":"soon","valueDate":"2026-09-30"}`: spring,
	} {
		row, deviations := readRow(t, members)
		if got := row.Day(); !got.Equal(want) || deviations[deviation.UnreadableDate] != 1 {
			t.Errorf("%s: %v, %v, want %v and a deviation", members, got, deviations, want)
		}
	}
}

func TestRead_TakesMomentsInSwedishTime(t *testing.T) {
	at := time.Date(2026, 9, 30, 16, 12, 1, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"2026-09-30T16:12:01Z": at, "2026-09-30T18:12:01+02:00": at, "2026-09-30T18:12:01": at, "2026-09-30 18:12:01": at,
		"2026-09-30": {}, "-": {}, "0001-01-01T00:00:00": {}, "": {},
	} {
		if row, _ := readRow(t, `{"acceptorTransactionDateTime":"`+in+`"}`); !row.Moment.Equal(want) {
			t.Errorf("%s: %v", in, row.Moment)
		}
	}
}

func TestRead_TakesAmountsAndDirections(t *testing.T) {
	sek := func(s string) money.Amount { return money.Must(s, "SEK") }
	for members, want := range map[string]fact.Transaction{
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"creditDebitIndicator":"DBIT"}`:            {Amount: sek("89"), Direction: fact.Debit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"creditDebitIndicator":"CRDT"}`:            {Amount: sek("89"), Direction: fact.Credit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00","creditDebitIndicator":"debit"}}`:           {Amount: sek("89"), Direction: fact.Debit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"creditDebitIndicator":{"code":"Credit"}}`: {Amount: sek("89"), Direction: fact.Credit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"debitCreditIndicator":"D"}`:               {Amount: sek("89"), Direction: fact.Debit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"direction":"OUTGOING"}`:                   {Amount: sek("89"), Direction: fact.Debit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"transactionType":"DEBIT"}`:                {Amount: sek("89"), Direction: fact.Debit},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00"},"type":"C","transactionType":"card"}`:      {Amount: sek("89")},
		`{"transactionAmount":{"currency":"SEK","amount":"89.00-"}}`:                                         {Amount: sek("-89")},
		`{"transactionAmount":{"currency":"SEK","amount":"\u2212 1 089,50"}}`:                                {Amount: sek("-1089.50")},
		`{"transactionAmount":{"currency":"SEK","amount":-1.089e3}}`:                                         {Amount: sek("-1089")},
		`{"amount":{"currency":"SEK","content":"-89.00"}}`:                                                   {Amount: sek("-89")},
		`{"transactionAmount":{"currency":"SEK","amount":"-89,00 kr"}}`:                                      {Amount: sek("-89")},
		`{"transactionAmount":{"currency":"SEK","amount":"SEK -89.00"}}`:                                     {Amount: sek("-89")},
		`{"transactionAmount":{"amount":"89.00- sek"}}`:                                                      {Amount: sek("-89")},
		`{"transactionAmount":{"currency":" sek ","value":-89}}`:                                             {Amount: sek("-89")},
	} {
		row, deviations := readRow(t, members)
		if !row.Amount.Equal(want.Amount) || row.Direction != want.Direction || len(deviations) != 0 {
			t.Errorf("%s: %v, direction %d, %v", members, row.Amount, row.Direction, deviations)
		}
	}
	row, deviations := readRow(t, `{"transactionAmount":{"amount":"-89.00"}}`)
	if row.Amount.Currency() != "" || row.Amount.Value().String() != "-89.00" || len(deviations) != 0 {
		t.Errorf("without a currency: %v, %v", row.Amount, deviations)
	}
	if _, deviations := readRow(t, `{"transactionAmount":{"currency":"SEK","amount":"89"},"creditDebitIndicator":"BOTH"}`); deviations[deviation.UnclearSign] != 1 {
		t.Errorf("an unknown direction: %v", deviations)
	}
	for _, members := range []string{`{"transactionAmount":{"currency":"SEK","amount":"1,234"}}`, `{"transactionAmount":{"currency":"kr","amount":"1"}}`,
		`{"transactionAmount":{"currency":"SEK","amount":"1 EUR"}}`, `{"transactionAmount":{"currency":"SEK","amount":"kr"}}`,
		`{"transactionAmount":{"currency":"SEK"}}`, `{"transactionAmount":"1"}`} {
		if _, deviations := readRow(t, members); deviations[deviation.UnreadableRow] != 1 {
			t.Errorf("%s: %v", members, deviations)
		}
	}
}

func TestRead_TakesTheWholeText(t *testing.T) {
	const u, a, more = `"remittanceInformationUnstructured":`, `"remittanceInformationUnstructuredArray":`, `"additionalInformation":`
	for members, want := range map[string]string{
		`{` + u + `"Hyra april lagenhet 12",` + a + `["Hyra april lagenhet 12","Fastighets AB Eken","Mandatsref: AB12"]}`: "Hyra april lagenhet 12 Fastighets AB Eken Mandatsref: AB12",
		`{` + u + `"Fastighets AB Ek",` + a + `["Hyra april","Fastighets AB Eken"]}`:                                      "Hyra april Fastighets AB Eken",
		`{` + u + `"Hyra april",` + a + `["Hyra","april"]}`:                                                               "Hyra april",
		`{` + u + `"Kortköp ICA N...",` + more + `"KORTKÖP ICA NÄRA SÖDER"}`:                                              "KORTKÖP ICA NÄRA SÖDER",
		`{` + u + `["Hyra"," ","april"]}`:                                                                                 "Hyra april",
		`{` + u + `{"content":"Hyra","language":"sv","lines":["april",12]}}`:                                              "Hyra april 12",
		`{` + u + `"-",` + more + `"Kortköp Butiken"}`:                                                                    "Kortköp Butiken",
		`{` + u + `"NOTPROVIDED",` + a + `["","N/A"]}`:                                                                    "",
		`{` + u + `"  Ref   &#229;\n\u0000x  "}`:                                                                          "Ref å x",
		`{` + u + `null,` + a + `"one"}`:                                                                                  "one",
		`{` + u + `true,"remittanceInformationStructured":{"reference":12,"referenceType":"OCR"}}`:                        "12",
		`{"remittanceInformationStructuredArray":[{"reference":"RF18","referenceIssuer":"x"},"b"]}`:                       "RF18 b",
		`{"transactionDetails":"SJ AB"}`:                                                                                  "SJ AB",
	} {
		if row, _ := readRow(t, members); row.Text != want {
			t.Errorf("%s: %q, want %q", members, row.Text, want)
		}
	}
}

func TestRead_TakesPartiesAndIDs(t *testing.T) {
	row, _ := readRow(t, `{"transactionId":"0","cardTransactionId":"c1","entryReference":"NOTPROVIDED","endToEndId":" E-1 ",
		"creditorName":"H&amp;M","creditor":{"name":"H&M Sverige"},"creditorAccount":{"iban":"se45 5000 0000 0583 9825 7466"},
		"debtorName":["Maj"," Tolvan"],"debtor":{"account":{"other":{"identification":"583 9825"}}}}`)
	want := fact.Transaction{ID: "c1", EndToEndID: "E-1", Booked: true, Amount: money.Must("-1", "SEK"), CreditorName: "H&M Sverige",
		CreditorAccount: "SE4550000000058398257466", DebtorName: "Maj Tolvan", DebtorAccount: "5839825"}
	if diff := cmp.Diff(want, row, sameMoney); diff != "" {
		t.Error(diff)
	}
	for _, filler := range []string{"0", " ", "", "-", "N/A", "null", "000000", "NOTPROVIDED", "Not Available", "PENDING", "NONREF", "XXXX", "99999999"} {
		quoted, _ := json.Marshal(filler)
		if row, _ := readRow(t, `{"transactionId":`+string(quoted)+`}`); row.ID != "" {
			t.Errorf("%q is an id", filler)
		}
	}
}

// Data that nobody asked for is not processed, whatever the bank sends.
func TestRead_LeavesOutRowsOlderThanAsked(t *testing.T) {
	const row = `{"transactionAmount":{"currency":"SEK","amount":"-1"},`
	body := `{"transactions":{"booked":[` + row + `"bookingDate":"2026-08-25"},` + row + `"bookingDate":"2026-08-24","valueDate":"2026-09-01"},` +
		row + `"valueDate":"2026-08-24"},` + row + `"transactionId":"7"}],"pending":[` + row + `"bookingDate":"2024-01-02"}]}}`
	for from, want := range map[string]int{since: 2, "": 5, "2026-08-24": 4} {
		read, err := newScriptedBank(t, nil, nil).Read(institution.Answer{Body: []byte(body),
			Question: institution.Question{Kind: "transactions", Account: "account/1", From: from}})
		if err != nil || len(rows(read)) != want || len(read.Deviations) != 0 {
			t.Errorf("from %q: %d rows, %v, %v, want %d", from, len(rows(read)), read.Deviations, err, want)
		}
	}
}

// spelling draws how a bank writes a value.
func spelling(t *rapid.T, label string, spellings ...string) string {
	return rapid.SampledFrom(spellings).Draw(t, label)
}

// However a bank spells a row, it is the same.
func TestRead_DoesNotDependOnTheSpelling(t *testing.T) {
	s := newScriptedBank(t, nil, nil)
	rapid.Check(t, func(t *rapid.T) {
		at := day(2026, 9, 1).AddDate(0, 0, rapid.IntRange(0, 80).Draw(t, "day"))
		midnight, err := time.ParseInLocation(time.DateOnly, at.Format(time.DateOnly), clock.Sweden())
		if err != nil {
			t.Fatal(err)
		}
		minor := rapid.IntRange(100, 99_999_999).Draw(t, "minor")
		kronor, ore := minor/100, minor%100
		grouped := strconv.Itoa(kronor)
		for i := len(grouped) - 3; i > 0; i -= 3 {
			grouped = grouped[:i] + " " + grouped[i:]
		}
		spelled := func() string {
			number := spelling(t, "amount", fmt.Sprintf(`"-%d.%02d"`, kronor, ore), fmt.Sprintf(`-%d.%02d`, kronor, ore), fmt.Sprintf(`"%d,%02d-"`, kronor, ore),
				fmt.Sprintf(`"\u2212%s,%02d"`, grouped, ore), fmt.Sprintf(`" -%s.%02d0 "`, grouped, ore))
			date := spelling(t, "date", at.Format(time.DateOnly), midnight.UTC().Format("2006-01-02T15:04:05.000Z"), midnight.Format(time.RFC3339),
				at.Format("20060102"), at.Format("02.01.2006"), at.Format("2006-01-02T15:04:05"))
			text := spelling(t, "text", `"Hyra åt H&M"`, `" Hyra  åt H&amp;M "`, `["Hyra","&#229;t H&M"]`, `{"line":"Hyra\u00a0åt\nH&M"}`)
			name := spelling(t, "name", `"creditorName":"Eken AB"`, `"creditorName":"-","creditor":{"name":"Eken AB"}`, `"creditorName":"Eken","ultimateCreditor":"Eken AB"`)
			id := spelling(t, "id", ``, `"transactionId":"0",`, `"transactionId":" ","entryReference":"NOTPROVIDED",`)
			return `{` + id + `"transactionAmount":{"currency":"SEK","amount":` + number + `},"bookingDate":"` + date + `",` + name + `,"remittanceInformationUnstructured":` + text + `}`
		}
		one, other := spelled(), spelled()
		read, err := s.Read(answerTo("transactions", []byte(`{"transactions":{"booked":[`+one+`,`+other+`]}}`)))
		if err != nil || len(read.Deviations) != 0 || len(rows(read)) != 2 {
			t.Fatalf("%s and %s: %+v, %v", one, other, read, err)
		}
		if diff := cmp.Diff(rows(read)[0], rows(read)[1], cmp.Comparer(money.Amount.Equal)); diff != "" {
			t.Fatalf("%s and %s: %s", one, other, diff)
		}
	})
}
