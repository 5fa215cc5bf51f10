package xs2a_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"samla/internal/deviation"
	"samla/internal/institution"
	"samla/internal/institution/xs2a"
)

func TestFetch_ReadsNoContentAsEmpty(t *testing.T) {
	s := newScriptedBank(t, nil, responds(204, ""))
	for _, kind := range []string{"accounts", "cards", "balances", "transactions"} {
		answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, answerTo(kind, nil).Question)
		if err != nil {
			t.Fatal(err)
		}
		read, err := s.Read(answer)
		if err != nil || len(read.Facts.Accounts)+len(read.Facts.Balances)+len(rows(read))+len(read.Questions) != 0 {
			t.Errorf("%s: %+v, %v", kind, read, err)
		}
		if kind == "transactions" && len(read.Facts.Histories) != 1 {
			t.Error("no rows are not unknown rows")
		}
	}
}

func TestFetch_PutsBareListsWhereTheyBelong(t *testing.T) {
	for kind, body := range map[string]string{
		"accounts": `[{"resourceId":"a1","currency":"SEK"}]`, "cards": ` [{"resourceId":"a1","maskedPan":"5254*3241"}]`,
		"balances": `[{"balanceType":"expected","balanceAmount":{"currency":"SEK","amount":1}}]`, "transactions": "\ufeff[" + aRow + "]",
	} {
		for _, empty := range []bool{false, true} {
			want := 1
			if empty {
				body, want = "[]", 0
			}
			s := newScriptedBank(t, nil, responds(200, body))
			answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, answerTo(kind, nil).Question)
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			read, err := s.Read(answer)
			if n := len(read.Facts.Accounts) + len(read.Facts.Balances) + len(rows(read)); err != nil || n != want {
				t.Errorf("%s: %+v, %v", body, read, err)
			}
		}
	}
}

// The order of the questions is that of verbs.
func TestFetch_FindsErrorsInAnswers(t *testing.T) {
	const noData = institution.ErrorKind("")
	for body, want := range map[string][3]institution.ErrorKind{
		`{"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED"}]}`:                                 {over, notCover, over},
		`{"tppMessages":{"category":"ERROR","code":"CONSENT_EXPIRED"},"accounts":null}`:                   {over, notCover, over},
		`{"type":"about:blank","title":"x","code":"ACCESS_EXCEEDED"}`:                                     {institution.AccessExceeded, institution.AccessExceeded, institution.AccessExceeded},
		`{"type":"about:blank","status":503,"title":"Service Unavailable"}`:                               {institution.Unreachable, institution.Unreachable, institution.Unreachable},
		`{"status":"429","detail":"slow down"}`:                                                           {institution.Busy, institution.Busy, institution.Busy},
		`{"tppMessages":[{"category":"ERROR","code":"MAINTENANCE"}]}`:                                     {institution.Unreachable, institution.Unreachable, institution.Unreachable},
		`{"tppMessages":[{"category":"WARNING","code":"CONSENT_EXPIRED"}],"accounts":[],"balances":[]}`:   {noData, noData, noData},
		`{"tppMessages":[{"category":"ERROR","code":"CONSENT_EXPIRED"}],"accounts":[],"transactions":{}}`: {noData, noData, noData},
		`<html><title>Underhåll pågår</title></html>`:                                                     {institution.MalformedResponse, institution.MalformedResponse, institution.MalformedResponse},
		``: {institution.MalformedResponse, institution.MalformedResponse, institution.MalformedResponse},
	} {
		s := newScriptedBank(t, nil, responds(200, body))
		for i, verb := range verbs[3:] {
			err := verb.call(t, s)
			var failed *institution.Error
			switch {
			case want[i] == noData && err != nil:
				t.Errorf("%s: %s: got %v", body, verb.name, err)
			case want[i] != noData && (!errors.As(err, &failed) || failed.Kind != want[i] || failed.RequestID == ""):
				t.Errorf("%s: %s: got %v, want %s", body, verb.name, err, want[i])
			}
		}
	}
}

func TestFetch_ReportsAnswersInPreparation(t *testing.T) {
	s := newScriptedBank(t, nil, nil)
	for body, want := range map[string]institution.ErrorKind{"": institution.Preparing, "{}": institution.Preparing, `{"accounts":[]}`: ""} {
		s.answer = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3")
			responds(202, body)(w, r)
		}
		_, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank))
		var failed *institution.Error
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", body, err)
			}
		} else if !errors.As(err, &failed) || failed.Kind != want || failed.RetryAfter != 3*time.Second || !failed.NotCounted {
			t.Errorf("%q: got %+v", body, failed)
		}
	}
}

func TestFetch_AnswersAreUTF8(t *testing.T) {
	const whole = `{"accounts":[{"resourceId":"a1","name":"Lön på 5 €"}]}`
	utf16 := func(order string) string {
		var b strings.Builder
		for _, r := range whole {
			if order == "be" {
				b.WriteByte(byte(r >> 8))
			}
			b.WriteByte(byte(r))
			if order == "le" {
				b.WriteByte(byte(r >> 8))
			}
		}
		return b.String()
	}
	latin := strings.NewReplacer("ö", "\xf6", "å", "\xe5", "€", "\x80").Replace(whole)
	for name, c := range map[string]struct{ contentType, body string }{
		"utf-8":                       {"application/json", whole},
		"utf-8, the header lies":      {"application/json;charset=ISO-8859-1", whole},
		"utf-8 with a byte order":     {"application/json", "\ufeff" + whole},
		"windows-1252":                {"application/json; charset=windows-1252", latin},
		"iso-8859-1":                  {`application/json;charset="iso-8859-1"`, latin},
		"latin without a header":      {"application/json", latin},
		"latin, the header says utf8": {"application/json; charset=utf-8", latin},
		"iso-8859-15":                 {"application/json; charset=ISO-8859-15", strings.ReplaceAll(latin, "\x80", "\xa4")},
		"utf-16 with a byte order":    {"application/json", "\xfe\xff" + utf16("be")},
		"utf-16le with a byte order":  {"application/json", "\xff\xfe" + utf16("le")},
		"utf-16":                      {"application/json; charset=utf-16", utf16("le")},
		"utf-16be":                    {"application/json; charset=utf-16be", utf16("be")},
	} {
		s := newScriptedBank(t, nil, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", c.contentType)
			responds(200, c.body)(w, r)
		})
		answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		read, err := s.Read(answer)
		if err != nil || len(read.Facts.Accounts) != 1 || read.Facts.Accounts[0].Name != "Lön på 5 €" {
			t.Errorf("%s: got %+v, %v", name, read.Facts.Accounts, err)
		}
	}
	// One broken character does not spoil the others.
	s := newScriptedBank(t, nil, responds(200, `{"accounts":[{"resourceId":"a1","name":"Lön","product":"L`+"\xc3"+`"}]}`))
	answer, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank))
	read, _ := s.Read(answer)
	if err != nil || len(read.Facts.Accounts) != 1 || read.Facts.Accounts[0].Name != "Lön" {
		t.Errorf("got %+v, %v", read, err)
	}
}

func TestFetch_BanksFileReplacesMediaTypes(t *testing.T) {
	s := newScriptedBank(t, func(c *xs2a.Config) {
		c.Headers = map[string]string{"accept": "application/json", "Content-Type": "application/json;charset=UTF-8", "Consent-ID": "x"}
	}, responds(201, `{"accounts":[],"consentId":"c1"}`))
	if _, err := s.Fetch(t.Context(), institution.Access{ConsentID: "c1"}, first(s.Bank)); err != nil {
		t.Fatal(err)
	}
	if h := s.last(t).header; h.Get("Accept") != "application/json" || h.Get("Content-Type") != "" || h.Get("Consent-ID") != "c1" {
		t.Errorf("headers %v", h)
	}
	if _, err := s.OpenConsent(t.Context(), openRequest(fullScope)); err != nil {
		t.Fatal(err)
	}
	if h := s.last(t).header; h.Get("Content-Type") != "application/json;charset=UTF-8" {
		t.Errorf("headers %v", h)
	}
}

const aRow = `{"transactionId":"1","bookingDate":"2026-11-20","transactionAmount":{"currency":"SEK","amount":"-1"}}`

func TestRead_DecodesIrregularReports(t *testing.T) {
	b := newReader(t)
	const other = `{"transactionId":"2","bookingDate":"2026-11-20","transactionAmount":{"currency":"SEK","amount":-2}}`
	for body, want := range map[string]string{
		`{"transactions":{"booked":` + aRow + `,"pending":[]}}`:                                   "1",
		`{"transactions":{"booked":null}}`:                                                        "",
		`{"transactions":{"booked":"","pending":` + other + `}}`:                                  "(2)",
		`{"transactions":{"booked":{}}}`:                                                          "",
		`{"transactions":{"booked":{"0":` + aRow + `,"1":` + other + `}}}`:                        "1 2",
		`{"transactions":{"booked":{"transaction":[` + aRow + `,` + other + `]}}}`:                "1 2",
		`{"transactions":[` + aRow + `,` + other + `]}`:                                           "1 2",
		`{"transactions":[]}`:                                                                     "",
		`{"transactions":{}}`:                                                                     "",
		`{"booked":[` + aRow + `],"pending":[` + other + `]}`:                                     "1 (2)",
		`{"transactions":{"booked":[` + aRow + `],"booked":[` + other + `]}}`:                     "1 2",
		`{"transactions":{"booked":[` + aRow + `]},"transactions":{"booked":[` + other + `]}}`:    "1 2",
		`{"transactions":{"booked":[` + aRow + `]},"transactions":{"pending":[` + other + `]}}`:   "1 (2)",
		`{"transactions":[],"cardTransactions":{"booked":[` + aRow + `]}}`:                        "",
		`{"transactions":null,"cardTransactions":{"booked":` + aRow + `}}`:                        "1",
		`{"transactions":{"booked":[` + aRow + `,],"balance":NaN,"x":-Infinity,"y":undefined,},}`: "1",
		"{\"transactions\":{\"booked\":[{\"additionalInformation\":\"a\nb\\'\",\"transactionAmount\":{\"currency\":\"SEK\",\"amount\":\"1\"},\"transactionId\":\"3\"}]}}": "3",
	} {
		read, err := b.Read(answerTo("transactions", []byte(body)))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		var got []string
		for _, row := range rows(read) {
			if row.Booked {
				got = append(got, row.ID)
			} else {
				got = append(got, "("+row.ID+")")
			}
		}
		if strings.Join(got, " ") != want || read.Deviations.Incomplete() {
			t.Errorf("%s: got %q, %v", body, got, read.Deviations)
		}
	}
	for _, body := range []string{`{"transactions":{"booked":"none"}}`, `{"transactions":{"booked":[` + aRow + `],"pending":17}}`,
		`{"transactions":{"booked":[{"transactionAmount":{"currency":"SEK","amount":NaN}}]}}`} {
		if read, err := b.Read(answerTo("transactions", []byte(body))); err != nil || read.Deviations[deviation.UnreadableRow] != 1 {
			t.Errorf("%s: got %+v, %v", body, read, err)
		}
	}
}

func TestRead_DecodesOneEntryInPlaceOfAList(t *testing.T) {
	b := newReader(t)
	read, err := b.Read(answerTo("accounts", []byte(`{"accounts":{"resourceId":"a1","ownerNames":{"name":"Sten"},
		"balances":{"balanceType":"expected","balanceAmount":{"currency":"SEK","amount":1}}}}`)))
	if err != nil || len(read.Facts.Accounts) != 1 || read.Facts.Accounts[0].OwnerName != "Sten" || len(read.Facts.Balances) != 1 {
		t.Errorf("got %+v, %v", read, err)
	}
	read, err = b.Read(answerTo("balances", []byte(`{"balances":{"balanceType":"expected","balanceAmount":{"currency":"SEK","amount":1}}}`)))
	if err != nil || len(read.Facts.Balances) != 1 {
		t.Errorf("got %+v, %v", read, err)
	}
}
